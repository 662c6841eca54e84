use super::{Checkout, TextFile};

const LINES_AT_MOST: usize = 500;
const TEST_LINES_AT_MOST: usize = 800;
/// A name that says nothing gathers everything.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "manager", "types", "misc"];

/// Fields of bodies that hold what somebody proves themselves with.
const SECRET_FIELDS: &[&str] = &[
    "access_token",
    "codes",
    "consumer_secret",
    "factor_code",
    "new_password",
    "nonce",
    "password",
    "recovery_code",
    "secret",
    "sign_on",
    "signing_secret",
    "token",
];

/// Rust files, scripts, templates, styles and statements are short enough to be read in one go.
pub(super) fn length(checkout: &Checkout) -> Vec<String> {
    let code = checkout.files.iter().filter(|file| !file.is("md") && !file.is("toml"));
    code.filter_map(|file| {
        let (lines, limit) = (file.text.lines().count(), limit(&file.path));
        (lines > limit).then(|| format!("{}: {lines} lines, {limit} at most: split it by what it owns", file.path))
    })
    .collect()
}

fn limit(path: &str) -> usize {
    let is_test = path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("tests.rs");
    if is_test { TEST_LINES_AT_MOST } else { LINES_AT_MOST }
}

/// A folder is a noun, a file is one type or one verb.
pub(super) fn names(checkout: &Checkout) -> Vec<String> {
    let says_nothing = |path: &str| {
        path.split('/').any(|part| EMPTY_NAMES.contains(&part.split_once('.').map_or(part, |(stem, _)| stem)))
    };
    let rust = checkout.rust().filter(|file| says_nothing(&file.path));
    rust.map(|file| format!("{}: name it after what it owns", file.path)).collect()
}

/// Each folder opens with what it owns and what it must never do.
pub(super) fn module_docs(checkout: &Checkout) -> Vec<String> {
    let roots = checkout
        .rust()
        .filter(|file| ["mod.rs", "lib.rs", "main.rs"].contains(&file.path.rsplit('/').next().unwrap_or_default()));
    roots
        .filter_map(|file| {
            let opening: String = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
            let lacks = if opening.is_empty() {
                "a first line '//!'"
            } else if is_library_folder(&file.path) && !says_its_limits(&opening) {
                "'Owns …' and 'Must never …' in its opening"
            } else {
                return None;
            };
            Some(format!("{}: lacks {lacks}", file.path))
        })
        .collect()
}

/// Test folders and small programs need only say what they are.
fn is_library_folder(path: &str) -> bool {
    path.starts_with("crates/") && !path.contains("/tests/") && !path.ends_with("main.rs")
}

fn says_its_limits(opening: &str) -> bool {
    opening.to_lowercase().contains("owns") && opening.to_lowercase().contains("must never")
}

/// What is not finished is not committed.
pub(super) fn unfinished(checkout: &Checkout) -> Vec<String> {
    // Written in two halves, so that this file does not break its own rule.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("unimple", "mented!(")];
    let found_in = |file: &TextFile| -> Vec<String> {
        let lines = file.text.lines().enumerate();
        let marked = lines.filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
        marked.map(|(index, _)| format!("{}:{}: finish it, or leave it out", file.path, index + 1)).collect()
    };
    checkout.files.iter().flat_map(found_in).collect()
}

/// A body that holds a secret cannot be printed by accident.
pub(super) fn secrets_are_not_printed(checkout: &Checkout) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in checkout.rust().filter(|file| file.path.starts_with("crates/laini-wire/src/")) {
        let mut is_printed = false;
        for (index, line) in file.text.lines().enumerate() {
            if let Some(derived) = line.strip_prefix("#[derive(") {
                is_printed = derived.contains("Debug");
            }
            let field = line.strip_prefix("    pub ").and_then(|field| field.split_once(':'));
            if is_printed && field.is_some_and(|(name, _)| SECRET_FIELDS.contains(&name)) {
                breaches.push(format!("{}:{}: its struct must not derive Debug", file.path, index + 1));
            }
        }
    }
    breaches
}
