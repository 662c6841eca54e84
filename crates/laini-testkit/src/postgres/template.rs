use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::server::{private_dir, program, programs, run};

/// Puts the data of a server with nothing in it into `dir/data`: a copy of what `initdb` made once, which
/// takes a tenth of its time.
pub(super) fn copy_to(dir: &TempDir) {
    let template = path();
    if !template.exists() {
        make(&template);
    }
    assert!(copied(&template, &dir.path().join("data")), "{} cannot be copied", template.display());
}

/// Beside the tests that run, so that it goes with them when the build directory is emptied; one for each
/// version of PostgreSQL.
fn path() -> PathBuf {
    let programs = programs();
    let version = programs.parent().and_then(Path::file_name).expect("a version's directory").to_string_lossy();
    let test = std::env::current_exe().expect("the test's own path");
    test.with_file_name(format!("postgresql-{version}-empty"))
}

/// Two tests may make it at once: the first one's is kept.
fn make(template: &Path) {
    let dir = private_dir();
    let data = dir.path().join("data");
    let made = run(&mut program("initdb", dir.path()), |command| {
        let user = ["-U", "postgres", "-A", "trust"];
        command.arg("-D").arg(&data).args(user).args(["-E", "UTF8", "--locale=C", "--no-sync"])
    });
    assert!(made, "initdb cannot make {}", data.display());
    let nearby = tempfile::tempdir_in(template.parent().expect("a directory")).expect("a directory beside the tests");
    let copy = nearby.path().join("data");
    assert!(copied(&data, &copy), "{} cannot be copied", data.display());
    let renamed = fs::rename(&copy, template);
    assert!(renamed.is_ok() || template.exists(), "{} cannot be made", template.display());
}

/// With owners and modes, which PostgreSQL looks at.
fn copied(from: &Path, to: &Path) -> bool {
    let mut copy = Command::new("cp");
    run(copy.args(["-a", "--reflink=auto"]), |command| command.arg(from).arg(to))
}
