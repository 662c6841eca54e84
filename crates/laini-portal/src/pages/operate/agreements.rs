//! Agreements of all partners by state: what is being written, what lies before both sides, what was signed.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{AgreementId, May, PartnerId, Side, StaffRole};
use laini_office::agreements::{self, AgreementRecord, AgreementState};
use laini_office::{Page as Listed, PageRequest, Problem, Work};

use super::LOOKS;
use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::pages::billing::may;
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::AgreementsWords;

const HERE: &str = "/operate/agreements";
/// Who writes and signs them.
const SIGNS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Onboarding] });
/// The columns of the file.
const HEAD: [&str; 9] =
    ["partner", "name", "agreement", "version", "state", "written", "until", "operator_signed", "partner_signed"];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.agreements),
        Page::get("/operate/agreements.csv", LOOKS, download),
    ]
}

#[derive(Template)]
#[template(path = "operate/agreements.html")]
struct AgreementsPage {
    frame: Frame,
    words: &'static AgreementsWords,
    /// The word of each state, what it is called, and whether it is shown.
    tabs: Vec<(&'static str, &'static str, bool)>,
    state: &'static str,
    sorting: Sorting<Row>,
    rows: Vec<Row>,
    next: Option<String>,
    /// What whoever looks does next: where, and what it is called.
    first: Option<(String, &'static str)>,
}

struct Row {
    partner: PartnerId,
    name: String,
    id: AgreementId,
    number: u32,
    /// Which sides have signed.
    operator: bool,
    partners: bool,
    created: Timestamp,
    until: Option<Timestamp>,
    /// When it was written and when it ends, as people read instants; empty = it has no end.
    created_shown: String,
    until_shown: String,
}

static ROWS: Table<Row> = Table {
    name: "sort",
    columns: &[
        ("partner", |one, other| by_text(&one.name, &other.name)),
        ("version", |one, other| one.number.cmp(&other.number)),
        ("written", |one, other| one.created.cmp(&other.created)),
        ("until", |one, other| one.until.cmp(&other.until)),
        ("signed", |one, other| (one.operator, one.partners).cmp(&(other.operator, other.partners))),
    ],
    comes: "-written",
};

impl Row {
    fn of(record: &AgreementRecord, names: &HashMap<PartnerId, String>, portal: &Portal) -> Self {
        let has = |side| record.signature_of(side).is_some();
        Self {
            partner: record.partner,
            name: names.get(&record.partner).cloned().unwrap_or_default(),
            id: record.id,
            number: record.number,
            operator: has(Side::Operator),
            partners: has(Side::Partner),
            created: record.created,
            until: record.terms.valid_until,
            created_shown: portal.shown(record.created),
            until_shown: record.terms.valid_until.map(|at| portal.shown(at)).unwrap_or_default(),
        }
    }

    fn push_to(&self, csv: &mut String, state: AgreementState) {
        let (partner, id, number) = (self.partner.to_string(), self.id.to_string(), self.number.to_string());
        let (created, until) = (self.created.to_string(), self.until.map(|at| at.to_string()).unwrap_or_default());
        let known = [&*partner, &*self.name, &*id, &*number, state.word(), &*created, &*until];
        let yes = |is: bool| if is { "true" } else { "false" };
        push_line(csv, known.into_iter().chain([yes(self.operator), yes(self.partners)]));
    }
}

fn state(visit: &Visit) -> AgreementState {
    AgreementState::parse(visit.query("state")).unwrap_or(AgreementState::Sent)
}

fn names(work: &Work<'_>) -> Result<HashMap<PartnerId, String>, Problem> {
    Ok(work.book()?.partners.into_iter().map(|one| (one.id, one.name)).collect())
}

/// What the operator does next with those of a state, of all that there are: the oldest that the partner has signed is
/// signed, the newest draft is written on.
fn first(
    state: AgreementState,
    mut of_page: impl FnMut(PageRequest) -> Result<Listed<AgreementRecord>, Problem>,
) -> Result<Option<AgreementRecord>, Problem> {
    match state {
        AgreementState::Draft => Ok(of_page(PageRequest { limit: 1, ..PageRequest::FIRST })?.items.into_iter().next()),
        AgreementState::Sent => {
            let lies_here = |record: &AgreementRecord| {
                record.signature_of(Side::Partner).is_some() && record.signature_of(Side::Operator).is_none()
            };
            // A partner has at most one that is not signed by both.
            let mut request = PageRequest { is_turned: true, ..PageRequest::LONGEST };
            loop {
                let listed = of_page(request)?;
                let found = listed.items.into_iter().find(lies_here);
                request.after = listed.next;
                if found.is_some() || request.after.is_none() {
                    return Ok(found);
                }
            }
        }
        AgreementState::Signed => Ok(None),
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let state = state(&visit);
    let mut sorting = Sorting::asked(&ROWS, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let listed = agreements::list_in_state(work, state, PageRequest { is_turned, ..visit.asked_page()? })?;
        let can_sign = may(visit, SIGNS);
        let first = can_sign.then(|| first(state, |request| agreements::list_in_state(work, state, request)));
        Ok((listed, first.transpose()?.flatten(), names(work)?))
    });
    let (listed, first, names) = found.await?;
    let words = &visit.language.words().agreements;
    let mut rows: Vec<_> = listed.items.iter().map(|record| Row::of(record, &names, &portal)).collect();
    sorting.sort(&mut rows, listed.next.is_some());
    let operating = &visit.language.words().operating;
    let label = if state == AgreementState::Draft { operating.on_with_draft } else { operating.sign_next };
    let first = first.map(|record| (format!("/partners/{}/agreements/{}", record.partner, record.id), label));
    page(&AgreementsPage {
        first,
        frame: visit.frame(&portal, words.title),
        words,
        tabs: AgreementState::ALL.into_iter().map(|one| (one.word(), words.state(one), one == state)).collect(),
        state: state.word(),
        sorting,
        rows,
        next: listed.next.map(|next| next.to_string()),
    })
}

/// The agreements of a tab as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let state = state(&visit);
    let mut sorting = Sorting::first(&ROWS, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, _| {
        let (listed, has_more) = gathered(is_turned, |request| agreements::list_in_state(work, state, request))?;
        Ok((listed, has_more, names(work)?))
    });
    let (listed, has_more, names) = found.await?;
    let mut rows: Vec<_> = listed.iter().map(|record| Row::of(record, &names, &portal)).collect();
    sorting.sort(&mut rows, has_more);
    Ok(file("agreements.csv", HEAD, &rows, |csv, row| row.push_to(csv, state)))
}

