use std::ops::Range;

use crate::billing::CheckId;
use crate::line::{Msisdn, MsisdnError, NumberPlan};

/// So much may stand between two groups of digits of one number.
const GAP_CHARS_MAX: usize = 4;
/// A number is written in at most so many groups of digits.
const GROUPS_MAX: usize = 12;
/// Digits of an IMSI,
const IMSI_DIGITS: usize = 15;
/// and of a SIM's serial number.
const ICCID_DIGITS: [usize; 2] = [19, 20];
/// What is shown of the number of a SIM.
const SIM_DIGITS_SHOWN: usize = 3;
/// The zeros of scripts that people type numbers in, nine digits behind each.
const ZEROS: [char; 5] = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{ff10}'];

/// The text with every number of the plan in it masked, and every number of a SIM (IMSI, ICCID), in whatever form it is
/// written: what people write is kept for long, and nobody needs a number to find a request. Instants, amounts and
/// request ids stay.
pub fn mask_numbers(text: &str, plan: NumberPlan) -> String {
    masked(text, plan, true)
}

/// The text with every number of the plan in it masked, and no other: a bank's own references may have as many digits as
/// the number of a SIM, and are what it knows its rows by.
pub fn mask_msisdns(text: &str, plan: NumberPlan) -> String {
    masked(text, plan, false)
}

fn masked(text: &str, plan: NumberPlan, sims_too: bool) -> String {
    let seen = seen(text);
    let groups = groups(&seen, &ids(text));
    let mut masked = String::with_capacity(text.len());
    let (mut done, mut next) = (0, 0);
    while next < groups.len() {
        let last = (next + GROUPS_MAX).min(groups.len());
        // The longest that is one number: `0722 000 001` before `0722`.
        let found = (next..last).rev().find_map(|to| {
            let written = Written { seen: &seen, groups: &groups[next..=to] };
            written.masked(plan, sims_too).map(|(place, instead)| (place, instead, to))
        });
        let Some((place, instead, to)) = found else {
            next += 1;
            continue;
        };
        masked.push_str(&text[done..place.start]);
        masked.push_str(&instead);
        (done, next) = (place.end, to + 1);
    }
    masked.push_str(&text[done..]);
    masked
}

/// A character as it is meant, and where it stands in the text.
struct Seen {
    c: char,
    place: Range<usize>,
}

/// What can be seen of a text, with the digits of every script as ours.
fn seen(text: &str) -> Vec<Seen> {
    let seen = text.char_indices().filter_map(|(at, c)| Some(Seen { c: plain(c)?, place: at..at + c.len_utf8() }));
    seen.collect()
}

/// A character as it is meant: full-width forms are the plain ones, and what cannot be seen is not there.
fn plain(c: char) -> Option<char> {
    let digit = |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).and_then(|value| char::from_digit(value, 10));
    if let Some(digit) = ZEROS.iter().find_map(digit) {
        return Some(digit);
    }
    match c {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        c => Some(c),
    }
}

/// Where ids of requests stand.
fn ids(text: &str) -> Vec<Range<usize>> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let mut at = 0;
    let places = words.map(|word| {
        // What parts two words is one character of any length.
        let from = at + text[at..].find(word).unwrap_or(0);
        at = from + word.len();
        (word, from..at)
    });
    let is_id = |word: &str| CheckId::parse_request_ref(&word.to_ascii_lowercase()).is_ok();
    places.filter(|(word, _)| is_id(word)).map(|(_, place)| place).collect()
}

/// The groups of digits, without those that are part of an id.
fn groups(seen: &[Seen], ids: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (number, Seen { c, place }) in seen.iter().enumerate() {
        if !c.is_ascii_digit() || ids.iter().any(|id| id.contains(&place.start)) {
            continue;
        }
        match groups.last_mut().filter(|group| group.end == number) {
            Some(group) => group.end = number + 1,
            None => groups.push(number..number + 1),
        }
    }
    groups
}

/// Groups of digits, one after the other, that may be one number.
struct Written<'a> {
    seen: &'a [Seen],
    /// At least one.
    groups: &'a [Range<usize>],
}

