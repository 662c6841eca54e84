//! Privacy requests that a partner files for its customers.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, MemberRole};
use laini_core::privacy::PrivacyAction;
use laini_office::privacy::PrivacyRequest;
use laini_office::{Cursor, PageRequest, Problem};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::pages::operate::taken_down;
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::PrivacyWords;

/// Who files for a customer.
const FILES: Access = Access::SignedIn(May { members: &[MemberRole::Owner, MemberRole::FraudDesk], staff: &[] });

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/privacy-requests", FILES, show).in_rail(Workspace::Investigate, |words| words.privacy),
        Page::post("/privacy-requests", FILES, file, show),
    ]
}

#[derive(Template)]
#[template(path = "partner/privacy.html")]
struct FiledPage<'a> {
    frame: Frame,
    words: &'static PrivacyWords,
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

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let after = Some(visit.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
        work.find::<PrivacyRequest>("partner", visit.partner()?, true, PageRequest { after, ..PageRequest::FIRST })
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
    page(&FiledPage {
        frame: visit.frame(&portal, words.title),
        words,
        rows: found.items.iter().map(row).collect(),
        next: found.next.map(|next| next.to_string()),
        actions: PrivacyAction::ALL.into_iter().map(PrivacyAction::word).zip(words.actions).collect(),
        reason: visit.field("reason"),
    })
}

async fn file(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal.work(&visit, |work, visit| taken_down(work, visit, Some(visit.partner()?)).map(drop)).await?;
    Ok(Answer::see_other("/privacy-requests"))
}
