use std::collections::HashSet;
use std::sync::LazyLock;

use crate::page::GUIDE;

/// So many digits in a row, whatever stands between them, are a number of somebody's.
const DIGITS_MIN: usize = 6;
/// So much that is no letter may stand between two digits of one number.
const GAP_CHARS_MAX: usize = 8;
/// A word of letters and digits that is so long is a secret,
const MIXED_CHARS_MIN: usize = 8;
/// and so is any word of this length that the guide does not have.
const OPAQUE_CHARS_MIN: usize = 24;
/// So many spelled-out digits in a row are a number; with written ones among them, [`DIGITS_MIN`] are.
const SPELLED_MIN: usize = 5;

const NUMBER: &str = "[number]";
const SECRET: &str = "[secret]";
const ADDRESS: &str = "[address]";
const ID: &str = "[id]";

/// What a secret follows.
const CUES: &str = " password passphrase passcode pin otp secret token key bearer basic authorization nenosiri siri ";
/// What may stand between the two.
const LINKS: &str = " is was are ni reads says ";
/// How far a secret may stand behind what announces it, in words and what stands between them.
const CUE_TOKENS_MAX: usize = 4;
const SPELLED: &str = " zero oh one two three four five six seven eight nine double triple sifuri moja mbili tatu nne tano \
    sita saba nane tisa ";

/// Words that the guide has itself, in lower case: they are no secrets.
static KNOWN: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let words = GUIDE.iter().flat_map(|page| tokens(page.text)).filter(|token| is_word(token));
    words.map(|word| bare(word).to_lowercase()).collect()
});

/// A question without what could be somebody's: numbers of lines, SIMs and cards, ids, addresses, secrets, keys, tokens
/// and whatever looks like one. Rather too much is taken out than too little. Names of people stay: nobody can know
/// them from other words.
pub fn redact(text: &str) -> String {
    let plain: String = text.chars().filter_map(plain).collect();
    let without_blocks = without_pem(&plain);
    let tokens = tokens(&without_blocks);
    let mut said = String::with_capacity(text.len());
    let mut place = 0;
    while place < tokens.len() {
        let spelled = spelled(&tokens[place..]);
        if spelled > 0 {
            said += NUMBER;
            place += spelled;
            continue;
        }
        let token = tokens[place];
        said += match is_word(token).then(|| secret_in(token, &tokens[..place])).flatten() {
            Some(instead) => instead,
            None => token,
        };
        place += 1;
    }
    without_numbers(&said)
}

/// What of a question is about the product: without what is somebody's, and without a mark where that stood.
pub(crate) fn about(text: &str) -> String {
    [NUMBER, SECRET, ADDRESS, ID].iter().fold(redact(text), |text, mark| text.replace(mark, " "))
}

/// A character as it is meant: full-width forms are the plain ones, and what cannot be seen is not there.
fn plain(c: char) -> Option<char> {
    match c {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        c if c.is_control() && !c.is_whitespace() => None,
        c => Some(c),
    }
}

/// Keys and certificates in their armour.
fn without_pem(text: &str) -> String {
    let (mut rest, mut said) = (text, String::with_capacity(text.len()));
    while let Some(begin) = rest.find("-----BEGIN") {
        said += &rest[..begin];
        said += SECRET;
        let Some(end) = rest[begin..].find("-----END").map(|end| begin + end + "-----END".len()) else { return said };
        let closed = rest[end..].find("-----").map_or(rest.len(), |more| end + more + "-----".len());
        rest = &rest[closed..];
    }
    said + rest
}

/// Words, and what stands between them, in their order.
fn tokens(text: &str) -> Vec<&str> {
    let is_between = |c: char| c.is_whitespace() || "{}[]()<>\"'`,;:=&|".contains(c);
    let (mut tokens, mut begin, mut was_between) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        // An address of the web is one word, whatever stands in it.
        let is_in_url = was_between == Some(false) && text[begin..at].contains("://") && !c.is_whitespace();
        let begins_url = c == ':' && text[at..].starts_with("://");
        let now = is_between(c) && !is_in_url && !begins_url;
        if was_between.is_some_and(|was| was != now) {
            tokens.push(&text[begin..at]);
            begin = at;
        }
        was_between = Some(now);
    }
    if begin < text.len() {
        tokens.push(&text[begin..]);
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.chars().any(char::is_alphanumeric)
}

/// A word without what a sentence puts around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| ".!?*…".contains(c))
}

fn among(words: &str, word: &str) -> bool {
    words.contains(&format!(" {word} "))
}

/// What stands in place of a word that is not to be told.
fn secret_in(word: &str, before: &[&str]) -> Option<&'static str> {
    let bare = bare(word);
    let is_known = KNOWN.contains(&bare.to_lowercase());
    if bare.contains('@') && bare.len() > 1 {
        return Some(ADDRESS);
    }
    if is_id(bare) {
        return Some(ID);
    }
    match cue(before) {
        Cue::Certain => return Some(SECRET),
        Cue::Likely if !is_plain(bare, is_known) => return Some(SECRET),
        Cue::Likely | Cue::None => {}
    }
    if is_known || is_date(bare) {
        return None;
    }
    let (letters, digits) = (bare.chars().any(char::is_alphabetic), bare.chars().any(char::is_numeric));
    let chars = bare.chars().count();
    let is_mixed = letters && digits && chars >= MIXED_CHARS_MIN;
    let is_url = bare.contains("://") || bare.starts_with("www.");
    let changes = bare.chars().zip(bare.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase()).count();
    let is_camel = chars >= MIXED_CHARS_MIN && changes >= 3;
    if is_url {
        return Some(ADDRESS);
    }
    let is_opaque = letters && chars >= OPAQUE_CHARS_MIN;
    let is_prefixed = ["laini_", "sk-", "sk_", "pk_", "whsec_", "eyJ"].iter().any(|prefix| bare.starts_with(prefix));
    (is_mixed || is_camel || is_opaque || is_prefixed).then_some(SECRET)
}

