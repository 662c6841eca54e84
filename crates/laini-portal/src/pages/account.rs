//! Whoever signed in: who they are, where they are signed in, their password.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::May;
use laini_office::Problem;
use laini_office::people::{self, Session};

use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};

const SIGNED_IN: Access = Access::SignedIn(May::ANYBODY);

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/account", SIGNED_IN, show)]
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    frame: Frame,
    sessions: Vec<Session>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let sessions = portal.work(&visit, |work, visit| {
        let person = visit.actor().person().ok_or(Problem::NotFound("person"))?;
        people::list_sessions(work, person)
    });
    let sessions = sessions.await?;
    page(&AccountPage { frame: visit.frame(&portal, visit.language.words().account), sessions })
}
