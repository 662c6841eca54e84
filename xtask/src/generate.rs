use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::{product, shell};

/// A committed file that the product itself prints.
struct Generated {
    path: &'static str,
    command: &'static [&'static str],
}

const GENERATED: &[Generated] = &[
    Generated { path: "docs/guide/cli.md", command: &["reference"] },
    Generated { path: "docs/guide/laini.example.toml", command: &["config", "example"] },
    Generated { path: "api/openapi.json", command: &["openapi"] },
    Generated { path: "api/postman.json", command: &["openapi", "--postman"] },
];

/// `cargo xtask generate [--check]`.
pub(crate) fn run(options: &[String]) -> Result<()> {
    match options {
        [] => write(),
        [option] if option == "--check" => check().map(|_| ()),
        _ => bail!("generate knows one option: --check"),
    }
}

/// Fails where a committed file differs from what would be made now; returns how many are right.
pub(crate) fn check() -> Result<u64> {
    product::build()?;
    for file in GENERATED {
        let committed = std::fs::read_to_string(shell::root().join(file.path)).unwrap_or_default();
        if committed != file.make()? {
            bail!("{} is stale: run `cargo xtask generate` and commit it", file.path);
        }
        println!("generate: {} ... ok", file.path);
    }
    Ok(GENERATED.len() as u64)
}

fn write() -> Result<()> {
    product::build()?;
    for file in GENERATED {
        let path = shell::root().join(file.path);
        let folder = path.parent().context("a generated file lies in a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, file.make()?).with_context(|| format!("cannot write {}", file.path))?;
        println!("generate: {}", file.path);
    }
    Ok(())
}

impl Generated {
    /// What the binary prints, without a terminal and an environment, so that it is the same on every
    /// machine.
    fn make(&self) -> Result<String> {
        let mut laini = product::laini(self.command);
        laini.env_clear().stdin(Stdio::null());
        shell::output(&mut laini)
    }
}
