//! Agreements of all partners by state: what is being written, what lies before both sides, what was signed.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{AgreementId, May, PartnerId, Side, StaffRole};
use laini_office::agreements::{self, AgreementRecord, AgreementState};
use laini_office::{PageRequest, Problem, Work};

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
    created: String,
    until: String,
}

static ROWS: Table<Row> = Table {
    name: "sort",
    columns: &[
        ("partner", |one, other| by_text(&one.name, &other.name)),
        ("version", |one, other| one.number.cmp(&other.number)),
        // Instants as people read them are in the order of time.
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
            created: portal.shown(record.created),
            until: record.terms.valid_until.map(|at| portal.shown(at)).unwrap_or_default(),
        }
    }
}

fn state(visit: &Visit) -> AgreementState {
    AgreementState::parse(visit.query("state")).unwrap_or(AgreementState::Sent)
}

fn names(work: &Work<'_>) -> Result<HashMap<PartnerId, String>, Problem> {
    Ok(work.book()?.partners.into_iter().map(|one| (one.id, one.name)).collect())
}

/// What the operator does next with those of a state: the oldest that the partner has signed is signed, the newest draft
/// is written on.
fn first(rows: &[Row], state: AgreementState) -> Option<&Row> {
    match state {
        AgreementState::Draft => rows.iter().max_by(|one, other| one.created.cmp(&other.created)),
        AgreementState::Sent => {
            let signed = rows.iter().filter(|row| row.partners && !row.operator);
            signed.min_by(|one, other| one.created.cmp(&other.created))
        }
        AgreementState::Signed => None,
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let state = state(&visit);
    let mut sorting = Sorting::asked(&ROWS, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let listed = agreements::list_in_state(work, state, PageRequest { is_turned, ..visit.asked_page()? })?;
        Ok((listed, names(work)?))
    });
    let (listed, names) = found.await?;
    let words = &visit.language.words().agreements;
    let mut rows: Vec<_> = listed.items.iter().map(|record| Row::of(record, &names, &portal)).collect();
    sorting.sort(&mut rows, listed.next.is_some());
    let operating = &visit.language.words().operating;
    let label = if state == AgreementState::Draft { operating.on_with_draft } else { operating.sign_next };
    let first = first(&rows, state).filter(|_| may(&visit, SIGNS));
    let first = first.map(|row| (format!("/partners/{}/agreements/{}", row.partner, row.id), label));
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
    let yes = |is: bool| if is { "true" } else { "false" };
    let push = |csv: &mut String, row: &Row| {
        let (partner, id, number) = (row.partner.to_string(), row.id.to_string(), row.number.to_string());
        let known = [&partner, &row.name, &id, &number, state.word(), &row.created, &row.until];
        push_line(csv, known.into_iter().chain([yes(row.operator), yes(row.partners)]));
    };
    Ok(file("agreements.csv", HEAD, &rows, push))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32, created: &str, (operator, partners): (bool, bool)) -> Row {
        let (partner, id) = (PartnerId::from_stored(1), AgreementId::from_stored(u64::from(number)));
        let (name, created, until) = ("Bank A".to_owned(), created.to_owned(), String::new());
        Row { partner, name, id, number, operator, partners, created, until }
    }

    #[test]
    fn the_next_to_sign_is_the_oldest_that_the_partner_has_signed_alone() {
        let rows = [
            row(4, "2026-11-24", (false, false)),
            row(3, "2026-11-23", (false, true)),
            row(2, "2026-11-22", (false, true)),
            row(1, "2026-11-21", (true, true)),
        ];
        let number = |state| first(&rows, state).map(|row| row.number);
        assert_eq!(number(AgreementState::Sent), Some(2));
        assert_eq!(number(AgreementState::Draft), Some(4));
        assert_eq!(number(AgreementState::Signed), None);
        assert!(first(&rows[..1], AgreementState::Sent).is_none(), "it lies with the partner");
    }
}
