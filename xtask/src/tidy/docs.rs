use std::collections::BTreeSet;

use super::Checkout;

/// `docs/decisions/0001-title.md`, `0002-…`: no number twice, none left out.
pub(super) fn decisions_are_numbered(checkout: &Checkout) -> Vec<String> {
    let names = checkout.paths.iter().filter_map(|path| path.strip_prefix("docs/decisions/"));
    let mut breaches = Vec::new();
    let mut expected = 1;
    for name in names.filter(|name| !name.starts_with("README")) {
        let number = name.split_once('-').filter(|(digits, _)| digits.len() == 4);
        match number.and_then(|(digits, _)| digits.parse::<u32>().ok()) {
            Some(number) if number == expected => expected += 1,
            Some(number) => {
                breaches.push(format!("docs/decisions/{name}: its number should be {expected:04}"));
                expected = number + 1;
            }
            None => breaches.push(format!("docs/decisions/{name}: must be called NNNN-title.md")),
        }
    }
    breaches
}

/// Every relative link of a Markdown file leads to a file or folder of the checkout, and to a heading
/// where it names one.
pub(super) fn links_resolve(checkout: &Checkout) -> Vec<String> {
    let known: BTreeSet<&str> = checkout.paths.iter().flat_map(|path| with_folders(path)).collect();
    let pages = checkout.files.iter().filter(|file| file.is("md"));
    let mut breaches = Vec::new();
    for page in pages {
        for link in links(&page.text).filter(|link| is_relative(link)) {
            let (path, heading) = link.split_once('#').map_or((link, None), |(path, heading)| (path, Some(heading)));
            let target = if path.is_empty() { page.path.clone() } else { resolved(&page.path, path) };
            if !known.contains(target.as_str()) {
                breaches.push(format!("{}: '{link}' leads to nothing", page.path));
            } else if let (Some(heading), Some(there)) =
                (heading, checkout.files.iter().find(|file| file.path == target && file.is("md")))
                && !headings(&there.text).any(|known| known == heading)
            {
                breaches.push(format!("{}: {target} has no heading '#{heading}'", page.path));
            }
        }
    }
    breaches
}

/// The file itself and every folder above it.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain([path])
}

/// The targets of `[text](target)` outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| {
        let parts = line.split("](").skip(1);
        parts.filter_map(|part| part.split_once(')').map(|(target, _)| target.trim()))
    })
}

/// The lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

fn is_relative(link: &str) -> bool {
    !link.contains("://") && !link.starts_with("mailto:") && !link.is_empty()
}

/// `path` as seen from the folder of `page`.
fn resolved(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors that a page's headings make: lower case, words joined by hyphens, other marks left out.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles.map(|title| {
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    })
}
