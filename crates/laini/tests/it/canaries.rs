//! What must never be printed, and the search for it.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

/// Digits of a national number; with or without what stands before it, it names a subscriber.
const NATIONAL_DIGITS: usize = 9;
const IMSI_DIGITS: usize = 15;
/// Words that introduce a credential.
const HEADERS: [&str; 3] = ["authorization", "bearer ", "basic "];

/// Subscribers' numbers, IMSIs, secrets and tokens that a test has used. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Canaries(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    nationals: HashSet<String>,
    imsis: HashSet<String>,
    words: BTreeSet<String>,
}

impl Canaries {
    /// A subscriber's number in any form that ends in its national digits.
    pub(crate) fn number(&self, number: &str) {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        if let Some(from) = digits.len().checked_sub(NATIONAL_DIGITS) {
            self.0.lock().unwrap().nationals.insert(digits[from..].to_owned());
        }
    }

    /// An IMSI.
    pub(crate) fn imsi(&self, imsi: &str) {
        self.0.lock().unwrap().imsis.insert(imsi.to_owned());
    }

    /// A secret, a token, or any other text that must not be seen.
    pub(crate) fn word(&self, word: &str) {
        assert!(word.len() >= 8, "too short to be told from other text");
        self.0.lock().unwrap().words.insert(word.to_owned());
    }

    /// The secrets and tokens so far.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0.lock().unwrap().words.iter().cloned().collect()
    }

    /// The IMSIs so far.
    pub(crate) fn imsis(&self) -> Vec<String> {
        self.0.lock().unwrap().imsis.iter().cloned().collect()
    }

    /// The first place in `text` where one of them stands: its line, and what was found there.
    pub(crate) fn find(&self, text: &str) -> Option<String> {
        let watched = self.0.lock().unwrap();
        text.lines().enumerate().find_map(|(line, content)| {
            let kind = watched.found_in(content)?;
            Some(format!("line {}: {kind}: {content}", line + 1))
        })
    }
}

impl Watched {
    fn found_in(&self, line: &str) -> Option<&'static str> {
        let lower = line.to_ascii_lowercase();
        if HEADERS.iter().any(|header| lower.contains(header)) {
            return Some("a credential's header");
        }
        if self.words.iter().any(|word| line.contains(word.as_str())) {
            return Some("a secret or token");
        }
        // A check's id ends in decimal digits of its own: they are no number.
        let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| !is_request_ref(word));
        for run in words.flat_map(|word| word.split(|c: char| !c.is_ascii_digit())) {
            if windows(run, IMSI_DIGITS).any(|window| self.imsis.contains(window)) {
                return Some("an IMSI");
            }
            if windows(run, NATIONAL_DIGITS).any(|window| self.nationals.contains(window)) {
                return Some("a subscriber's number");
            }
        }
        None
    }
}

fn windows(digits: &str, length: usize) -> impl Iterator<Item = &str> {
    (length..=digits.len()).map(move |end| &digits[end - length..end])
}

/// Whether a word has the shape of a requestRefID.
fn is_request_ref(word: &str) -> bool {
    let groups: Vec<&str> = word.split('-').collect();
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    matches!(groups[..], [a, b, c, d] if a.len() == 4 && b.len() == 4 && c.len() == 4
        && b.starts_with('4') && (18..=21).contains(&d.len()) && groups.iter().all(|group| is_hex(group)))
}

#[test]
fn canaries_are_found_in_every_form_and_ids_are_not() {
    let canaries = Canaries::default();
    canaries.number("254722000001");
    canaries.imsi("639021581515286");
    canaries.word("HwSE1QUkFFs04rKl");
    for seen in [
        "number=254722000001",
        "GET /x?n=0722000001",
        "+254722000001",
        "imsi 639021581515286.",
        "\"HwSE1QUkFFs04rKl\"",
        "AUTHORIZATION: x",
        "sent Basic abc",
    ] {
        assert!(canaries.find(&format!("first\n{seen}\n")).is_some_and(|found| found.starts_with("line 2")), "{seen}");
    }
    for unseen in
        ["request=1a2b-4c3d-8e9f-0123456789ab722000001", "answered in 722000 micros", "2026-11-22T15:38:49.722000Z", ""]
    {
        assert_eq!(canaries.find(unseen), None, "{unseen}");
    }
}
