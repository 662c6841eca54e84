//! Search over the guide and the reference.

use std::sync::{Arc, LazyLock};

use askama::Template;
use laini_guide::{Found, GUIDE, Index, passages};
use laini_office::Problem;

use super::{framed, reference};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{DocsWords, ENGLISH};

const PATH: &str = "/docs/search";
/// Passages that are shown.
const FOUND_MAX: usize = 20;

/// The guide and the reference, both of which are written in English.
static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let reference = reference::passages(ENGLISH.documentation.reference);
    Index::of(GUIDE.iter().flat_map(passages).chain(reference).collect())
});

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get(PATH, Access::Anyone, show)]
}

#[derive(Template)]
#[template(path = "docs/search.html")]
struct SearchPage {
    frame: Frame,
    words: &'static DocsWords,
    query: String,
    found: Vec<Found<'static>>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().documentation;
    let query = visit.query("q").trim().to_owned();
    let found = INDEX.search(&query, FOUND_MAX);
    page(&SearchPage { frame: framed(&portal, &visit, words.search_title, PATH), words, query, found })
}
