//! What the product refuses with, in Kiswahili.
//!
//! Owns the catalogue: the sentences of the rules, by their English. Must never lose what differs in one (a number, a
//! name), or lack a sentence that a rule of the office or the portal names in its refusal.

const CATALOGUE: &str = include_str!("refusals.txt");
/// How far what differs is looked up itself: what is open of a list, one after the other, and a word in that.
const DEPTH: usize = 5;

/// What is said in English, in Kiswahili; as it is, where the catalogue has nothing like it.
pub(super) fn in_kiswahili(english: String) -> String {
    said(&english, DEPTH).unwrap_or(english)
}

fn said(english: &str, depth: usize) -> Option<String> {
    let fits = lines().filter_map(|(from, to)| Some((to, differing(from, english)?)));
    let (to, differs) = fits.min_by_key(|(_, differs)| differs.iter().map(|one| one.len()).sum::<usize>())?;
    let mut told = String::new();
    let mut differs = differs.into_iter();
    for (place, part) in to.split("{}").enumerate() {
        if place > 0 {
            let one = differs.next().unwrap_or_default();
            let known = depth.checked_sub(1).and_then(|left| said(one, left));
            told.push_str(known.as_deref().unwrap_or(one));
        }
        told.push_str(part);
    }
    Some(told)
}

/// The sentences: English and Kiswahili.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    CATALOGUE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" => "))
}

/// What stands where a sentence has `{}`; `None` = it is another sentence.
fn differing<'a>(sentence: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = sentence.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut differs = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let (one, after) = if is_last { (rest.strip_suffix(part)?, "") } else { rest.split_once(part)? };
        if one.is_empty() {
            return None;
        }
        differs.push(one);
        rest = after;
    }
    rest.is_empty().then_some(differs)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn what_differs_is_kept_and_looked_up_itself() {
        for (english, expected) in [
            ("expected 1 to 500 characters in one line", "zinatarajiwa herufi 1 hadi 500 kwenye mstari mmoja"),
            ("there is no such ticket", "hakipo: ombi la msaada"),
            ("expected 14 to 90", "inatarajiwa 14 hadi 90"),
            ("it cannot go live: there is no agreement", "haiwezi kuanza uzalishaji: hakuna mkataba"),
            ("the operator has signed already", "mtandao ametia saini tayari"),
            ("it was not finished within 20 hours", "halikukamilika ndani ya saa 20"),
            ("choose a file", "chagua faili"),
            (
                "the checklist is not done: the terms in force were not accepted; read and accept them; no scripted run \
                 was passed; begin one with a sandbox app, and name it",
                "orodha haijakamilika: masharti yanayotumika hayajakubaliwa; yasome na uyakubali; hakuna jaribio \
                 lililopangwa lililofaulu; anza moja kwa programu ya majaribio, na ulitaje",
            ),
            (
                "the request is awaiting approval, so it cannot be submitted",
                "hali ya ombi: linasubiri idhini; kwa hiyo haliwezekani kwake: kuwasilishwa",
            ),
        ] {
            assert_eq!(in_kiswahili(english.to_owned()), expected);
        }
        let unknown = "a sentence of somebody else's program";
        assert_eq!(in_kiswahili(unknown.to_owned()), unknown);
    }

    #[test]
    fn each_sentence_stands_once_and_loses_nothing() {
        let mut seen = std::collections::BTreeSet::new();
        for (english, kiswahili) in lines() {
            assert!(seen.insert(english), "{english}: it is there twice");
            assert!(!kiswahili.is_empty(), "{english}: nothing is said");
            let places = |text: &str| text.matches("{}").count();
            assert_eq!(places(english), places(kiswahili), "{english}: what differs is lost");
        }
        let told = CATALOGUE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(told, seen.len(), "each line is a sentence");
    }

    #[test]
    fn whatever_a_rule_refuses_with_is_in_the_catalogue() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let sources = ["laini-office/src", "laini-portal/src", "laini-server/src/delivery", "laini-core/src/delivery"];
        let sources = sources.map(|source| crates.join(source));
        let files: Vec<PathBuf> = sources.iter().flat_map(|root| sources_under(root)).collect();
        let sentences: Vec<String> =
            files.iter().flat_map(|file| refusals(&fs::read_to_string(file).unwrap())).collect();
        assert!(sentences.len() > 200, "the rules are found: {}", sentences.len());
        let missing: Vec<&String> = sentences.iter().filter(|sentence| said(sentence, DEPTH).is_none()).collect();
        assert!(missing.is_empty(), "write what these are in Kiswahili into refusals.txt: {missing:#?}");
    }

    fn sources_under(root: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(sources_under(&path));
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.push(path);
            }
        }
        found
    }

    /// The sentences that a source refuses with, where it names them right there, those of the office's own errors, and
    /// why a delivery did not arrive; `{}` for what differs.
    fn refusals(source: &str) -> Vec<String> {
        let rules = source.split("#[cfg(test)]").next().unwrap_or_default();
        let of = |call: &str, skips_field: bool| -> Vec<String> {
            let told = rules.split(call).skip(1).filter_map(|after| {
                let after = if skips_field { after.split_once(',')?.1 } else { after };
                let after = after.trim_start();
                let after = after.strip_prefix("format!(").unwrap_or(after).trim_start();
                Some(literal(after.strip_prefix('"')?))
            });
            told.collect()
        };
        let calls = [("Problem::invalid(", true), ("Problem::not_now(", false), ("Problem::Taken(", false)];
        let mut told: Vec<String> = calls.into_iter().flat_map(|(call, skips_field)| of(call, skips_field)).collect();
        told.extend([".ok_or(", "Ending::Failed(", "Ending::Hopeless("].into_iter().flat_map(|call| of(call, false)));
        // What is placeholders alone is told by something else.
        told.extend(of("#[error(", false).into_iter().filter(|sentence| sentence != "{}" && sentence != "{}: {}"));
        told
    }

    /// The text of a literal up to its end; `{}` for whatever stands in braces.
    fn literal(after: &str) -> String {
        let (mut told, mut depth) = (String::new(), 0);
        let mut chars = after.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => told.extend(chars.next().filter(|c| *c != '\n')),
                '{' => {
                    told.push_str("{}");
                    depth += 1;
                }
                '}' => depth -= 1,
                c if depth == 0 => told.push(c),
                _ => {}
            }
        }
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
