use std::sync::{Mutex, PoisonError};

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use laini_core::partner::PartnerId;
use laini_office::{Actor, Cursor, PageRequest, Problem, Work};
use laini_server::http::Context;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::code::CodeLanguage;
use crate::coming::Coming;
use crate::frame::{Frame, told};
use crate::language::Language;
use crate::portal::Portal;
use crate::status::status_of;
use crate::upload::Upload;

/// One request of a browser, and who looks.
pub(crate) struct Visit {
    /// When, and from where.
    pub(crate) context: Context,
    /// The path that was asked for.
    pub(crate) path: String,
    /// The parts of the path that have a name.
    pub(crate) params: Vec<(String, String)>,
    /// What stands behind the question mark.
    pub(crate) query: Vec<(String, String)>,
    /// The fields of the form that was sent.
    pub(crate) form: Vec<(String, String)>,
    /// The file that came with it.
    pub(crate) file: Option<Upload>,
    /// The file that is still coming with it, until somebody takes it.
    pub(crate) coming: Mutex<Option<Coming>>,
    /// Who signed in; `None` = nobody.
    pub(crate) caller: Option<Caller>,
    /// The token of their session.
    pub(crate) session: Option<Zeroizing<String>>,
    /// A sign-on that the browser began, and a code that goes along.
    pub(crate) sign_on: Option<Zeroizing<String>>,
    pub(crate) factor_code: Option<Zeroizing<String>>,
    /// The page that they wanted before they went to sign in elsewhere; empty = none.
    pub(crate) next_after_sign_on: String,
    /// In which language.
    pub(crate) language: Language,
    /// Light or dark, where that was chosen.
    pub(crate) theme: Option<Theme>,
    /// In which language they read examples, where that was chosen.
    pub(crate) code: Option<CodeLanguage>,
    /// What their forms carry.
    pub(crate) csrf: String,
    /// Whether only the part that changes is wanted (htmx).
    pub(crate) is_part: bool,
    /// Why the form was refused that is shown again.
    pub(crate) problem: Option<Problem>,
}

/// Who signed in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) name: String,
    pub(crate) role: &'static str,
    /// The partner whose member they are, and its name; `None` = the operator's staff.
    pub(crate) partner: Option<(PartnerId, String)>,
}

/// How bright pages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.word() == word)
    }
}

impl Visit {
    /// Who does what is done.
    pub(crate) fn actor(&self) -> Actor {
        self.caller.as_ref().map_or(Actor::Stranger, |caller| caller.actor.clone())
    }

    /// The partner that the page is about: the one in the path, or else the member's own. Another's is not there.
    pub(crate) fn partner(&self) -> Result<PartnerId, Problem> {
        let own = self.actor().partner();
        let named =
            self.param("partner").map(PartnerId::parse).transpose().map_err(|_| Problem::NotFound("partner"))?;
        match (own, named) {
            (Some(own), Some(named)) if own != named => Err(Problem::NotFound("partner")),
            (_, Some(named)) => Ok(named),
            (own, None) => own.ok_or(Problem::NotFound("partner")),
        }
    }

    /// A part of the path, as an id; a text that is none names nothing.
    pub(crate) fn id<T, E>(&self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Problem> {
        parse(self.param(name).unwrap_or_default()).map_err(|_| Problem::NotFound(name))
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        of(&self.params, name)
    }

    /// A value behind the question mark; empty where there is none.
    pub(crate) fn query(&self, name: &str) -> &str {
        of(&self.query, name).unwrap_or_default()
    }

    /// The page with its filters.
    pub(crate) fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        let query = query.finish();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }

    /// The page of a list that is asked for.
    pub(crate) fn asked_page(&self) -> Result<PageRequest, Problem> {
        let after = Some(self.query("after")).filter(|after| !after.is_empty()).map(Cursor::parse).transpose()?;
        Ok(PageRequest { after, ..PageRequest::FIRST })
    }

    /// A field of the form, without the blanks around it; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> &str {
        of(&self.form, name).unwrap_or_default().trim()
    }

    /// The file that is still coming.
    pub(crate) fn take_coming(&self) -> Option<Coming> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A field as it was typed, blanks and all.
    pub(crate) fn secret(&self, name: &str) -> &str {
        of(&self.form, name).unwrap_or_default()
    }

    /// All values of a field that may come several times.
    pub(crate) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.form.iter().filter(move |(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// What surrounds a page.
    pub(crate) fn frame(&self, portal: &Portal, title: impl Into<String>) -> Frame {
        Frame::new(self, portal, title.into())
    }

    /// The same visit, with the reason why its form was refused.
    pub(crate) fn refused(&self, problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            path: self.path.clone(),
            params: self.params.clone(),
            query: self.query.clone(),
            form: self.form.clone(),
            file: None,
            coming: Mutex::default(),
            caller: self.caller.clone(),
            session: self.session.clone(),
            sign_on: self.sign_on.clone(),
            factor_code: self.factor_code.clone(),
            next_after_sign_on: self.next_after_sign_on.clone(),
            csrf: self.csrf.clone(),
            ..*self
        }
    }

    /// On to another page: the whole of it, where a part was asked for.
    pub(crate) fn elsewhere(&self, path: String) -> Answer {
        if self.is_part { Answer::page_elsewhere(path) } else { Answer::see_other(path) }
    }

    /// A part of a page that says why there is none.
    pub(crate) fn alert(&self, problem: &Problem) -> Answer {
        log(problem);
        let reason = told(problem, self.language.words());
        page(&Alert { reason }).unwrap_or_else(|_| Answer::html(String::new())).with_status(status_of(problem))
    }

    /// A page that says why there is none.
    pub(crate) fn sorry(&self, portal: &Portal, problem: &Problem) -> Answer {
        log(problem);
        let words = self.language.words();
        let status = status_of(problem);
        let (title, reason) = match status {
            StatusCode::NOT_FOUND => (words.not_found, words.not_found_reason.to_owned()),
            StatusCode::FORBIDDEN => (words.forbidden, told(problem, words)),
            StatusCode::SERVICE_UNAVAILABLE => (words.unavailable, words.unavailable_reason.to_owned()),
            _ => (words.refused, told(problem, words)),
        };
        let frame = Frame { problem: None, ..self.frame(portal, title) };
        let reference = self.context.id.request_ref();
        page(&Sorry { frame, reason, reference }).unwrap_or_else(|_| Answer::html(title.to_owned())).with_status(status)
    }
}

#[derive(Template)]
#[template(path = "alert.html")]
struct Alert {
    reason: String,
}

#[derive(Template)]
#[template(path = "sorry.html")]
struct Sorry {
    frame: Frame,
    reason: String,
    reference: String,
}

/// A template as an answer.
pub(crate) fn page(template: &impl Template) -> Result<Answer, Problem> {
    template.render().map(Answer::html).map_err(|error| Problem::Store(format!("a template failed: {error}")))
}

/// What went wrong here is for the operator's log: whoever looks is told that it did, and no more.
fn log(problem: &Problem) {
    if let Problem::Store(error) = problem {
        tracing::error!(error, "a page could not be made");
    }
}

/// Whether htmx asks, and for less than the whole page.
pub(crate) fn is_part(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request") && !headers.contains_key("hx-history-restore-request")
}

fn of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
}

/// A function that does a page's work in the office.
pub(crate) trait Does<T>: Fn(&mut Work<'_>, &Visit) -> Result<T, Problem> + Send + 'static {}
impl<T, F: Fn(&mut Work<'_>, &Visit) -> Result<T, Problem> + Send + 'static> Does<T> for F {}
