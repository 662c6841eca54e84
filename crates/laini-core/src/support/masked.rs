use crate::line::NumberPlan;

/// What may stand between the digits of a number that people write; two of them at once at most.
const BETWEEN: [char; 5] = [' ', '\u{a0}', '-', '(', ')'];
/// A number is written in at most so many groups of digits.
const GROUPS_MAX: usize = 8;

/// The text with every number of the plan in it masked, in whatever form it is written: what people write is kept for
/// long, and nobody needs a number to find a request. Instants, amounts and request ids stay.
pub fn mask_numbers(text: &str, plan: NumberPlan) -> String {
    let groups = groups(text);
    let mut masked = String::with_capacity(text.len());
    let (mut done, mut next) = (0, 0);
    while let Some((start, _)) = groups.get(next) {
        let last = (next + GROUPS_MAX).min(groups.len());
        // The longest that is one number: `0722 000 001` before `0722`.
        let found = (next..last).rev().find_map(|to| {
            let end = groups[to].1;
            let is_one = is_joined(text, &groups[next..=to]) && stands_alone(text, *start, end);
            let digits: String = text[*start..end].chars().filter(|c| !BETWEEN.contains(c)).collect();
            plan.parse(&digits).ok().filter(|_| is_one).map(|number| (number, to, end))
        });
        let Some((number, to, end)) = found else {
            next += 1;
            continue;
        };
        masked.push_str(&text[done..*start]);
        masked.push_str(&number.masked());
        (done, next) = (end, to + 1);
    }
    masked.push_str(&text[done..]);
    masked
}

/// Where each group of digits begins and ends; a plus sign before it is part of it.
fn groups(text: &str) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let mut plus = None;
    for (at, c) in text.char_indices() {
        if c.is_ascii_digit() {
            match groups.last_mut().filter(|(_, end)| *end == at) {
                Some((_, end)) => *end = at + 1,
                None => groups.push((plus.filter(|plus| plus + 1 == at).unwrap_or(at), at + 1)),
            }
        }
        if c == '+' {
            plus = Some(at);
        }
    }
    groups
}

/// Whether nothing but separators stands between groups, two of them at most.
fn is_joined(text: &str, groups: &[(usize, usize)]) -> bool {
    groups.windows(2).all(|pair| {
        let between = &text[pair[0].1..pair[1].0];
        (1..=2).contains(&between.chars().count()) && between.chars().all(|c| BETWEEN.contains(&c))
    })
}

/// Whether what is there is no part of a word.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let is_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(is_of_a_word) && !after.is_some_and(is_of_a_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_masked_in_every_form_and_nothing_else_is() {
        let plan = NumberPlan::KENYA;
        for number in ["254722000001", "+254722000001", "0722000001", "0722 000 001", "+254 (722) 000-001", "722000001"]
        {
            let masked = mask_numbers(&format!("Case 4 {number} 17, today {number}."), plan);
            assert_eq!(masked, "Case 4 254******001 17, today 254******001.", "{number}");
        }
        for kept in [
            "at 2026-11-28 10:15 and 2026-11-28T10:15:00Z we paid KES 1,234,567.89",
            "request 971f-4359-b611-6845a1be45ef26453458 failed",
            "971f-4359-b611-684501234567280786",
            "key test0722000001abc",
            "",
            "error 500.003.1001 + 1",
            "\u{661}\u{662} naïve — 404.002.01",
        ] {
            assert_eq!(mask_numbers(kept, plan), kept);
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
    }
}