#[cfg(test)]
mod tests {
    use laini_core::billing::Currency;
    use laini_office::Cursor;
    use laini_office::agreements::{SignedBy, Terms};

    use super::*;

    fn at(day: u32) -> Timestamp {
        Timestamp::from_second(i64::from(day) * 86_400).unwrap()
    }

    /// Written on the day of its number.
    fn record(number: u32, signed_by: &[Side]) -> AgreementRecord {
        let signed = |side: &Side| {
            let (by, name, address) = (String::new(), String::new(), String::new());
            SignedBy { side: *side, by, name, at: at(number), address, digest: [0; 32] }
        };
        AgreementRecord {
            id: AgreementId::from_stored(u64::from(number)),
            partner: PartnerId::from_stored(1),
            number,
            state: AgreementState::Sent,
            terms: Terms::standard(Currency::KES),
            created: at(number),
            text: None,
            signatures: signed_by.iter().map(signed).collect(),
            scan: None,
        }
    }

    /// The number of the first, of a list that is given in pages of so many, the newest first where it is not turned.
    fn first_of(records: &[AgreementRecord], state: AgreementState, page: usize) -> Option<u32> {
        let found = first(state, |request| {
            let mut records = records.to_vec();
            records.sort_by_key(|record| record.created);
            if !request.is_turned {
                records.reverse();
            }
            let after = request.after.map_or(0, |after| after.to_string().trim_end_matches(".0").parse().unwrap());
            let end = records.len().min(after + page.min(request.limit));
            let next = (end < records.len()).then(|| Cursor::parse(&format!("{end}.0")).unwrap());
            Ok(Listed { items: records[after..end].to_vec(), next })
        });
        found.unwrap().map(|record| record.number)
    }

    #[test]
    fn the_next_to_sign_is_the_oldest_of_all_that_the_partner_has_signed_alone() {
        let (operator, partner) = (Side::Operator, Side::Partner);
        let records = [
            record(5, &[]),
            record(4, &[partner]),
            record(3, &[partner]),
            record(2, &[operator]),
            record(1, &[operator, partner]),
        ];
        for page in [1, 2, 50] {
            assert_eq!(first_of(&records, AgreementState::Sent, page), Some(3), "pages of {page}");
            assert_eq!(first_of(&records, AgreementState::Draft, page), Some(5), "pages of {page}");
            assert_eq!(first_of(&records, AgreementState::Signed, page), None);
            assert_eq!(first_of(&records[..1], AgreementState::Sent, page), None, "it lies with the partner");
        }
        assert_eq!(first_of(&[], AgreementState::Draft, 50), None);
    }

    #[test]
    fn the_file_has_instants_with_their_zone() {
        let row = Row {
            partner: PartnerId::from_stored(1),
            name: "Bank A".to_owned(),
            id: AgreementId::from_stored(2),
            number: 3,
            operator: false,
            partners: true,
            created: at(1),
            until: Some(at(2)),
            created_shown: "1970-01-02 03:00".to_owned(),
            until_shown: "1970-01-03 03:00".to_owned(),
        };
        let line = |row: &Row| {
            let mut csv = String::new();
            row.push_to(&mut csv, AgreementState::Sent);
            csv
        };
        let begins = format!("{},Bank A,{},3,sent,1970-01-02T00:00:00Z,", row.partner, row.id);
        assert_eq!(line(&row), format!("{begins}1970-01-03T00:00:00Z,false,true\r\n"));
        let endless = Row { until: None, until_shown: String::new(), ..row };
        assert_eq!(line(&endless), format!("{begins},false,true\r\n"));
    }
}
