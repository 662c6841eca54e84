use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use bm25::{Document, SearchEngine, SearchEngineBuilder, Tokenizer};

use crate::page::GUIDE;
use crate::passage::{Passage, passages};
use crate::redact::about;
use crate::words::{asked, terms};

/// The longest question; what is longer is cut.
pub const QUESTION_CHARS_MAX: usize = 1_000;
/// Terms of a question that are looked at.
const TERMS_MAX: usize = 40;
/// How often the words of a heading count.
const HEADING_WEIGHT: usize = 3;
/// What a term counts that a passage has in another word.
const OTHER_WORD: f32 = 0.85;
/// What it adds to a passage that its headings say all that is asked.
const HEADED: f32 = 1.5;
/// Passages that are looked at closely.
const NEAR_MAX: usize = 12;
/// A question is answered where one passage covers this share of what is asked, each term weighing the more the fewer
/// passages have it. Found with the questions of `tests/questions.rs`.
const COVERED_MIN: f32 = 0.62;
/// Of an answer, what covers less than this share of the best passage is left out.
const BESIDE_MIN: f32 = 0.7;
/// The longest quotation, in characters; a block alone may be longer.
const QUOTE_CHARS_MAX: usize = 420;

/// The page that has a section for each error.
const ERRORS: &str = "/docs/errors#";

static OF_GUIDE: LazyLock<Index> = LazyLock::new(|| Index::of(GUIDE.iter().flat_map(passages).collect()));

/// What is found in the guide for `query`, best first; at most `limit`.
pub fn search(query: &str, limit: usize) -> Vec<Found<'static>> {
    OF_GUIDE.search(query, limit)
}

/// The passages of the guide that answer `question`, best first, at most `limit`; none where the guide does not know.
pub fn answer(question: &str, limit: usize) -> Vec<Found<'static>> {
    OF_GUIDE.answer(question, limit)
}

/// What the page of an error says, whole; `None` = the code has none.
pub fn error_passage(code: &str) -> Option<&'static Passage> {
    let is_it = |passage: &&Passage| passage.heading == code && passage.href.starts_with(ERRORS);
    OF_GUIDE.passages.iter().find(is_it)
}

/// A passage that was found.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// All of it.
    pub passage: &'a Passage,
    /// What of it is about the question.
    pub quote: String,
    /// How much of the question it covers, 0 to 1.
    pub covered: f32,
}

/// Passages in which is searched: all in memory, made in a tenth of a second.
pub struct Index {
    passages: Vec<Passage>,
    /// Of each passage, its terms.
    terms: Vec<HashSet<String>>,
    /// Of each passage, the terms of its headings.
    headings: Vec<HashSet<String>>,
    /// How many passages have a term.
    frequency: HashMap<String, usize>,
    engine: SearchEngine<usize, u32, Apart>,
}

/// Terms with blanks between.
struct Apart;

impl Tokenizer for Apart {
    fn tokenize(&self, input_text: &str) -> Vec<String> {
        input_text.split(' ').filter(|term| !term.is_empty()).map(str::to_owned).collect()
    }
}

/// A term of a question: itself, what else stands for it, and what it weighs.
struct Asked {
    words: Vec<String>,
    weight: f32,
}

impl Index {
    /// An index of these.
    pub fn of(passages: Vec<Passage>) -> Self {
        let texts: Vec<Vec<String>> = passages.iter().map(text_of).collect();
        let headings = passages.iter().map(|passage| headings_of(passage).into_iter().collect()).collect();
        let sets: Vec<HashSet<String>> = texts.iter().map(|terms| terms.iter().cloned().collect()).collect();
        let mut frequency = HashMap::new();
        for term in sets.iter().flatten() {
            *frequency.entry(term.clone()).or_insert(0) += 1;
        }
        let documents = texts.iter().enumerate().map(|(place, terms)| Document::new(place, terms.join(" ")));
        let documents: Vec<_> = documents.collect();
        let engine = SearchEngineBuilder::<usize, u32, Apart>::with_tokenizer_and_documents(Apart, documents).build();
        Self { passages, terms: sets, headings, frequency, engine }
    }

