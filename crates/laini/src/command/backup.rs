//! `laini backup`: a copy of everything that is remembered, made while the server serves.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use super::Context;
use super::context::now;
use super::progress::bar;
use crate::backup::{KEYS_DIR, Manifest, SETTINGS_FILE};
use crate::compose::back_up;
use crate::config::Config;
use crate::data_dir::{make_private, write_private};
use crate::failure::WithHint as _;
use crate::out::Out;

/// `laini backup`
#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The directory to make; it must not exist yet.
    #[arg(value_name = "DIR")]
    into: PathBuf,
    /// Copy the keys as well. Whoever has both can read what was asked; keep such a copy as safe as
    /// the keys themselves.
    #[arg(long)]
    with_keys: bool,
}

#[derive(Serialize)]
struct BackupReport {
    directory: String,
    files: usize,
    bytes: u64,
    keys: bool,
}

/// Copies into a directory beside the named one, which takes its name once it is whole.
pub(crate) fn run(context: &Context, args: &BackupArgs) -> anyhow::Result<()> {
    let (data, config) = context.existing()?;
    if args.into.exists() {
        return Err(anyhow::anyhow!("{} exists already", args.into.display()))
            .hint("name a directory that does not exist yet; a backup never writes over another");
    }
    let partial = args.into.with_added_extension("partial");
    if partial.exists() {
        return Err(anyhow::anyhow!("{} lies there from a backup that did not end", partial.display()))
            .hint("remove it, and try again");
    }
    make_private(&partial).with_context(|| format!("{} cannot be made", partial.display()))?;
    let made = copy(context, &config, data.path(), &partial).and_then(|mut names| {
        if args.with_keys {
            names.extend(copy_keys(&data.key_dir(&config.keys.dir), &partial)?);
        }
        let manifest = Manifest::of(&partial, &names, now().to_string(), args.with_keys)?;
        manifest.write(&partial)?;
        fs::rename(&partial, &args.into)?;
        Ok(manifest)
    });
    let manifest = match made {
        Ok(manifest) => manifest,
        Err(error) => {
            // What was copied is of no use; why it failed is what counts.
            let _ = fs::remove_dir_all(&partial);
            return Err(error).hint("the data directory was not changed; see that there is room for the copy");
        }
    };
    let report = BackupReport {
        directory: args.into.display().to_string(),
        files: manifest.files.len(),
        bytes: manifest.files.iter().map(|file| file.bytes).sum(),
        keys: args.with_keys,
    };
    if !args.with_keys {
        Out::note("the keys are not in it: without a copy of the key directory this backup cannot be read");
    }
    context
        .out
        .data(&report, |report| format!("{} files, {} bytes in {}", report.files, report.bytes, report.directory))
}

/// The databases, and the settings file where there is one.
fn copy(context: &Context, config: &Config, data: &Path, into: &Path) -> anyhow::Result<Vec<String>> {
    let current: RefCell<Option<ProgressBar>> = RefCell::new(None);
    let begin = |name: &str, bytes: u64| {
        let next = bar(context.out, "copying", "bytes", None);
        next.set_message(format!("{name} ({bytes} bytes)"));
        if let Some(before) = current.replace(Some(next)) {
            before.finish_and_clear();
        }
    };
    let names = back_up(config, data, into, &begin);
    if let Some(last) = current.take() {
        last.finish_and_clear();
    }
    let mut names = names?;
    let settings = data.join(SETTINGS_FILE);
    if settings.exists() {
        write_private(&into.join(SETTINGS_FILE), &fs::read(&settings)?)?;
        names.push(SETTINGS_FILE.to_owned());
    }
    if names.is_empty() {
        bail!("{} holds nothing to back up", data.display());
    }
    Ok(names)
}

/// Every key file, into a directory of the backup.
fn copy_keys(keys: &Path, into: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for below in ["", "day"] {
        let from = keys.join(below);
        let to = into.join(KEYS_DIR).join(below);
        make_private(&to)?;
        let entries = fs::read_dir(&from).with_context(|| format!("{} cannot be read", from.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "key") {
                let name = path.file_name().unwrap_or_default();
                write_private(&to.join(name), &fs::read(&path)?)?;
                let name = Path::new(KEYS_DIR).join(below).join(name);
                names.push(name.to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}