impl Written<'_> {
    /// Where it stands and what is to stand there, where it is one number.
    fn masked(&self, plan: NumberPlan, sims_too: bool) -> Option<(Range<usize>, String)> {
        let (first, last) = (self.groups.first()?, self.groups.last()?);
        let is_international = first.start > 0 && self.seen[first.start - 1].c == '+';
        let (from, mut to) = (first.start - usize::from(is_international), last.end);
        if !self.is_joined() || self.is_dated() || !self.begins_alone(from) {
            return None;
        }
        let digits: String =
            self.groups.iter().flat_map(|group| &self.seen[group.clone()]).map(|seen| seen.c).collect();
        // The last digit of a SIM's serial number may be a filler.
        let is_filled = self.seen.get(to).is_some_and(|seen| matches!(seen.c, 'F' | 'f'));
        let is_of_sim = sims_too && self.is_of_sim(&digits, digits.len() + usize::from(is_filled), plan);
        to += usize::from(is_of_sim && is_filled);
        if !self.ends_alone(to) {
            return None;
        }
        let instead = if is_of_sim {
            let (shown, hidden) = digits.split_at_checked(SIM_DIGITS_SHOWN)?;
            format!("{shown}{}", "*".repeat(hidden.len()))
        } else {
            self.is_of_line(&digits, is_international, plan).then(|| number(&digits, plan)).flatten()?
        };
        Some((self.seen[from].place.start..self.seen[to - 1].place.end, instead))
    }

    /// What stands between the groups.
    fn gaps(&self) -> impl Iterator<Item = &[Seen]> {
        self.groups.windows(2).map(|pair| &self.seen[pair[0].end..pair[1].start])
    }

    /// Whether nothing but what parts groups stands between them. Behind one or two digits, dots and strokes part all of
    /// them or none: `0.5 12345678` is an amount before something else.
    fn is_joined(&self) -> bool {
        let is_gap = |gap: &[Seen]| (1..=GAP_CHARS_MAX).contains(&gap.len()) && gap.iter().all(|seen| parts(seen.c));
        let mut strict = self.gaps().map(|gap| sign(gap).filter(|c| is_strict(*c)));
        let first = strict.next().flatten();
        let is_long = self.groups.first().is_some_and(|group| group.len() >= 3);
        self.gaps().all(is_gap) && (is_long || strict.all(|other| other == first))
    }

    /// Whether three of the groups are a date.
    fn is_dated(&self) -> bool {
        let signs: Vec<Option<char>> = self.gaps().map(sign).collect();
        let is_other = |number: Option<usize>, sign| number.and_then(|number| signs.get(number)) != Some(&sign);
        self.groups.windows(3).enumerate().any(|(number, three)| {
            let sign = signs[number];
            let is_one = sign.is_some_and(|c| "-./".contains(c)) && signs[number + 1] == sign;
            is_one && is_other(number.checked_sub(1), sign) && is_other(Some(number + 2), sign) && self.is_date(three)
        })
    }

    fn is_date(&self, three: &[Range<usize>]) -> bool {
        let value = |group: &Range<usize>| {
            let digits = self.seen[group.clone()].iter().filter_map(|seen| seen.c.to_digit(10));
            if group.len() > 4 { u32::MAX } else { digits.fold(0, |value, digit| value * 10 + digit) }
        };
        let is_year = |group: &Range<usize>| group.len() == 4 && (1_900..2_100).contains(&value(group));
        let is_day = |one: &Range<usize>, other: &Range<usize>| {
            let (low, high) = (value(one).min(value(other)), value(one).max(value(other)));
            one.len() <= 2 && other.len() <= 2 && (1..=12).contains(&low) && high <= 31
        };
        match three {
            [first, second, third] if is_year(first) => is_day(second, third),
            [first, second, third] => (is_year(third) || third.len() == 2) && is_day(first, second),
            _ => false,
        }
    }

    /// Whether what is there begins no word's middle, and is not what a clock says after its colon.
    fn begins_alone(&self, from: usize) -> bool {
        let before = |back: usize| from.checked_sub(back).and_then(|at| self.seen.get(at)).map(|seen| seen.c);
        let is_of_clock = before(1) == Some(':')
            && before(2).is_some_and(|c| c.is_ascii_digit())
            && self.groups.first().is_some_and(|group| group.len() <= 2);
        !before(1).is_some_and(is_of_word) && !is_of_clock
    }

    fn ends_alone(&self, to: usize) -> bool {
        !self.seen.get(to).is_some_and(|seen| is_of_word(seen.c))
    }

    /// Whether it may be a number of the plan: without a zero or a country code before it, groups of one digit are a list,
    /// and short ones between dots an amount or a version.
    fn is_of_line(&self, digits: &str, is_international: bool, plan: NumberPlan) -> bool {
        let is_bare = u32::try_from(digits.len()) == Ok(plan.national_digits());
        let is_bare = is_bare && !is_international && !digits.starts_with('0');
        let is_strict = self.gaps().any(|gap| sign(gap).is_some_and(is_strict));
        let least = if is_strict { 3 } else { 2 };
        !is_bare || self.groups.len() == 1 || self.groups.iter().all(|group| group.len() >= least)
    }

    /// Whether it is a number of a SIM, of so many digits with a filler.
    fn is_of_sim(&self, digits: &str, length: usize, plan: NumberPlan) -> bool {
        let is_serial = ICCID_DIGITS.contains(&length) && digits.starts_with("89");
        if let [_] = self.groups {
            return digits.len() == IMSI_DIGITS || is_serial;
        }
        let least = self.groups.iter().map(Range::len).min().unwrap_or_default();
        let has_number = || {
            let text = |group: &Range<usize>| self.seen[group.clone()].iter().map(|seen| seen.c).collect::<String>();
            self.groups.iter().any(|group| plan.parse(&text(group)).is_ok())
        };
        let is_imsi =
            digits.len() == IMSI_DIGITS && self.groups.len() <= 5 && digits.starts_with(['2', '3', '4', '5', '6', '7']);
        least >= 2 && (is_imsi || is_serial) && !has_number()
    }
}

