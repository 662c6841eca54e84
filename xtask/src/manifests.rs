use anyhow::{Context, Result, ensure};

use crate::{installed, shell};

const CHECK_LIMIT_MINUTES: u32 = 2;

/// Checks what `packaging/` has for Kubernetes and for compose against their schemas; returns how many documents
/// were checked.
pub(crate) fn run() -> Result<u64> {
    let folder = shell::root().join("tests/packaging");
    let tool = folder.join(".work");
    installed::python(&folder.join("requirements.txt"), &tool).context("cannot install the schemas")?;
    let mut check = shell::command(CHECK_LIMIT_MINUTES, &[]);
    check.arg(tool.join("bin/python")).args(["tests/packaging/check.py", "packaging"]);
    let checked = shell::output(&mut check)?.trim().parse().context("the check does not say how much it checked")?;
    ensure!(checked > 0, "no manifest was checked");
    Ok(checked)
}
