//! The documentation: the files of docs/guide, as pages.
//!
//! Owns how Markdown becomes a page. Must never say anything that the guide does not.

mod guide;
mod markdown;

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{AppStatus, Environment};
use laini_office::Problem;

use self::guide::{GUIDE, Guide};
use self::markdown::Rendered;
use crate::answer::Answer;
use crate::frame::{Frame, Link, LinkGroup};
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::Words;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/docs", Access::Anyone, show_first),
        Page::get("/docs/{page}", Access::Anyone, show),
        Page::get("/docs/errors/{code}", Access::Anyone, show_error),
    ]
}

#[derive(Template)]
#[template(path = "docs/guide.html")]
struct GuidePage {
    frame: Frame,
    rendered: Rendered,
}

async fn show_first(_: Arc<Portal>, _: Arc<Visit>) -> Result<Answer, Problem> {
    Ok(Answer::see_other(GUIDE[0].href))
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let guide = GUIDE.iter().find(|guide| guide.href == visit.path).ok_or(Problem::NotFound("page"))?;
    let key = match visit.actor().partner() {
        Some(partner) => portal.work(&visit, move |work, _| {
            let book = work.book()?;
            let mut own = book.apps.iter().filter(|app| app.partner == partner && app.status == AppStatus::Active);
            let sandbox = own.find(|app| app.environment == Environment::Sandbox);
            Ok(sandbox.map(|app| app.consumer_key.as_str().to_owned()))
        }),
        None => return show_guide(&portal, &visit, guide, None),
    };
    let key = key.await?;
    show_guide(&portal, &visit, guide, key.as_deref())
}

/// One code of the page of errors, by itself.
async fn show_error(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let code = visit.param("code").unwrap_or_default();
    let errors = GUIDE.iter().find(|guide| guide.href == "/docs/errors").ok_or(Problem::NotFound("page"))?;
    let section = errors.text.split("\n## ").skip(1).find(|section| section.lines().next() == Some(code));
    let section = section.ok_or(Problem::NotFound("page"))?;
    let frame = Frame { rail: rail(errors, visit.language.words()), ..visit.frame(&portal, code) };
    page(&GuidePage { frame, rendered: Rendered::of(&format!("# {section}"), None) })
}

/// Every page of the guide.
fn rail(here: &Guide, words: &Words) -> Vec<LinkGroup> {
    let link = |other: &Guide| Link { href: other.href, label: other.title, is_here: other.href == here.href };
    vec![LinkGroup { label: words.docs, links: GUIDE.iter().map(link).collect() }]
}

fn show_guide(portal: &Portal, visit: &Visit, guide: &Guide, key: Option<&str>) -> Result<Answer, Problem> {
    let frame = Frame { rail: rail(guide, visit.language.words()), ..visit.frame(portal, guide.title) };
    page(&GuidePage { frame, rendered: Rendered::of(guide.text, key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_is_answered_has_a_page() {
        let source = include_str!("../../../../laini-wire/src/error.rs");
        let codes =
            source.lines().filter_map(|line| line.trim().strip_suffix("\";")?.rsplit_once('"')).map(|(_, code)| code);
        let codes: Vec<_> = codes.filter(|code| code.starts_with(|c: char| c.is_ascii_digit())).collect();
        assert!(codes.len() > 30, "{codes:?}");
        let errors = GUIDE.iter().find(|guide| guide.href == "/docs/errors").unwrap();
        for code in codes {
            assert!(errors.text.contains(&format!("\n## {code}\n")), "{code} has no page");
        }
    }
}
