use askama::Template;
use laini_core::partner::{DocumentFormat, Environment};
use laini_office::{Problem, Unproven};

use crate::assets::{HTMX, ICON, SCRIPT, STYLE};
use crate::language::Language;
use crate::pages::rail;
use crate::portal::Portal;
use crate::visit::Visit;
use crate::words::Words;

/// What surrounds every page.
pub(crate) struct Frame {
    pub(crate) title: String,
    /// The operator's name.
    pub(crate) operator: String,
    pub(crate) language: Language,
    pub(crate) words: &'static Words,
    /// The word of a chosen theme; empty where the browser decides.
    pub(crate) theme: &'static str,
    pub(crate) path: String,
    /// `sandbox` or `production`, where a page is about one of them.
    pub(crate) mode: Option<&'static str>,
    pub(crate) csrf: String,
    pub(crate) who: Option<Who>,
    /// The id of their partner, for what is asked by API; empty where they are no member of one.
    pub(crate) partner: String,
    /// The pages of their workspace.
    pub(crate) rail: Vec<LinkGroup>,
    /// Why the form was refused.
    pub(crate) problem: Option<String>,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    pub(crate) htmx: &'static str,
    pub(crate) icon: &'static str,
}

/// Who signed in, as the bar shows them.
pub(crate) struct Who {
    pub(crate) name: String,
    /// Their partner, or the operator.
    pub(crate) of: String,
    pub(crate) role: &'static str,
}

/// Entries of the rail that belong together.
pub(crate) struct LinkGroup {
    pub(crate) label: &'static str,
    pub(crate) links: Vec<Link>,
}

/// An entry of the rail.
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    /// Whether this page is there, or below it.
    pub(crate) is_here: bool,
}

impl Frame {
    pub(crate) fn new(visit: &Visit, portal: &Portal, title: String) -> Self {
        let words = visit.language.words();
        let operator = portal.office.settings.operator.clone();
        let who = visit.caller.as_ref().map(|caller| Who {
            name: caller.name.clone(),
            of: caller.partner.as_ref().map_or_else(|| operator.clone(), |(_, name)| name.clone()),
            role: caller.role,
        });
        Self {
            title,
            operator,
            language: visit.language,
            words,
            theme: visit.theme.map_or("", |theme| theme.word()),
            path: visit.path.clone(),
            mode: None,
            csrf: visit.csrf.clone(),
            who,
            partner: visit.actor().partner().map(|partner| partner.to_string()).unwrap_or_default(),
            rail: rail(visit),
            problem: visit.problem.as_ref().map(|problem| told(problem, words)),
            style: &STYLE.path,
            script: &SCRIPT.path,
            htmx: &HTMX.path,
            icon: &ICON.path,
        }
    }
}

/// What stands above every page's own part. A template of its own, so that it is compiled once and not for each page.
#[derive(Template)]
#[template(path = "parts/frame_top.html")]
pub(crate) struct Top<'a> {
    frame: &'a Frame,
}

/// What stands below it.
#[derive(Template)]
#[template(path = "parts/frame_end.html")]
pub(crate) struct End<'a> {
    frame: &'a Frame,
}

impl Frame {
    /// What stands above the page's own part.
    pub(crate) fn top(&self) -> Top<'_> {
        Top { frame: self }
    }

    /// What stands below it.
    pub(crate) fn end(&self) -> End<'_> {
        End { frame: self }
    }

    /// With the mode that the page is about, for the bar; `None` = of no one.
    pub(crate) fn about(self, environment: impl Into<Option<Environment>>) -> Self {
        Self { mode: environment.into().map(Environment::word), ..self }
    }
}

/// What is said of a form that was refused.
pub(crate) fn told(problem: &Problem, words: &'static Words) -> String {
    match problem {
        Problem::Store(_) => words.unavailable_reason.to_owned(),
        Problem::Unproven(Unproven::Wrong) => words.sign_in.wrong.to_owned(),
        Problem::Unproven(Unproven::CodeNeeded) => words.sign_in.code_needed.to_owned(),
        Problem::Unproven(Unproven::CodeWrong) => words.sign_in.code_wrong.to_owned(),
        Problem::TooLarge { limit_bytes } if *limit_bytes >= DocumentFormat::BYTES_MAX as u64 => {
            words.organisation.too_large.to_owned()
        }
        Problem::Invalid { field, reason } => {
            format!("{}: {}", (words.refusal)((*field).to_owned()), (words.refusal)(reason.to_string()))
        }
        other => (words.refusal)(other.to_string()),
    }
}