/// The number of the plan that was meant, masked.
fn number(digits: &str, plan: NumberPlan) -> Option<String> {
    let meant = match plan.parse(digits) {
        Ok(number) => Some(number),
        Err(MsisdnError::Malformed { suggestion }) => suggestion,
        Err(MsisdnError::Empty) => None,
    };
    meant.map(Msisdn::masked)
}

/// Whether it may stand between two groups of digits of one number.
fn parts(c: char) -> bool {
    let is_space = c.is_whitespace() && !c.is_control();
    is_space || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '(' | ')' | '[' | ']' | '_') || is_strict(c)
}

/// Whether amounts, dates and versions are parted by it as well.
fn is_strict(c: char) -> bool {
    matches!(c, '.' | '/' | '\\' | '\u{b7}')
}

/// The sign in a gap, where there is one beside its spaces.
fn sign(gap: &[Seen]) -> Option<char> {
    let mut signs = gap.iter().map(|seen| seen.c).filter(|c| !c.is_whitespace());
    signs.next().filter(|_| signs.next().is_none())
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_masked_in_every_form_and_nothing_else_is() {
        let plan = NumberPlan::KENYA;
        for number in [
            "254722000001",
            "+254722000001",
            "0722000001",
            "0722 000 001",
            "+254 (722) 000-001",
            "722000001",
            "0722.000.001",
            "0722/000/001",
            "0722_000_001",
            "0722\\000\\001",
            "0722\u{2013}000\u{2013}001",
            "0722 \u{2014} 000 \u{2014} 001",
            "0722 -- 000 -- 001",
            "0722\u{2011}000\u{2011}001",
            "0722\u{202f}000\u{202f}001",
            "0722\u{b7}000\u{b7}001",
            "07.22.00.00.01",
            "0722.000 001",
            "+254.722 000-001",
            "0 7 2 2 0 0 0 0 0 1",
            "722.000.001",
            "722/000/001",
            "254.722.000.001",
            "+254.722.000.001",
            "+254 (0) 722 000 001",
            "00254722000001",
            "00 254 722 000 001",
            "072\u{200b}2000\u{ad}001",
            "\u{ff10}\u{ff17}\u{ff12}\u{ff12}\u{ff10}\u{ff10}\u{ff10}\u{ff10}\u{ff10}\u{ff11}",
            "\u{ff0b}254\u{ff0d}722\u{ff0d}000\u{ff0d}001",
            "\u{660}\u{667}\u{662}\u{662}\u{660}\u{660}\u{660}\u{660}\u{660}\u{661}",
        ] {
            let masked = mask_numbers(&format!("Case 4: {number}, today {number}."), plan);
            assert_eq!(masked, "Case 4: 254******001, today 254******001.", "{number}");
        }
        for spaced in ["254722000001", "0722000001", "0722 000 001", "+254 (722) 000-001"] {
            let masked = mask_numbers(&format!("Case 4 {spaced} 17, at 10:00 {spaced}"), plan);
            assert_eq!(masked, "Case 4 254******001 17, at 10:00 254******001", "{spaced}");
        }
        assert_eq!(mask_numbers("0722000001, 0722000002", plan), "254******001, 254******002");
        assert_eq!(mask_numbers("0722000001 0722000002", plan), "254******001 254******002");
        assert_eq!(mask_numbers("2026-11-28 0722000001", plan), "2026-11-28 254******001");
    }

    #[test]
    fn references_of_as_many_digits_as_a_sim_has_can_stay() {
        let text = "100200300400500 0722000001 12345678901234567890 89254021064176235011";
        let masked = "100200300400500 254******001 12345678901234567890 89254021064176235011";
        assert_eq!(mask_msisdns(text, NumberPlan::KENYA), masked);
        assert_eq!(mask_numbers("12345678901234567890", NumberPlan::KENYA), "12345678901234567890");
    }

    #[test]
    fn numbers_of_sims_are_masked() {
        for (written, masked) in [
            ("IMSI 639021234567890.", "IMSI 639************."),
            ("IMSI:639021234567890", "IMSI:639************"),
            ("63902 1234567890", "639************"),
            ("639-02-1234567890", "639************"),
            ("639 021 234 567 890", "639************"),
            ("\u{ff16}\u{ff13}\u{ff19}021234567890", "639************"),
            ("SIM 8925402106417623501 of", "SIM 892**************** of"),
            ("89254021064176235011", "892*****************"),
            ("8925 4021 0641 7623 5011", "892*****************"),
            ("8925402106417623501F", "892****************"),
            ("8925 4021 0641 7623 501f.", "892****************."),
            ("0722000001 639021234567890", "254******001 639************"),
        ] {
            assert_eq!(mask_numbers(written, NumberPlan::KENYA), masked, "{written}");
        }
    }

    #[test]
    fn what_is_no_number_stays_readable() {
        for kept in [
            "at 2026-11-28 10:15 and 2026-11-28T10:15:00Z we paid KES 1,234,567.89",
            "request 971f-4359-b611-6845a1be45ef26453458 failed",
            "971f-4359-b611-6845a1be45ef280786",
            "971f-4359-b611-684501234567280786",
            "5d6e-4000-8000-00000000000126889020, 2547-4000-8001-000000000000280786",
            "971F-4359-B611-6845A1BE45EF280786 7",
            "key test0722000001abc",
            "",
            "error 500.003.1001 + 1, then 404.002.01 and 400.002.02",
            "\u{661}\u{662} naïve — 404.002.01",
            "01-02-2026 10:15, 01/02/2026 10, 01.02.2026 10, 28.11.2026 1, 2026/11/28 1",
            "from 2026-11-28 to 2026-11-29, 28/11/2026 - 29/11/2026",
            "KES 1.234.567,89 and 12 345 678.90 and 1 234 567,89 and 0.5 12345678",
            "10.20.30.40, 192.168.10.1, 198.51.100.17",
            "1 2 3 4 5 6 7 8 9",
            "the hash 9233817055099406 changed",
            "row\t1234\t56789",
            "line 12345678\n90123456",
        ] {
            assert_eq!(mask_numbers(kept, NumberPlan::KENYA), kept);
        }
    }

    proptest! {
        #[test]
        fn a_number_between_words_is_masked_and_no_text_breaks_it(
            before in "\\PC{0,40}", after in "[a-z ,:!?]{0,20}", number in 100_000_000u64..1_000_000_000
        ) {
            let masked = mask_numbers(&format!("{before}: {number}, {after}"), NumberPlan::KENYA);
            prop_assert!(!masked.contains(&format!(": {number}, ")), "{}", masked);
        }

        #[test]
        fn any_text_passes(text in "[0-9 .+/:()Ff\u{ff10}\u{200b}a-c-]{0,60}") {
            let digits = |text: &str| text.chars().filter_map(plain).filter(char::is_ascii_digit).count();
            for masked in [mask_numbers(&text, NumberPlan::KENYA), mask_msisdns(&text, NumberPlan::KENYA)] {
                prop_assert!(digits(&masked) <= digits(&text), "{masked}");
            }
        }
    }
}
