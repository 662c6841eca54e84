use std::path::Path;

use anyhow::Result;

use crate::shell;

const LIMIT_MINUTES: u32 = 15;

/// Runs `install` into an empty folder `into`, unless what `lock` names was installed just there before.
pub(crate) fn as_locked(lock: &Path, into: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    // A virtual environment works only where it was made.
    let wanted = format!("{}\n{}", into.display(), std::fs::read_to_string(lock)?);
    let stamp = into.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    if into.exists() {
        std::fs::remove_dir_all(into)?;
    }
    std::fs::create_dir_all(into)?;
    install()?;
    Ok(std::fs::write(stamp, wanted)?)
}

/// Makes a virtual environment in `into` with just the packages of `requirements`.
pub(crate) fn python(requirements: &Path, into: &Path) -> Result<()> {
    as_locked(requirements, into, || {
        shell::run(shell::command(LIMIT_MINUTES, &["python3", "-m", "venv"]).arg(into))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        shell::run(shell::command(LIMIT_MINUTES, &[]).arg(into.join("bin/python")).args(pip).arg(requirements))
    })
}

/// Installs what the `package-lock.json` of `folder` names. npm installs beside the files that it reads,
/// so these are copied there.
pub(crate) fn node(folder: &Path, into: &Path) -> Result<()> {
    as_locked(&folder.join("package-lock.json"), into, || {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(folder.join(file), into.join(file))?;
        }
        let npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        shell::run(shell::command(LIMIT_MINUTES, &npm).current_dir(into))
    })
}
