use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

use crate::kiswahili::meaning;

static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// Words that say nothing of what is asked.
const SILENT: &str = " a about actually after again all also am an and any anybody anyone anything are as asked at be \
    became because become been before being but by can could did do does doing done each else for from get gets give given go goes \
    had happen happens has have he help her here him his how however i if in into is it its just kind know laini let \
    like long make makes many may me mean means might much must my need needs no not of off often on once one only or other our \
    out over please same say says shall she should show shown so some somebody somehow something soon still such take tell \
    than that the their them then there these they thing things this those through to too under until up upon us use \
    used using very via want was way we were what whats when where whether which while who whom whose why will with \
    within without would wrong yes yet you your ";

/// What people say, and what the guide says instead. One word each; of the guide's, several.
const SAME: &[(&str, &[&str])] = &[
    ("access", &["token"]),
    ("afford", &["price"]),
    ("async", &["asynchronous", "delivered"]),
    ("back", &["backup"]),
    ("batch", &["hundred"]),
    ("bill", &["invoice"]),
    ("billed", &["charged"]),
    ("browser", &["portal"]),
    ("bulk", &["numbers", "batch"]),
    ("callback", &["delivery", "delivered", "result"]),
    ("certificates", &["certificate"]),
    ("cheap", &["price"]),
    ("colleague", &["member", "people"]),
    ("complaint", &["dispute"]),
    ("consumer", &["key", "secret"]),
    ("contract", &["agreement"]),
    ("cost", &["price", "charge", "charged"]),
    ("costs", &["price", "charge", "charged"]),
    ("credential", &["key", "secret"]),
    ("database", &["store", "postgresql"]),
    ("deactivated", &["terminated"]),
    ("delete", &["forgotten", "erase", "remove"]),
    ("dollar", &["kes"]),
    ("expensive", &["price"]),
    ("fee", &["price", "charge"]),
    ("firewall", &["addresses"]),
    ("free", &["charged"]),
    ("hash", &["hashed", "pseudonym"]),
    ("install", &["running"]),
    ("invite", &["invitation"]),
    ("ip", &["addresses"]),
    ("laptop", &["machine"]),
    ("launch", &["live", "production"]),
    ("limited", &["limit"]),
    ("login", &["sign"]),
    ("logs", &["log"]),
    ("mfa", &["second", "factor"]),
    ("money", &["price", "charge"]),
    ("monitor", &["metrics"]),
    ("monitoring", &["metrics"]),
    ("msisdn", &["number"]),
    ("otp", &["second", "factor", "code"]),
    ("owe", &["invoice"]),
    ("pay", &["payment", "price"]),
    ("phone", &["number"]),
    ("plan", &["price"]),
    ("postgres", &["postgresql"]),
    ("pricing", &["price"]),
    ("prometheus", &["metrics"]),
    ("quota", &["limit"]),
    ("rate", &["limit"]),
    ("refund", &["credit", "dispute"]),
    ("regenerate", &["rotate"]),
    ("replace", &["rotate", "replacement"]),
    ("replay", &["repeat"]),
    ("restrict", &["alone", "limit"]),
    ("retry", &["repeat", "attempt"]),
    ("roll", &["rotate"]),
    ("sandbox", &["testing"]),
    ("sign", &["signature"]),
    ("sso", &["single", "identity"]),
    ("stolen", &["swap"]),
    ("swapped", &["swap"]),
    ("swaps", &["swap"]),
    ("throttle", &["limit"]),
    ("throttled", &["limit"]),
    ("timeout", &["slow"]),
    ("twice", &["second"]),
    ("valid", &["good", "hour"]),
    ("vat", &["tax"]),
    ("verify", &["signature"]),
    ("webhook", &["delivery", "delivered", "result"]),
    ("webhooks", &["delivery", "delivered", "result"]),
];

/// The terms of a text, in its order: stems of its words, and codes and dates whole.
pub(crate) fn terms(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in words_of(text) {
        if is_code(word) {
            found.push(word.to_owned());
            continue;
        }
        let before = found.len();
        for part in word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
            let lower = part.to_lowercase();
            let pieces = pieces(part);
            if !is_silent(&lower) {
                found.push(stem(&lower));
            }
            if pieces.len() > 1 {
                found.extend(pieces.iter().filter(|piece| !is_silent(piece)).map(|piece| stem(piece)));
            }
        }
        // A name of which each part says nothing is said whole: Laini-As-Of.
        if found.len() == before && word.contains('-') {
            found.push(word.to_lowercase());
        }
    }
    found
}

/// What a question asks for: for each of its words, the terms that stand for it, best first. What is said in Kiswahili
/// is asked for in the English of the guide.
pub(crate) fn asked(question: &str) -> Vec<Vec<String>> {
    let mut asked = Vec::new();
    for word in words_of(question) {
        match meaning(&word.to_lowercase()) {
            Some([]) => {}
            Some(meant) => asked.push(meant.iter().map(|word| stem(word)).collect()),
            None => asked.extend(terms(word).into_iter().map(|term| {
                let same = same(&term);
                std::iter::once(term).chain(same).collect()
            })),
        }
    }
    asked
}

/// The words of a text, without what stands around them.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "/,;:!?()[]{}\"'`*|<>=".contains(c));
    words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
}

/// What stands for a term in the guide besides itself.
fn same(term: &str) -> Vec<String> {
    let of = SAME.iter().filter(|(said, _)| stem(said) == term);
    of.flat_map(|(_, meant)| meant.iter().map(|word| stem(word))).collect()
}

/// Whether a word is a code of an error, a date or a number of a version: never taken apart.
fn is_code(word: &str) -> bool {
    let is_digits_and = |c: char| word.contains(c) && word.chars().all(|one| one.is_ascii_digit() || one == c);
    is_digits_and('.') || is_digits_and('-')
}

fn is_silent(lower: &str) -> bool {
    lower.len() < 2 || SILENT.contains(&format!(" {lower} "))
}

fn stem(lower: &str) -> String {
    STEMMER.stem(lower).into_owned()
}

/// The words that a name is made of: `customerNumber` is a customer's number.
fn pieces(name: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            pieces.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let Some(piece) = pieces.last_mut() {
            piece.extend(c.to_lowercase());
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_terms() {
        for (text, expected) in [
            ("What does a repeat cost?", "repeat cost"),
            ("customerNumber", "customernumb custom number"),
            ("error 503.002.02!", "error 503.002.02"),
            ("`01-01-1900`", "01-01-1900"),
            ("Idempotency-Key", "idempot key"),
            ("Laini-As-Of", "laini-as-of"),
            ("the swapped SIM's", "swap sim"),
        ] {
            assert_eq!(terms(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_people_say_is_listed_once_in_order() {
        let said: Vec<_> = SAME.iter().map(|(said, _)| *said).collect();
        assert!(said.is_sorted_by(|one, next| one < next), "{said:?}");
    }
}
