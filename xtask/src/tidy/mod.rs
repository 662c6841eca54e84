//! The house rules that a compiler does not hold: edges between crates, sizes, names, links, licences.
//!
//! Owns the rules as pure functions over a [`Checkout`]; a rule returns one line per breach, which
//! names the file and what to do. Must never change a file.

mod docs;
mod edges;
mod licences;
mod source;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell;

/// `git ls-files` and `cargo metadata` are quick once the dependencies are downloaded.
const LIST_LIMIT_MINUTES: u32 = 20;
/// What tidy reads; everything else is data.
const TEXT_EXTENSIONS: &[&str] = &["rs", "md", "toml", "py", "js", "mjs", "css", "html", "sql", "lua", "sh"];

/// What the rules look at.
pub(crate) struct Checkout {
    /// The path of every file, from the root, in order.
    pub(crate) paths: Vec<String>,
    /// The files that are text.
    pub(crate) files: Vec<TextFile>,
    /// What `cargo metadata` says of every package.
    pub(crate) packages: Vec<Value>,
}

/// One file of text.
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

struct Rule {
    name: &'static str,
    breaches: fn(&Checkout) -> Vec<String>,
}

const RULES: &[Rule] = &[
    Rule { name: "edges between crates", breaches: edges::between_crates },
    Rule { name: "the core is pure", breaches: edges::core_is_pure },
    Rule { name: "one file names the engine", breaches: edges::engine_is_named_once },
    Rule { name: "pages see little of the server", breaches: edges::pages_see_little_of_the_server },
    Rule { name: "manifests inherit", breaches: edges::manifests_inherit },
    Rule { name: "length of files", breaches: source::length },
    Rule { name: "names of files", breaches: source::names },
    Rule { name: "modules say what they own", breaches: source::module_docs },
    Rule { name: "nothing unfinished", breaches: source::unfinished },
    Rule { name: "secrets are not printed", breaches: source::secrets_are_not_printed },
    Rule { name: "decisions are numbered", breaches: docs::decisions_are_numbered },
    Rule { name: "links resolve", breaches: docs::links_resolve },
    Rule { name: "licences and bans", breaches: licences::allowed },
];

/// Holds every rule against this checkout; returns how many hold.
pub(crate) fn run() -> Result<u64> {
    let checkout = Checkout::read()?;
    let mut broken = 0;
    for rule in RULES {
        let breaches = (rule.breaches)(&checkout);
        let verdict = if breaches.is_empty() { "ok" } else { "BROKEN" };
        println!("tidy: {} ... {verdict}", rule.name);
        for breach in &breaches {
            println!("  {breach}");
        }
        broken += usize::from(!breaches.is_empty());
    }
    if broken > 0 {
        bail!("{broken} of {} rules of tidiness are broken; the lines above say where", RULES.len());
    }
    Ok(RULES.len() as u64)
}

impl Checkout {
    fn read() -> Result<Self> {
        let mut list = shell::command(
            LIST_LIMIT_MINUTES,
            &["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        );
        let root = shell::root();
        let listed = shell::output(&mut list)?;
        let paths: Vec<String> = listed.lines().filter(|path| root.join(path).is_file()).map(str::to_owned).collect();
        let mut files = Vec::new();
        for path in paths.iter().filter(|path| TEXT_EXTENSIONS.contains(&extension_of(path))) {
            let text = std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
            files.push(TextFile { path: path.clone(), text });
        }
        let mut metadata =
            shell::command(LIST_LIMIT_MINUTES, &["cargo", "metadata", "--format-version", "1", "--locked"]);
        let metadata: Value = serde_json::from_str(&shell::output(&mut metadata)?)?;
        let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?.clone();
        Ok(Self { paths, files, packages })
    }

    /// Every Rust file.
    fn rust(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(|file| file.is("rs"))
    }

    /// The packages of this workspace.
    fn members(&self) -> impl Iterator<Item = &Value> {
        self.packages.iter().filter(|package| package["source"].is_null())
    }
}

impl TextFile {
    /// Whether its name ends in this extension.
    fn is(&self, extension: &str) -> bool {
        extension_of(&self.path) == extension
    }
}

fn extension_of(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// A text of the metadata; empty where it is missing.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
