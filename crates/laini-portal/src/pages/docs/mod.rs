//! The documentation: the pages of the guide, the reference of the API, and what is found in both.
//!
//! Owns how they become pages. Must never say anything that the guide and the OpenAPI document do not.

mod diagram;
mod markdown;
mod own;
mod papers;
mod reference;
mod search;

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{AppStatus, Environment};
use laini_guide::{GUIDE, Group, Page as Document};
use laini_office::Problem;

use self::markdown::Rendered;
use self::own::Own;
pub(super) use self::own::{address, check_in_code};
use crate::answer::Answer;
use crate::code::CodeLanguage;
use crate::frame::{Frame, Link, LinkGroup};
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{DocsWords, Words};

pub(super) fn pages() -> Vec<Page> {
    let own = vec![
        Page::get("/docs", Access::Anyone, show_first),
        Page::get("/docs/{page}", Access::Anyone, show),
        Page::get("/docs/errors/{code}", Access::Anyone, show_error),
    ];
    [own, search::pages(), reference::pages(), papers::pages()].into_iter().flatten().collect()
}

#[derive(Template)]
#[template(path = "docs/guide.html")]
struct GuidePage {
    frame: Frame,
    words: &'static DocsWords,
    rendered: Rendered,
    /// In which code is shown, where it is shown in several, each with whether it was chosen.
    languages: Vec<(CodeLanguage, bool)>,
}

impl GuidePage {
    fn new(frame: Frame, visit: &Visit, text: &str, own: Own<'_>) -> Self {
        let words = &visit.language.words().documentation;
        let rendered = Rendered::of(text, own, words.diagram);
        let shown = CodeLanguage::ALL.into_iter().filter(|_| rendered.has_tabs);
        let languages = shown.map(|language| (language, visit.code == Some(language))).collect();
        Self { frame, words, rendered, languages }
    }
}

async fn show_first(_: Arc<Portal>, _: Arc<Visit>) -> Result<Answer, Problem> {
    Ok(Answer::see_other(GUIDE[0].href))
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let document = GUIDE.iter().find(|document| document.href == visit.path).ok_or(Problem::NotFound("page"))?;
    let key = match visit.actor().partner() {
        Some(partner) => portal.work(&visit, move |work, _| {
            let book = work.book()?;
            let mut own = book.apps.iter().filter(|app| app.partner == partner && app.status == AppStatus::Active);
            let sandbox = own.find(|app| app.environment == Environment::Sandbox);
            Ok(sandbox.map(|app| app.consumer_key.as_str().to_owned()))
        }),
        None => return show_document(&portal, &visit, document, None),
    };
    let key = key.await?;
    show_document(&portal, &visit, document, key.as_deref())
}

/// One code of the page of errors, by itself.
async fn show_error(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let code = visit.param("code").unwrap_or_default();
    let errors = laini_guide::page("errors").ok_or(Problem::NotFound("page"))?;
    let section = errors.text.split("\n## ").skip(1).find(|section| section.lines().next() == Some(code));
    let section = section.ok_or(Problem::NotFound("page"))?;
    show_text(&portal, &visit, (code, errors.href), &format!("# {section}"))
}

fn show_document(portal: &Portal, visit: &Visit, shown: &Document, key: Option<&str>) -> Result<Answer, Problem> {
    let frame = framed(portal, visit, shown.title, shown.href);
    page(&GuidePage::new(frame, visit, shown.text, Own::of(visit, address(portal).as_deref(), key)))
}

/// A page of this Markdown, listed as `href`.
fn show_text(portal: &Portal, visit: &Visit, (title, href): (&str, &str), text: &str) -> Result<Answer, Problem> {
    let frame = framed(portal, visit, title, href);
    page(&GuidePage::new(frame, visit, text, Own::of(visit, address(portal).as_deref(), None)))
}

/// What surrounds a page of the documentation: its rail lists all of them.
fn framed(portal: &Portal, visit: &Visit, title: &str, here: &str) -> Frame {
    Frame { rail: rail(here, visit.language.words()), ..visit.frame(portal, title) }
}

fn rail(here: &str, words: &'static Words) -> Vec<LinkGroup> {
    let link = |href, label| Link { href, label, is_here: href == here };
    let own = &words.documentation;
    let group = |(group, label): (Group, &'static str)| {
        let mut links: Vec<Link> = Vec::new();
        if group == Group::Reference {
            links.push(link(reference::PATH, own.reference));
        }
        let documents = GUIDE.iter().filter(|document| document.group == group);
        links.extend(documents.map(|document| link(document.href, document.title)));
        if group == Group::Reference {
            links.push(link(papers::CHANGELOG, own.changelog));
        }
        LinkGroup { label, links }
    };
    Group::ALL.into_iter().zip(own.groups).map(group).collect()
}

#[cfg(test)]
mod tests;
