use super::{Checkout, text};

/// The lists that this rule holds; cargo-deny, where someone has it, reads the same file.
const LISTS: &str = "deny.toml";
pub(super) const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Every crate of the lock file has a licence that may be shipped, comes from the registry, and is
/// not banned.
pub(super) fn allowed(checkout: &Checkout) -> Vec<String> {
    let Some(lists) = checkout.files.iter().find(|file| file.path == LISTS) else {
        return vec![format!("{LISTS} is missing")];
    };
    let licences = quoted_in(&lists.text, "allow = [");
    let banned = quoted_in(&lists.text, "deny = [");
    let mut breaches = Vec::new();
    for package in checkout.packages.iter().filter(|package| !package["source"].is_null()) {
        let (name, licence) = (text(package, "name"), text(package, "license"));
        if !satisfied(licence, &licences) {
            breaches.push(format!("{name}: the licence '{licence}' is not in {LISTS}"));
        }
        if text(package, "source") != REGISTRY {
            breaches.push(format!("{name}: comes from elsewhere than the registry"));
        }
        if banned.contains(&name) {
            breaches.push(format!("{name}: banned in {LISTS}, which says why"));
        }
    }
    breaches
}

/// The first quoted text of each line of the list that opens with `opening`.
fn quoted_in<'a>(text: &'a str, opening: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| *line != opening).skip(1);
    let entries = lines.take_while(|line| !line.starts_with(']')).filter(|line| !line.trim_start().starts_with('#'));
    entries.filter_map(|line| line.split('"').nth(1)).collect()
}

/// Whether an SPDX expression can be met with the allowed licences. `OR` binds looser than `AND`; an
/// old `A/B` means `A OR B`.
fn satisfied(expression: &str, allowed: &[&str]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (holds, rest) = any_of(&words, allowed);
    holds && rest.is_empty()
}

fn any_of<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = all_of(words, allowed);
    while let ["OR", after @ ..] = rest {
        let (one, left) = all_of(after, allowed);
        (holds, rest) = (holds || one, left);
    }
    (holds, rest)
}

fn all_of<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = one_of(words, allowed);
    while let ["AND", after @ ..] = rest {
        let (one, left) = one_of(after, allowed);
        (holds, rest) = (holds && one, left);
    }
    (holds, rest)
}

fn one_of<'a>(words: &'a [&'a str], allowed: &[&str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inner @ ..] => {
            let (holds, rest) = any_of(inner, allowed);
            (holds, rest.strip_prefix(&[")"]).unwrap_or(rest))
        }
        [licence, "WITH", exception, rest @ ..] => {
            (allowed.contains(&format!("{licence} WITH {exception}").as_str()), rest)
        }
        [licence, rest @ ..] => (allowed.contains(licence), rest),
        [] => (false, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"];
        for met in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "MIT AND (Apache-2.0 OR (GPL-3.0 AND ISC))",
        ] {
            assert!(satisfied(met, &allowed), "{met}");
        }
        for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0 WITH other", "(MIT OR ISC) AND GPL-3.0", "MIT ISC"]
        {
            assert!(!satisfied(unmet, &allowed), "{unmet}");
        }
    }
}
