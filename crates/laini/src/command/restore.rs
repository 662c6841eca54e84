//! `laini restore`: a backup becomes a data directory.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use super::Context;
use super::progress::bar;
use crate::backup::{KEYS_DIR, Manifest, holds_something};
use crate::command::ledger::verify;
use crate::data_dir::make_private;
use crate::failure::WithHint as _;
use crate::out::Out;

/// `laini restore`
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// The backup's directory. It is restored into --data, which must be empty or not exist.
    #[arg(value_name = "DIR")]
    from: PathBuf,
}

#[derive(Serialize)]
struct RestoreReport {
    directory: String,
    files: usize,
    keys: bool,
}

/// Copies every file as the manifest says it must be, then verifies the ledger where the keys are at hand.
pub(crate) fn run(context: &Context, args: &RestoreArgs) -> anyhow::Result<()> {
    let manifest = Manifest::read(&args.from).hint("name a directory that `laini backup` made")?;
    let data = context.data_path();
    if holds_something(&data)? {
        return Err(anyhow::anyhow!("{} is not empty", data.display()))
            .hint("name another directory with --data; a restore never writes over data");
    }
    let partial = data.with_added_extension("restoring");
    let deepest = if manifest.with_keys { partial.join(KEYS_DIR).join("day") } else { partial.clone() };
    make_private(&deepest).with_context(|| format!("{} cannot be made", partial.display()))?;
    let total = manifest.files.iter().map(|file| file.bytes).sum();
    let restoring = bar(context.out, "restoring", "bytes", Some(total));
    let restored = manifest.files.iter().try_for_each(|file| {
        file.restore(&args.from, &partial)?;
        restoring.inc(file.bytes);
        anyhow::Ok(())
    });
    restoring.finish_and_clear();
    // An empty directory gives way.
    let restored = restored.and_then(|()| Ok(fs::rename(&partial, &data)?));
    if let Err(error) = restored {
        let _ = fs::remove_dir_all(&partial);
        return Err(error).hint("nothing was restored; try another backup");
    }
    let report =
        RestoreReport { directory: data.display().to_string(), files: manifest.files.len(), keys: manifest.with_keys };
    context.out.data(&report, |report| format!("{} files restored into {}", report.files, report.directory))?;
    if !manifest.with_keys {
        Out::note("the keys are not in the backup: put the key directory in place, then run `laini ledger verify`");
        return Ok(());
    }
    verify::run(context)
}
