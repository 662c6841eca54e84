//! Taking changed settings over while serving (SIGHUP).

use laini_core::store::RegistryFeed;
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
    pub(crate) fn run(
        &mut self,
        live: &LiveSettings,
        feed: &dyn RegistryFeed,
        settings: impl Fn(&Config) -> anyhow::Result<Settings>,
    ) {
        let read = (self.reread)().and_then(|resolved| {
            let changes = Changes::between(&self.in_force, &resolved);
            let next = self.in_force.with(&resolved, &changes.live)?;
            Ok(((settings(&next.config)?, next.config.required_feeds()?), next, changes))
        });
        let ((settings, feeds), next, Changes { live: taken, at_restart }) = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the settings cannot be reloaded; those in force stay");
                return;
            }
        };
        live.replace(settings);
        feed.require(feeds);
        self.log.set_level(next.config.log.level);
        tracing::info!(changed = taken.join(", "), "settings reloaded");
        if !at_restart.is_empty() {
            tracing::warn!(settings = at_restart.join(", "), "these changed settings wait for a restart");
        }
        // What waits is compared with what really is in force, also at the next reload.
        self.in_force = next;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{LIVE, resolve};
    use crate::serving::settings;

    fn read(setting: &str, value: &str) -> Resolved {
        let (section, key) = setting.split_once('.').unwrap();
        let file = format!("[{section}]\n{key} = {value}\n");
        resolve(Some(("laini.toml", file.as_str())), &|_| None, &[]).unwrap()
    }

    /// What a running server goes by.
    fn in_use(config: &Config) -> String {
        let feeds = config.required_feeds().unwrap();
        format!("{:?} {feeds:?} {:?}", config.log.level, settings(config, Path::new("data")).unwrap())
    }

    /// What a reload makes of a change, told from what was in use before.
    fn changes_what_is_in_use(setting: &str, value: &str) -> bool {
        let before = read("log.format", "\"human\"");
        let newer = read(setting, value);
        let changes = Changes::between(&before, &newer);
        assert_eq!(changes.live.len() + changes.at_restart.len(), 1, "{setting} = {value} is no change");
        in_use(&before.config) != in_use(&before.with(&newer, &changes.live).unwrap().config)
    }

    #[test]
    fn everything_live_is_taken_over() {
        let other = [
            ("log.level", "\"debug\""),
            ("registry.registration_stale_after_s", "60"),
            ("registry.required_feeds", "[\"hlr\"]"),
            ("registry.swap_stale_after_s", "60"),
            ("server.body_bytes_max", "2048"),
            ("server.body_timeout_ms", "99"),
            ("server.forwarded_header", "\"forwarded\""),
            ("server.production_hosts", "[\"api.test\"]"),
            ("server.request_timeout_ms", "99"),
            ("server.sandbox_hosts", "[\"sandbox.test\"]"),
            ("server.switched_off", "[\"age\"]"),
            ("server.trusted_proxies", "[\"10.0.0.0/8\"]"),
            ("sandbox.idle_days_max", "1"),
        ];
        assert_eq!(other.map(|(setting, _)| setting), LIVE);
        for (setting, value) in other {
            assert!(changes_what_is_in_use(setting, value), "{setting}");
        }
    }

    #[test]
    fn nothing_else_is() {
        let other = [
            ("operator.country_code", "255"),
            ("operator.time_zone", "\"UTC\""),
            ("server.header_timeout_ms", "99"),
            ("server.answer_timeout_ms", "99"),
            ("server.idle_timeout_ms", "99"),
            ("server.drain_timeout_ms", "99"),
            ("server.connections_max", "7"),
            ("server.connections_per_address_max", "7"),
            ("ledger.queue_checks_max", "7"),
        ];
        for (setting, value) in other {
            assert!(!changes_what_is_in_use(setting, value), "{setting}");
            let newer = read(setting, value);
            let start = in_use(&read("log.format", "\"human\"").config);
            assert_ne!(in_use(&newer.config), start, "{setting} is in use from the start");
        }
    }
}
