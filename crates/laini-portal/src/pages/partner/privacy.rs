//! Privacy requests that a partner files for its customers.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, MemberRole};
use laini_core::privacy::PrivacyAction;
use laini_office::privacy::PrivacyRequest;
use laini_office::{PageRequest, Problem};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::pages::operate::taken_down;
use crate::portal::Portal;
use crate::sorting::{Sorting, Table};
use crate::visit::{Visit, page};
use crate::words::PrivacyWords;

/// Who files for a customer.
const FILES: Access = Access::SignedIn(May { members: &[MemberRole::Owner, MemberRole::FraudDesk], staff: &[] });

const HERE: &str = "/privacy-requests";

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, FILES, show).in_rail(Workspace::Investigate, |words| words.privacy),
        Page::post(HERE, FILES, file, show),
    ]
}

#[derive(Template)]
#[template(path = "partner/privacy.html")]
struct FiledPage<'a> {
    frame: Frame,
    words: &'static PrivacyWords,
    sorting: Sorting<Row>,
    rows: Vec<Row>,
    next: Option<String>,
    actions: Vec<(&'static str, &'static str)>,
    reason: &'a str,
}

struct Row {
    number: String,
    action: &'static str,
    state: &'static str,
    received: String,
    due: String,
}

/// By what is shown alone: how a request stands behind it is not the partner's to know.
static ROWS: Table<Row> = Table {
    name: "sort",
    columns: &[
        ("number", |one, other| one.number.cmp(&other.number)),
        ("action", |one, other| one.action.cmp(other.action)),
        ("state", |one, other| one.state.cmp(other.state)),
        // Instants as people read them are in the order of time.
        ("received", |one, other| one.received.cmp(&other.received)),
        ("due", |one, other| one.due.cmp(&other.due)),
    ],
    comes: "-received",
};

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut sorting = Sorting::asked(&ROWS, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, visit| {
        let page = PageRequest { is_turned, ..visit.asked_page()? };
        work.find::<PrivacyRequest>("partner", visit.partner()?, true, page)
    });
    let found = found.await?;
    let words = &visit.language.words().privacy;
    let row = |request: &PrivacyRequest| Row {
        number: request.masked.clone(),
        action: words.action(request.action),
        // How the operator decides would tell, for nothing, that a SIM was swapped.
        state: if request.state.is_open() { words.states[6] } else { words.state(request.state) },
        received: portal.shown(request.received),
        due: portal.shown(request.deadline()),
    };
    let mut rows: Vec<Row> = found.items.iter().map(row).collect();
    sorting.sort(&mut rows, found.next.is_some());
    page(&FiledPage {
        frame: visit.frame(&portal, words.title),
        words,
        sorting,
        rows,
        next: found.next.map(|next| next.to_string()),
        actions: PrivacyAction::ALL.into_iter().map(PrivacyAction::word).zip(words.actions).collect(),
        reason: visit.field("reason"),
    })
}

async fn file(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal.work(&visit, |work, visit| taken_down(work, visit, Some(visit.partner()?)).map(drop)).await?;
    Ok(Answer::see_other(HERE))
}
