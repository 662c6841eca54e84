//! What is shipped beside the binary fits it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::running::{Lab, text};

fn shipped(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The variables that a file sets, as `LAINI_…`.
fn variables(file: &str) -> Vec<&str> {
    let from = file.match_indices("LAINI_").map(|(at, _)| &file[at..]);
    let names = from.map(|rest| rest.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap());
    names.collect()
}

#[test]
fn what_is_shipped_sets_only_settings_that_there_are() {
    let lab = Lab::new();
    let settings = lab.json(&["config", "check"]);
    let known = |name: &str| {
        let is_setting = |setting: &Value| {
            let setting = setting["setting"].as_str().unwrap();
            format!("LAINI_{}", setting.replace('.', "_").to_uppercase()) == name
        };
        name == "LAINI_DATA" || settings.as_array().unwrap().iter().any(is_setting)
    };
    for file in ["laini.service", "Containerfile", "compose.yaml", "kubernetes/laini.yaml"] {
        let text = shipped(file);
        let set = variables(&text);
        assert!(set.len() >= 3, "{file}: {set:?}");
        assert!(set.iter().all(|name| known(name)), "{file}: {set:?}");
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let lab = Lab::new();
    let unit = lab.path("laini.service");
    fs::write(&unit, shipped("laini.service").replace("/usr/bin/laini", env!("CARGO_BIN_EXE_laini"))).unwrap();
    let output = Command::new("timeout").args(["30", "systemd-analyze", "verify"]).arg(&unit).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success() && !said.contains("laini.service:"), "{said}");
}
