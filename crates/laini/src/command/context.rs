//! What every command starts from.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use laini_core::partner::PartnerId;
use laini_core::store::AuditEntry;
use laini_office::{Actor, Problem, Work};
use laini_server::{Clock as _, Entropy as _};

use tokio::runtime::Runtime;

use crate::cli::Place;
use crate::compose::{House, SystemClock, SystemEntropy};
use crate::config::{Config, Resolved, resolve};
use crate::data_dir::DataDir;
use crate::failure::WithHint as _;
use crate::out::Out;

/// The place that the flags name, and where to speak.
pub(crate) struct Context {
    /// `--data` and `--config`.
    pub(crate) place: Place,
    /// Where to speak.
    pub(crate) out: Out,
}

impl Context {
    /// The data directory of commands that keep what they make.
    pub(crate) fn data_path(&self) -> PathBuf {
        self.place.data.clone().unwrap_or_else(|| PathBuf::from("laini-data"))
    }

    /// The settings in force for a data directory.
    pub(crate) fn settings(&self, data: &Path, flags: &[(&str, toml::Value)]) -> anyhow::Result<Resolved> {
        let beside = data.join("laini.toml");
        let file = match &self.place.config {
            Some(file) => Some(file.clone()),
            None => beside.exists().then_some(beside),
        };
        let file = match file {
            Some(path) => {
                let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()));
                let text =
                    text.hint("name the settings with --config FILE; `laini config example` prints such a file")?;
                Some((path.display().to_string(), text))
            }
            None => None,
        };
        resolve(file.as_ref().map(|(name, text)| (name.as_str(), text.as_str())), &environment, flags)
    }

    /// A data directory that is there already, with its settings; for commands that read.
    pub(crate) fn existing(&self) -> anyhow::Result<(DataDir, Config)> {
        let data = DataDir::existing(&self.data_path())?;
        let config = self.settings(data.path(), &[])?.config;
        Ok((data, config))
    }

    /// The house of a data directory that is there already; for commands that read.
    pub(crate) fn existing_house(&self) -> anyhow::Result<(House, Config)> {
        let (data, config) = self.existing()?;
        Ok((House::open(data, &config)?, config))
    }

    /// The house of the data directory, made where it is new, with its settings.
    pub(crate) fn house(&self) -> anyhow::Result<(House, Config)> {
        let data = DataDir::open(&self.data_path())?;
        let config = self.settings(data.path(), &[])?.config;
        let house = House::open(data, &config)?;
        Ok((house, config))
    }
}

/// The present instant.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// 64 random bits.
pub(crate) fn random() -> u64 {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    u64::from_be_bytes(bytes)
}

/// A name that people can read: 1 to 100 characters, no control characters.
pub(crate) fn named(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        anyhow::bail!("a name has 1 to 100 characters, none of them a control character");
    }
    // Exports are opened in spreadsheets, which would take it for a formula.
    if name.starts_with(['=', '+', '-', '@']) {
        anyhow::bail!("a name does not begin with = + - or @");
    }
    Ok(name.to_owned())
}

/// What the audit trail says of a change: what was set, and why.
pub(crate) fn because(set: &str, reason: &str) -> String {
    if reason.is_empty() { set.to_owned() } else { format!("{set}: {reason}") }
}

/// The one who runs this command.
pub(crate) fn console() -> Actor {
    let user = environment("SUDO_USER").or_else(|| environment("USER")).or_else(|| environment("LOGNAME"));
    Actor::Console { user: user.unwrap_or_else(|| "unknown".to_owned()) }
}

/// An audit row about something done now by the one who runs this command.
pub(crate) fn audit(action: &str, target: String, reason: &str) -> AuditEntry {
    AuditEntry {
        at: now(),
        actor: console().in_trail(),
        action: action.to_owned(),
        target,
        reason: reason.to_owned(),
        partner: None,
    }
}

/// The audit row with the partner that it concerns: its owners may read it.
pub(crate) fn concerning(partner: PartnerId, entry: AuditEntry) -> AuditEntry {
    AuditEntry { partner: Some(partner), ..entry }
}

/// Does a piece of work in the office of the data directory, as whoever runs this command.
pub(crate) fn in_office<T>(
    context: &Context,
    work: impl FnMut(&mut Work<'_>) -> Result<T, Problem>,
) -> anyhow::Result<T> {
    let (house, config) = context.existing_house()?;
    let office = house.office(&config, &house.ledger_beside()?)?;
    Ok(office.run(&console(), now(), work)?)
}

/// The partner that a person means, by name or id.
pub(crate) fn partner_of(work: &Work<'_>, wanted: &str) -> Result<PartnerId, Problem> {
    let id = PartnerId::parse(wanted).ok();
    let book = work.book()?;
    let found = book.partners.iter().find(|partner| partner.name == wanted || Some(partner.id) == id);
    found.map(|partner| partner.id).ok_or(Problem::NotFound("partner"))
}

#[expect(clippy::disallowed_methods, reason = "the one place where commands read the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs a future to its end on this thread: commands are no servers.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(runtime()?.block_on(future))
}

/// A runtime for commands, which are no servers.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
