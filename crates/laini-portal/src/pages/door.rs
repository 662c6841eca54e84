//! Coming in and going out: sign-in, invitations, forgotten passwords.

use std::sync::Arc;

use askama::Template;
use laini_office::Problem;
use laini_office::people::{self, SignIn};

use super::elsewhere::way_there;
use crate::answer::Answer;
use crate::cookie;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::SignInWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/sign-in", Access::Anyone, show_sign_in),
        Page::post("/sign-in", Access::Anyone, sign_in, show_sign_in),
        Page::post("/sign-out", Access::Anyone, sign_out, show_sign_in),
        Page::get("/forgotten", Access::Anyone, show_forgotten),
        Page::post("/forgotten", Access::Anyone, ask_for_reset, show_forgotten),
        Page::get("/invitation", Access::Anyone, show_invitation),
        Page::post("/invitation", Access::Anyone, accept_invitation, show_invitation),
        Page::get("/reset", Access::Anyone, show_reset),
        Page::post("/reset", Access::Anyone, reset, show_reset),
    ]
}

#[derive(Template)]
#[template(path = "account/sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    words: &'static SignInWords,
    next: &'a str,
    email: &'a str,
    can_register: bool,
    /// The way to the identity provider, where there is one.
    elsewhere: Option<String>,
}

pub(super) async fn show_sign_in(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    if visit.caller.is_some() && visit.problem.is_none() {
        return Ok(Answer::see_other(own_path(visit.query("next"))));
    }
    let words = &visit.language.words().sign_in;
    let next = if visit.form.is_empty() { visit.query("next") } else { visit.field("next") };
    page(&SignInPage {
        frame: visit.frame(&portal, words.title),
        words,
        next,
        email: visit.field("email"),
        can_register: portal.office.settings.people.registration,
        elsewhere: portal.has_single_sign_on.then(|| way_there(next)),
    })
}

async fn sign_in(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let come = portal.work(&visit, |work, visit| {
        let code = visit.field("code");
        let (address, peer) = (visit.context.address.to_string(), visit.context.peer.to_string());
        // A code of the second factor is six digits; what is longer is one for the day when the telephone is gone.
        let is_recovery = code.len() > 6;
        people::sign_in(
            work,
            &SignIn {
                email: visit.field("email"),
                password: visit.secret("password"),
                code: Some(code).filter(|code| !code.is_empty() && !is_recovery),
                recovery_code: Some(code).filter(|_| is_recovery),
                address: &address,
                peer: &peer,
                before: visit.session.as_ref().map(|token| token.as_str()),
            },
        )
    });
    let come = come.await?;
    // A new session, and with it new tokens for its forms: what was known before of this browser opens nothing.
    Ok(Answer::see_other(own_path(visit.field("next"))).with_cookie(cookie::secret(cookie::SESSION, &come.token)))
}

async fn sign_out(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    if let Some(session) = visit.session.as_deref().and_then(|token| people::session_of(token)) {
        portal
            .work(&visit, move |work, visit| match visit.actor().person() {
                Some(person) => people::end_session(work, person, session),
                None => Ok(()),
            })
            .await?;
    }
    Ok(Answer::see_other("/").with_cookie(cookie::forget(cookie::SESSION)))
}

#[derive(Template)]
#[template(path = "account/forgotten.html")]
struct ForgottenPage {
    frame: Frame,
    sent: bool,
}

async fn show_forgotten(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let title = visit.language.words().sign_in.forgotten;
    page(&ForgottenPage { frame: visit.frame(&portal, title), sent: !visit.query("sent").is_empty() })
}

async fn ask_for_reset(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal.work(&visit, |work, visit| people::ask_for_reset(work, visit.field("email"))).await?;
    Ok(Answer::see_other("/forgotten?sent=1"))
}

#[derive(Template)]
#[template(path = "account/password.html")]
struct PasswordPage<'a> {
    frame: Frame,
    lead: &'static str,
    action: &'static str,
    token: &'a str,
}

async fn show_invitation(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().sign_in;
    let (frame, lead) = (visit.frame(&portal, words.invitation), words.invitation_lead);
    page(&PasswordPage { frame, lead, action: "/invitation", token: visit.field("token") })
}

async fn accept_invitation(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let come = portal.work(&visit, |work, visit| {
        let address = visit.context.address.to_string();
        let before = visit.session.as_ref().map(|token| token.as_str());
        people::accept_invitation(work, visit.field("token"), visit.secret("password"), None, &address, before)
    });
    let come = come.await?;
    Ok(Answer::see_other("/").with_cookie(cookie::secret(cookie::SESSION, &come.token)))
}

async fn show_reset(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().sign_in;
    let (frame, lead) = (visit.frame(&portal, words.reset), words.reset_lead);
    page(&PasswordPage { frame, lead, action: "/reset", token: visit.field("token") })
}

async fn reset(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| people::complete_reset(work, visit.field("token"), visit.secret("password")))
        .await?;
    Ok(Answer::see_other("/sign-in"))
}

/// Where a form goes on to: a path of ours as it was given, or the start. Never another host, however it is spelt.
pub(super) fn own_path(wanted: &str) -> &str {
    let mut bytes = wanted.bytes();
    let is_own = bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { wanted } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_leads_to_another_host() {
        for own in ["/", "/build/apps", "/docs/errors?code=404.001.03"] {
            assert_eq!(own_path(own), own);
        }
        for foreign in [
            "",
            "build",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nb",
            "\\\\e",
        ] {
            assert_eq!(own_path(foreign), "/", "{foreign:?}");
        }
    }
}
