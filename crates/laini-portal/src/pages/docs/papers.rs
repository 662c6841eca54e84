//! Papers beside the guide: what changed, the terms, the privacy notice.

use std::fmt::Write as _;
use std::sync::Arc;

use laini_office::Problem;
use laini_office::going_live::terms;

use super::show_text;
use crate::answer::Answer;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::Visit;

pub(super) const CHANGELOG: &str = "/changelog";
const TERMS: &str = "/terms";
const PRIVACY: &str = "/privacy";

/// What changed, as the repository tells it.
const CHANGES: &str = include_str!("../../../../../CHANGELOG.md");
/// The terms of these pages, where the operator has none of its own.
const OUR_TERMS: &str = include_str!("../../../assets/terms.md");
/// The privacy notice of these pages, where the operator has none of its own.
const OUR_PRIVACY: &str = include_str!("../../../assets/privacy-notice.md");

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(CHANGELOG, Access::Anyone, show_changelog),
        Page::get(TERMS, Access::Anyone, show_terms),
        Page::get(PRIVACY, Access::Anyone, show_privacy),
    ]
}

async fn show_changelog(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    show_text(&portal, &visit, (visit.language.words().documentation.changelog, CHANGELOG), CHANGES)
}

/// The operator's terms of use, and those that a partner accepts by version and digest before it goes live.
async fn show_terms(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().documentation;
    let (own, in_force) = (portal.papers.terms.as_deref().unwrap_or(OUR_TERMS), terms());
    let digest = in_force.digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    // Its first line is its title, which stands above it here.
    let text = in_force.text.split_once('\n').map_or(in_force.text, |(_, rest)| rest);
    let (title, version, number) = (words.terms_in_force, words.version, in_force.version);
    let text = format!("{own}\n\n## {title}\n\n{version} {number} · SHA-256 `{digest}`\n\n{text}");
    show_text(&portal, &visit, (words.terms, TERMS), &text)
}

async fn show_privacy(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let own = portal.papers.privacy.as_deref().unwrap_or(OUR_PRIVACY);
    show_text(&portal, &visit, (visit.language.words().documentation.privacy, PRIVACY), own)
}
