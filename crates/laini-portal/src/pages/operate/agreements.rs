//! Agreements of all partners by state: what is being written, what lies before both sides, what was signed.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{AgreementId, PartnerId, Side};
use laini_office::agreements::{self, AgreementRecord, AgreementState};
use laini_office::{PageRequest, Problem};

use super::LOOKS;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::AgreementsWords;

const HERE: &str = "/operate/agreements";

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get(HERE, LOOKS, show).in_rail(Workspace::Operate, |words| words.agreements)]
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

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let state = AgreementState::parse(visit.query("state")).unwrap_or(AgreementState::Sent);
    let mut sorting = Sorting::asked(&ROWS, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let listed = agreements::list_in_state(work, state, PageRequest { is_turned, ..visit.asked_page()? })?;
        let names: HashMap<_, _> = work.book()?.partners.into_iter().map(|one| (one.id, one.name)).collect();
        Ok((listed, names))
    });
    let (listed, names) = found.await?;
    let words = &visit.language.words().agreements;
    let row = |record: &AgreementRecord| {
        let has = |side| record.signature_of(side).is_some();
        Row {
            partner: record.partner,
            name: names.get(&record.partner).cloned().unwrap_or_default(),
            id: record.id,
            number: record.number,
            operator: has(Side::Operator),
            partners: has(Side::Partner),
            created: portal.shown(record.created),
            until: record.terms.valid_until.map(|at| portal.shown(at)).unwrap_or_default(),
        }
    };
    let mut rows: Vec<_> = listed.items.iter().map(row).collect();
    sorting.sort(&mut rows, listed.next.is_some());
    page(&AgreementsPage {
        frame: visit.frame(&portal, words.title),
        words,
        tabs: AgreementState::ALL.into_iter().map(|one| (one.word(), words.state(one), one == state)).collect(),
        state: state.word(),
        sorting,
        rows,
        next: listed.next.map(|next| next.to_string()),
    })
}
