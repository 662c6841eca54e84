//! Taking changed settings over while serving (SIGHUP).

use laini_server::{LiveSettings, Settings};

use crate::config::{Changes, Config, Resolved};
use crate::logging::Log;

/// Reads the settings again, from where they were read at the start.
pub(crate) type Reread<'a> = &'a dyn Fn() -> anyhow::Result<Resolved>;

/// What a reload works on.
pub(crate) struct Reload<'a> {
    /// The log, whose level is live.
    pub(crate) log: Log,
    /// The settings in force.
    pub(crate) in_force: Resolved,
    /// Where new ones come from.
    pub(crate) reread: Reread<'a>,
}

impl Reload<'_> {
    /// Takes over what changed and can be taken over, and says by name what waits for a restart.
    /// Settings that are wrong change nothing.
    pub(crate) fn run(&mut self, live: &LiveSettings, settings: impl Fn(&Config) -> anyhow::Result<Settings>) {
        let read = (self.reread)().and_then(|resolved| Ok((settings(&resolved.config)?, resolved)));
        let (settings, resolved) = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the settings cannot be reloaded; those in force stay");
                return;
            }
        };
        let Changes { live: taken, at_restart } = Changes::between(&self.in_force, &resolved);
        live.replace(settings);
        self.log.set_level(resolved.config.log.level);
        tracing::info!(changed = taken.join(", "), "settings reloaded");
        if !at_restart.is_empty() {
            tracing::warn!(settings = at_restart.join(", "), "these changed settings wait for a restart");
        }
        // What waits is compared with what really is in force, also at the next reload.
        self.in_force.take_over(&resolved, &taken);
    }
}
