//! Each rule is shown a checkout that breaks it: a rule that cannot fail holds nothing.

use serde_json::json;

use super::{Checkout, RULES, TextFile};

/// A checkout in which every rule holds.
fn tidy_checkout() -> Checkout {
    let manifest = "[package]\nversion.workspace = true\nedition.workspace = true\nlicense.workspace = true\n\n\
        [lints]\nworkspace = true\n\n[dependencies]\njiff = { workspace = true }\n";
    let mut checkout = Checkout {
        paths: Vec::new(),
        files: Vec::new(),
        packages: vec![
            json!({
                "name": "laini-core", "source": null, "manifest_path": "/src/crates/laini-core/Cargo.toml",
                "dependencies": [{ "name": "jiff", "kind": null }],
            }),
            json!({ "name": "jiff", "source": super::licences::REGISTRY, "license": "MIT OR Unlicense" }),
        ],
    };
    checkout.plant("crates/laini-core/Cargo.toml", manifest);
    checkout.plant("crates/laini-core/src/lib.rs", "//! The rules.\n//! Owns them. Must never do I/O.\n");
    checkout
        .plant("deny.toml", "allow = [\n    \"MIT\",\n]\ndeny = [\n    { name = \"chrono\", reason = \"x\" },\n]\n");
    checkout.plant("docs/decisions/0001-one.md", "# One\n\n[map](../map.md#the-house) [web](https://example.org)\n");
    checkout.plant("docs/decisions/0002-two.md", "```\n[not a link](nowhere.md)\n```\n");
    checkout.plant("docs/map.md", "## The house\n");
    checkout
}

impl Checkout {
    fn plant(&mut self, path: &str, text: &str) {
        self.paths.push(path.to_owned());
        self.paths.sort();
        self.files.push(TextFile { path: path.to_owned(), text: text.to_owned() });
    }

    /// The rules that do not hold.
    fn broken(&self) -> Vec<&'static str> {
        RULES.iter().filter(|rule| !(rule.breaches)(self).is_empty()).map(|rule| rule.name).collect()
    }
}

#[test]
fn a_tidy_checkout_breaks_no_rule() {
    assert_eq!(tidy_checkout().broken(), Vec::<&str>::new());
}

#[test]
fn a_file_that_breaks_a_rule_is_found() {
    let too_long = "\n".repeat(501);
    let cases: &[(&str, &str, &str)] = &[
        ("one file names the engine", "crates/laini-server/src/a.rs", "use laini_store_sqlite::X;"),
        ("pages see little of the server", "crates/laini-portal/src/a.rs", "use laini_server::gateway::Check;"),
        (
            "pages see little of the server",
            "crates/laini-portal/src/a.rs",
            "use laini_server::{Limits, worker::Swept};",
        ),
        ("length of files", "crates/laini/src/long.rs", &too_long),
        ("names of files", "crates/laini/src/utils.rs", ""),
        ("names of files", "crates/laini/src/common/a.rs", ""),
        ("modules say what they own", "crates/laini/src/command/mod.rs", "mod a;"),
        ("modules say what they own", "crates/laini/src/command/mod.rs", "//! Commands."),
        ("nothing unfinished", "crates/laini/src/a.rs", concat!("// TO", "DO: later")),
        (
            "secrets are not printed",
            "crates/laini-wire/src/a.rs",
            "#[derive(Clone, Debug)]\npub struct A {\n    pub id: String,\n    pub token: String,\n}\n",
        ),
        ("decisions are numbered", "docs/decisions/0004-four.md", ""),
        ("decisions are numbered", "docs/decisions/0002-again.md", ""),
        ("decisions are numbered", "docs/decisions/three.md", ""),
        ("links resolve", "docs/guide/a.md", "[gone](../gone.md)"),
        ("links resolve", "docs/guide/a.md", "[gone](../map.md#the-garden)"),
    ];
    for (rule, path, text) in cases {
        let mut checkout = tidy_checkout();
        checkout.plant(path, text);
        assert_eq!(checkout.broken(), [*rule], "{path}");
    }
}

#[test]
fn the_longer_limit_is_for_tests_alone() {
    let mut checkout = tidy_checkout();
    checkout.plant("crates/laini/tests/it/long.rs", &"\n".repeat(800));
    checkout.plant("crates/laini/src/line/tests.rs", &"\n".repeat(800));
    assert_eq!(checkout.broken(), Vec::<&str>::new());
    checkout.plant("crates/laini/tests/it/longer.rs", &"\n".repeat(801));
    assert_eq!(checkout.broken(), ["length of files"]);
}

#[test]
fn a_dependency_that_breaks_a_rule_is_found() {
    let manifest_path = "/src/crates/elsewhere/Cargo.toml";
    let own = |name: &str, to: &str, kind: Option<&str>| {
        let dependency = json!({ "name": to, "kind": kind, "path": to.starts_with("laini").then_some("/src") });
        json!({ "name": name, "source": null, "manifest_path": manifest_path, "dependencies": [dependency] })
    };
    let foreign =
        |name: &str, licence: &str, source: &str| json!({ "name": name, "source": source, "license": licence });
    let registry = super::licences::REGISTRY;
    let cases = [
        ("edges between crates", own("laini-core", "laini-wire", None)),
        ("edges between crates", own("laini-server", "laini-store-sqlite", None)),
        ("edges between crates", own("laini-server", "laini-testkit", None)),
        ("edges between crates", own("laini-client", "laini-core", Some("dev"))),
        ("edges between crates", own("laini-new", "jiff", None)),
        ("the core is pure", own("laini-core", "serde_json", None)),
        ("the core is pure", own("laini-core", "rusqlite", Some("dev"))),
        ("licences and bans", foreign("copyleft", "GPL-3.0", registry)),
        ("licences and bans", foreign("elsewhere", "MIT", "git+https://example.org/elsewhere")),
        ("licences and bans", foreign("chrono", "MIT", registry)),
    ];
    for (rule, package) in cases {
        let mut checkout = tidy_checkout();
        checkout.packages.push(package.clone());
        assert_eq!(checkout.broken(), [rule], "{package}");
    }
    let mut checkout = tidy_checkout();
    checkout.packages.push(own("laini-portal", "laini-testkit", Some("dev")));
    assert_eq!(checkout.broken(), Vec::<&str>::new());
}

#[test]
fn a_manifest_with_a_version_of_its_own_is_found() {
    let inherits = tidy_checkout().files[0].text.clone();
    let own_version = inherits.replace("jiff = { workspace = true }", "jiff = \"0.2\"");
    let own_edition = inherits.replace("edition.workspace = true", "edition = \"2021\"");
    let no_lints = inherits.replace("[lints]\nworkspace = true", "");
    for manifest in [own_version, own_edition, no_lints] {
        let mut checkout = tidy_checkout();
        checkout.files[0].text = manifest;
        assert_eq!(checkout.broken(), ["manifests inherit"]);
    }
}