/// Whether a word behind a cue is none of a secret's: one of the guide's without digits, or one of its codes.
fn is_plain(bare: &str, is_known: bool) -> bool {
    let has_digits = bare.chars().any(char::is_numeric);
    among(LINKS, &bare.to_lowercase()) || is_of_guide(bare) || (is_known && !has_digits)
}

enum Cue {
    /// `password: …`
    Certain,
    /// `the password is …`
    Likely,
    None,
}

/// Whether what came before announces a secret.
fn cue(before: &[&str]) -> Cue {
    let mut is_certain = false;
    for token in before.iter().rev().map(|token| token.trim()).filter(|token| !token.is_empty()).take(CUE_TOKENS_MAX) {
        let lower = token.to_lowercase();
        if !is_word(token) {
            if !token.chars().all(|c| "\"'`:= ".contains(c)) {
                return Cue::None;
            }
            is_certain |= token.contains([':', '=']);
        } else if !among(LINKS, &lower) {
            return match (is_cue(&lower), is_certain) {
                (true, true) => Cue::Certain,
                (true, false) => Cue::Likely,
                (false, _) => Cue::None,
            };
        }
    }
    Cue::None
}

/// Whether a word names a secret: of client_secret, access-token and consumerKey, the last part says what it is.
fn is_cue(lower: &str) -> bool {
    let end = lower.rsplit(['_', '-', '.', '?', '/']).next().unwrap_or_default();
    among(CUES, end) || end.ends_with("key") || CUES.split_whitespace().any(|cue| cue.len() > 3 && end.ends_with(cue))
}

/// A check's id, or another word of hexadecimal digits and dashes.
fn is_id(word: &str) -> bool {
    let is_hex = word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    is_hex && word.len() >= 16 && word.contains('-') && word.chars().any(|c| c.is_ascii_alphabetic())
}

/// A date alone, day first or year first.
fn is_date(word: &str) -> bool {
    let parts: Vec<Option<u32>> = word.split('-').map(|part| part.parse().ok()).collect();
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    match (parts.as_slice(), lengths.as_slice()) {
        ([Some(day), Some(month), Some(year)], [2, 2, 4]) | ([Some(year), Some(month), Some(day)], [4, 2, 2]) => {
            (1..=31).contains(day) && (1..=12).contains(month) && (1_900..2_100).contains(year)
        }
        _ => false,
    }
}

/// How many tokens from the first on spell out a number, with written digits among the words or without.
fn spelled(tokens: &[&str]) -> usize {
    if !tokens.first().is_some_and(|token| is_word(token)) {
        return 0;
    }
    let (mut spelled, mut written, mut end) = (0, 0, 0);
    for (place, token) in tokens.iter().enumerate() {
        if !is_word(token) {
            continue;
        }
        let Some((words, digits)) = said_digits(token) else { break };
        (spelled, written, end) = (spelled + words, written + digits, place + 1);
    }
    let least = if written == 0 { SPELLED_MIN } else { DIGITS_MIN };
    if spelled > 0 && spelled + written >= least { end } else { 0 }
}

/// How many digits a word spells and how many it writes; `None` = it says something else. A code of the guide does.
fn said_digits(word: &str) -> Option<(usize, usize)> {
    if is_of_guide(bare(word)) {
        return None;
    }
    let (mut spelled, mut written) = (0, 0);
    for part in word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        let lower = part.to_lowercase();
        if part.chars().all(char::is_numeric) {
            written += part.chars().count();
        } else if lower == "triple" {
            spelled += 2;
        } else if among(SPELLED, &lower) {
            spelled += 1;
        } else {
            return None;
        }
    }
    Some((spelled, written))
}

/// Without digits that are as many as a number has. Codes and dates of the guide stay, where they stand alone.
fn without_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut said, mut at) = (String::with_capacity(text.len()), 0);
    while at < chars.len() {
        if !chars[at].is_numeric() {
            said.push(chars[at]);
            at += 1;
            continue;
        }
        let (end, digits) = run(&chars[at..]);
        let run: String = chars[at..at + end].iter().collect();
        let stays = digits < DIGITS_MIN || run.split(' ').all(is_of_guide);
        said += if stays { &run } else { NUMBER };
        at += end;
    }
    said
}

/// Where a row of digits ends, and how many there are.
fn run(chars: &[char]) -> (usize, usize) {
    let (mut end, mut digits, mut gap) = (0, 0, 0);
    for (place, c) in chars.iter().enumerate() {
        if c.is_numeric() {
            (end, digits, gap) = (place + 1, digits + 1, 0);
        } else if c.is_alphabetic() || *c == '[' || *c == ']' || gap == GAP_CHARS_MAX {
            break;
        } else {
            gap += 1;
        }
    }
    (end, digits)
}

fn is_of_guide(word: &str) -> bool {
    is_date(word) || (word.contains('.') && KNOWN.contains(word))
}

#[cfg(test)]
mod tests;
