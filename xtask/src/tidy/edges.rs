use serde_json::Value;

use super::{Checkout, TextFile, text};

/// Who may depend on which laini crate: in what ships, and in tests besides. A crate that is not
/// listed has no place in the house yet.
const EDGES: &[(&str, &[&str], &[&str])] = &[
    ("laini-core", &[], &[]),
    ("laini-wire", &[], &[]),
    ("laini-guide", &[], &[]),
    ("laini-store", &["laini-core"], &[]),
    ("laini-office", &["laini-core"], &["laini-store-sqlite", "laini-testkit"]),
    ("laini-store-sqlite", &["laini-core", "laini-store"], &["laini-testkit"]),
    ("laini-store-postgres", &["laini-core", "laini-store"], &["laini-testkit"]),
    ("laini-server", &["laini-core", "laini-guide", "laini-office", "laini-wire"], &["laini-store-sqlite"]),
    (
        "laini-portal",
        &["laini-core", "laini-guide", "laini-office", "laini-server", "laini-wire"],
        &["laini-store-sqlite", "laini-testkit"],
    ),
    ("laini-upstream", &["laini-core"], &[]),
    ("laini-client", &["laini-wire"], &[]),
    ("laini-testkit", &["laini-core"], &[]),
    (
        "laini",
        &[
            "laini-client",
            "laini-core",
            "laini-guide",
            "laini-office",
            "laini-portal",
            "laini-server",
            "laini-store",
            "laini-store-postgres",
            "laini-store-sqlite",
            "laini-upstream",
            "laini-wire",
        ],
        &["laini-testkit"],
    ),
    ("xtask", &[], &[]),
    ("bare-axum", &[], &[]),
];

/// What would give the core HTTP, JSON, SQL, a runtime or a log.
const NOT_IN_CORE: &[&str] = &[
    "axum",
    "http",
    "http-body-util",
    "hyper",
    "hyper-util",
    "reqwest",
    "rusqlite",
    "serde_json",
    "sqlx",
    "tokio",
    "tokio-postgres",
    "tower",
    "tracing",
];

const ENGINES: &[&str] = &["laini_store_sqlite", "laini_store_postgres"];
const COMPOSITION: &str = "crates/laini/src/compose.rs";
/// What pages may use of laini-server: how HTTP is read and asked from inside, what is in force, how the server runs, what
/// it says of itself, and the forms that its API has words for already.
const SEEN_BY_PAGES: &[&str] = &[
    "http",
    "Limits",
    "LiveSettings",
    "Running",
    "observe",
    "openapi",
    "operator",
    "desk",
    "incident_answer",
    "sandbox",
];

/// Each crate depends on what its row of [`EDGES`] names, and on nothing else of ours.
pub(super) fn between_crates(checkout: &Checkout) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in checkout.members() {
        let name = text(package, "name");
        let Some((_, ships, tests)) = EDGES.iter().find(|(listed, _, _)| *listed == name) else {
            breaches.push(format!("{name}: not in the table of edges; decide what it may depend on (tidy/edges.rs)"));
            continue;
        };
        for dependency in dependencies(package).filter(|dependency| !dependency["path"].is_null()) {
            let to = text(dependency, "name");
            let in_tests = text(dependency, "kind") == "dev";
            let allowed = ships.contains(&to) || (in_tests && tests.contains(&to));
            if !allowed {
                breaches.push(format!("{name} must not depend on {to}: see ARCHITECTURE.md for the edges"));
            }
        }
    }
    breaches
}

/// The core sees no HTTP, JSON or SQL, in its tests either.
pub(super) fn core_is_pure(checkout: &Checkout) -> Vec<String> {
    let core = checkout.members().filter(|package| text(package, "name") == "laini-core");
    core.flat_map(dependencies)
        .map(|dependency| text(dependency, "name"))
        .filter(|name| NOT_IN_CORE.contains(name))
        .map(|name| format!("laini-core must not depend on {name}: the rules do no I/O and know no format"))
        .collect()
}

/// Which engine runs is decided in one file.
pub(super) fn engine_is_named_once(checkout: &Checkout) -> Vec<String> {
    // Tests and measurements may stand on the engine that ships.
    let is_apart = |path: &str| path.contains("/tests/") || path.contains("/examples/");
    let ships = checkout.rust().filter(|file| file.path.starts_with("crates/") && !is_apart(&file.path));
    let elsewhere = ships.filter(|file| !file.path.starts_with("crates/laini-store-") && file.path != COMPOSITION);
    elsewhere
        .flat_map(|file| {
            let named = ENGINES.iter().filter(|engine| file.text.contains(**engine));
            named.map(|engine| format!("{} names {engine}: only {COMPOSITION} may", file.path))
        })
        .collect()
}

/// Pages ask the server as every client does: of its insides they see these alone.
pub(super) fn pages_see_little_of_the_server(checkout: &Checkout) -> Vec<String> {
    let pages = checkout.rust().filter(|file| file.path.starts_with("crates/laini-portal/src/"));
    pages
        .flat_map(|file| {
            let named = file.text.lines().flat_map(|line| line.split("laini_server::").skip(1).flat_map(named));
            let others = named.filter(|name| !SEEN_BY_PAGES.contains(name));
            others.map(|name| format!("{} uses laini_server::{name}: see decision 0053 for what pages may", file.path))
        })
        .collect()
}

/// The modules and types at the beginning of what follows `laini_server::`.
fn named(path: &str) -> impl Iterator<Item = &str> {
    let group = path.strip_prefix('{').and_then(|inner| inner.split('}').next());
    let items = group.unwrap_or(path).split(',').take(if group.is_some() { usize::MAX } else { 1 });
    items.map(|item| item.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
}

/// Versions and lints stand in the root manifest and nowhere else.
pub(super) fn manifests_inherit(checkout: &Checkout) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in checkout.members() {
        let Some(file) = manifest(checkout, package) else { continue };
        for line in ["version.workspace = true", "edition.workspace = true", "license.workspace = true"] {
            if !file.text.contains(line) {
                breaches.push(format!("{}: lacks '{line}'", file.path));
            }
        }
        if !file.text.contains("[lints]\nworkspace = true") {
            breaches.push(format!("{}: lacks '[lints]' with 'workspace = true'", file.path));
        }
        let own = versions_of_its_own(&file.text);
        breaches.extend(own.map(|line| format!("{}: '{line}' must say 'workspace = true'", file.path)));
    }
    breaches
}

/// The package's manifest; the root's own path ends every other one, so the longest match is it.
fn manifest<'a>(checkout: &'a Checkout, package: &Value) -> Option<&'a TextFile> {
    let path = text(package, "manifest_path");
    checkout.files.iter().filter(|file| path.ends_with(&format!("/{}", file.path))).max_by_key(|file| file.path.len())
}

fn versions_of_its_own(manifest: &str) -> impl Iterator<Item = &str> {
    let mut among_dependencies = false;
    manifest.lines().filter(move |line| {
        if line.starts_with('[') {
            among_dependencies = line.trim_end().ends_with("dependencies]");
            return false;
        }
        let states_one = !line.trim().is_empty() && !line.starts_with('#');
        among_dependencies && states_one && !line.contains("workspace = true")
    })
}

fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"].as_array().into_iter().flatten()
}
