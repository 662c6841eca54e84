//! An organisation that registers itself: asked for here, confirmed by the link of a letter.

use std::sync::Arc;

use askama::Template;
use laini_office::agreements::digest_in_words;
use laini_office::people::{self, Confirmation, Stranger};
use laini_office::{Problem, going_live};

use super::partner::read_terms;
use crate::answer::Answer;
use crate::cookie;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::RegisterWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/register", Access::Anyone, show),
        Page::post("/register", Access::Anyone, register, show),
        Page::get("/registration", Access::Anyone, show_confirmation),
        Page::post("/registration", Access::Anyone, confirm, show_confirmation),
    ]
}

#[derive(Template)]
#[template(path = "account/register.html")]
struct RegisterPage {
    frame: Frame,
    words: &'static RegisterWords,
    fields: Fields,
    is_open: bool,
    was_sent: bool,
    terms: &'static str,
    version: u32,
    sha256: String,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().register;
    let terms = going_live::terms();
    page(&RegisterPage {
        frame: visit.frame(&portal, words.title),
        words,
        fields: Fields::of_pairs(visit.form.clone()),
        is_open: portal.office.settings.people.registration,
        was_sent: !visit.query("sent").is_empty(),
        terms: terms.text,
        version: terms.version,
        sha256: digest_in_words(&terms.digest),
    })
}

async fn register(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let peer = visit.context.peer.to_string();
            let stranger = Stranger {
                company: visit.field("company"),
                email: visit.field("email"),
                name: visit.field("name"),
                terms: read_terms(visit)?,
                peer: &peer,
            };
            people::register(work, &stranger)
        })
        .await?;
    Ok(Answer::see_other("/register?sent=1"))
}

#[derive(Template)]
#[template(path = "account/registration.html")]
struct ConfirmPage<'a> {
    frame: Frame,
    words: &'static RegisterWords,
    token: &'a str,
    company: &'a str,
    /// Whether another organisation has the name, so that another one is to be given.
    asks_company: bool,
}

async fn show_confirmation(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().register;
    page(&ConfirmPage {
        frame: visit.frame(&portal, words.confirm_title),
        words,
        token: visit.field("token"),
        company: visit.field("company"),
        asks_company: matches!(visit.problem, Some(Problem::Taken(_))) || !visit.field("company").is_empty(),
    })
}

async fn confirm(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let come = portal.work(&visit, |work, visit| {
        let address = visit.context.address.to_string();
        let confirmation = Confirmation {
            token: visit.field("token"),
            password: visit.secret("password"),
            name: None,
            company: Some(visit.field("company")).filter(|company| !company.is_empty()),
            address: &address,
            before: visit.session.as_ref().map(|token| token.as_str()),
        };
        people::confirm_registration(work, &confirmation)
    });
    let come = come.await?;
    // Where a key is one form away.
    Ok(Answer::see_other("/apps").with_cookie(cookie::secret(cookie::SESSION, &come.token)))
}