    /// What is found for `query`, best first; at most `limit`.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Found<'_>> {
        let asked = self.asked(query);
        let mut near = self.near(&asked, limit.max(NEAR_MAX));
        near.truncate(limit);
        near
    }

    /// The passages that answer `question`, best first, at most `limit`; none where too little of it is covered.
    pub fn answer(&self, question: &str, limit: usize) -> Vec<Found<'_>> {
        let asked = self.asked(question);
        let mut near = self.near(&asked, NEAR_MAX);
        let best = near.iter().map(|found| found.covered).fold(0.0, f32::max);
        if best < COVERED_MIN {
            return Vec::new();
        }
        near.retain(|found| found.covered >= best * BESIDE_MIN);
        near.truncate(limit);
        near
    }

    fn asked(&self, question: &str) -> Vec<Asked> {
        let question: String = question.chars().take(QUESTION_CHARS_MAX).collect();
        let mut seen = HashSet::new();
        let asked = asked(&about(&question)).into_iter().filter(|words| seen.insert(words[0].clone())).take(TERMS_MAX);
        asked
            .map(|words| {
                let having = words.iter().filter_map(|word| self.frequency.get(word)).max().copied().unwrap_or(0);
                Asked { words, weight: self.weight(having) }
            })
            .collect()
    }

    /// What a term weighs that so many passages have.
    #[expect(clippy::cast_precision_loss, reason = "passages are counted in hundreds")]
    fn weight(&self, having: usize) -> f32 {
        ((self.passages.len() as f32 + 1.0) / (having as f32 + 0.5)).ln().max(0.1)
    }

    /// The nearest passages, each with how much of the question it covers.
    fn near(&self, asked: &[Asked], limit: usize) -> Vec<Found<'_>> {
        let total: f32 = asked.iter().map(|term| term.weight).sum();
        // Each word once: what stands for several terms would count several times.
        let mut seen = HashSet::new();
        let words = asked.iter().flat_map(|term| term.words.iter().map(String::as_str));
        let query: Vec<&str> = words.filter(|word| seen.insert(*word)).collect();
        let mut ranked = self.engine.search(&query.join(" "), None);
        // What is as near as another comes in the order of the guide.
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.document.id.cmp(&b.document.id)));
        let mut near: Vec<_> = ranked
            .iter()
            .take(limit)
            .map(|result| {
                let place = result.document.id;
                let (passage, covered) = (&self.passages[place], weight_in(asked, &self.terms[place]) / total);
                // What its heading is about, a passage is about.
                let headed = 1.0 + HEADED * weight_in(asked, &self.headings[place]) / total;
                (result.score * covered * headed, Found { passage, quote: quote(passage, asked), covered })
            })
            .collect();
        near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        near.into_iter().map(|(_, found)| found).collect()
    }
}

/// What the terms weigh together that are among `words`; one that is there in another word weighs a little less.
fn weight_in(asked: &[Asked], words: &HashSet<String>) -> f32 {
    let share = |term: &Asked| match term.words.iter().position(|word| words.contains(word)) {
        Some(0) => term.weight,
        Some(_) => term.weight * OTHER_WORD,
        None => 0.0,
    };
    asked.iter().map(share).sum()
}

fn headings_of(passage: &Passage) -> Vec<String> {
    terms(&format!("{} {}", passage.page, passage.heading))
}

/// The terms of a passage, those of its headings several times.
fn text_of(passage: &Passage) -> Vec<String> {
    let headings = headings_of(passage);
    let times = HEADING_WEIGHT * headings.len();
    headings.into_iter().cycle().take(times).chain(passage.blocks.iter().flat_map(|block| terms(block))).collect()
}

/// The block of a passage that is most about what is asked, and what follows as far as there is room.
fn quote(passage: &Passage, asked: &[Asked]) -> String {
    let weight = |block: &String| weight_in(asked, &terms(block).into_iter().collect());
    let weights: Vec<f32> = passage.blocks.iter().map(weight).collect();
    let best = weights.iter().copied().fold(0.0, f32::max);
    let first = weights.iter().position(|weight| *weight >= best).unwrap_or(0);
    let mut quote = String::new();
    for block in &passage.blocks[first..] {
        if !quote.is_empty() && quote.chars().count() + block.chars().count() > QUOTE_CHARS_MAX {
            break;
        }
        quote += if quote.is_empty() { "" } else { "\n" };
        quote += block;
    }
    quote
}
