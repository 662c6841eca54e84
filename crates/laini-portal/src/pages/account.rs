//! Whoever signed in: who they are, where they are signed in, their password.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{May, PersonId, SessionId};
use laini_office::Problem;
use laini_office::people::{self, Session};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::AccountWords;

const SIGNED_IN: Access = Access::SignedIn(May::ANYBODY);

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/account", SIGNED_IN, show),
        Page::post("/account/sessions/end", SIGNED_IN, end_others, show),
        Page::post("/account/password", SIGNED_IN, change_password, show),
        Page::get("/account/second-factor", SIGNED_IN, show_factor),
        Page::post("/account/second-factor", SIGNED_IN, begin_factor, show_factor),
        Page::post("/account/second-factor/confirm", SIGNED_IN, confirm_factor, show_confirm),
    ]
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    frame: Frame,
    words: &'static AccountWords,
    sessions: Vec<SessionRow>,
}

struct SessionRow {
    began: String,
    seen: String,
    ends: String,
    address: String,
    is_this: bool,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let sessions = portal.work(&visit, |work, visit| people::list_sessions(work, me(visit)?)).await?;
    let own = own_session(&visit);
    let row = |session: &Session| SessionRow {
        began: portal.shown(session.began),
        seen: portal.shown(session.seen),
        ends: portal.shown(session.ends()),
        address: session.address.clone(),
        is_this: own == Some(session.id),
    };
    let words = &visit.language.words().account_page;
    let frame = visit.frame(&portal, visit.language.words().account);
    page(&AccountPage { frame, words, sessions: sessions.iter().map(row).collect() })
}

async fn end_others(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let own = own_session(&visit);
    portal.work(&visit, move |work, visit| people::end_sessions(work, me(visit)?, own).map(drop)).await?;
    Ok(Answer::see_other("/account"))
}

async fn change_password(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let own = own_session(&visit);
    let change = portal.work(&visit, move |work, visit| {
        let peer = visit.context.peer.to_string();
        people::change_password(work, visit.secret("password"), visit.secret("new_password"), own, &peer)
    });
    change.await?;
    Ok(Answer::see_other("/account"))
}

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct FactorPage {
    frame: Frame,
    words: &'static AccountWords,
    /// The secret and its address for an authenticator, shown this once.
    begun: Option<(String, String)>,
    /// Whether a code is asked for.
    confirms: bool,
    /// Codes for the day when the telephone is gone, shown this once.
    recovery: Vec<String>,
}

impl FactorPage {
    fn new(portal: &Portal, visit: &Visit) -> Self {
        let words = &visit.language.words().account_page;
        let frame = visit.frame(portal, words.second_factor);
        Self { frame, words, begun: None, confirms: false, recovery: Vec::new() }
    }
}

async fn show_factor(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    page(&FactorPage::new(&portal, &visit))
}

async fn show_confirm(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    page(&FactorPage { confirms: true, ..FactorPage::new(&portal, &visit) })
}

async fn begin_factor(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let begun = portal.work(&visit, |work, visit| {
        people::begin_factor(work, visit.secret("password"), &visit.context.peer.to_string())
    });
    let begun = begun.await?;
    let shown = (begun.secret.to_string(), begun.uri.to_string());
    page(&FactorPage { begun: Some(shown), confirms: true, ..FactorPage::new(&portal, &visit) })
}

async fn confirm_factor(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let codes = portal.work(&visit, |work, visit| people::confirm_factor(work, visit.field("code"))).await?;
    let recovery = codes.iter().map(|code| code.to_string()).collect();
    page(&FactorPage { recovery, ..FactorPage::new(&portal, &visit) })
}

fn me(visit: &Visit) -> Result<PersonId, Problem> {
    visit.actor().person().ok_or(Problem::NotFound("person"))
}

fn own_session(visit: &Visit) -> Option<SessionId> {
    visit.session.as_ref().and_then(|token| people::session_of(token))
}
