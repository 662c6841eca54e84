//! Which settings a running server takes over.

use super::Resolved;

/// Taken over by a reload; a change of any other waits for a restart.
pub(crate) const LIVE: &[&str] = &[
    "log.level",
    "registry.registration_stale_after_s",
    "registry.required_feeds",
    "registry.swap_stale_after_s",
    "server.body_bytes_max",
    "server.body_timeout_ms",
    "server.forwarded_header",
    "server.production_hosts",
    "server.request_timeout_ms",
    "server.sandbox_hosts",
    "server.switched_off",
    "server.trusted_proxies",
    "sandbox.idle_days_max",
];

/// Whether a running server takes over the setting `name`.
pub(crate) fn is_live(name: &str) -> bool {
    LIVE.contains(&name)
}

/// What changed between two readings of the settings, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What a running server takes over.
    pub(crate) live: Vec<String>,
    /// What waits for a restart.
    pub(crate) at_restart: Vec<String>,
}

impl Changes {
    /// From `before` to `after`.
    pub(crate) fn between(before: &Resolved, after: &Resolved) -> Self {
        let value = |resolved: &Resolved, name: &str| resolved.origins.get(name).map(|(value, _)| value.clone());
        let names = after.origins.keys().filter(|name| value(before, name) != value(after, name)).cloned();
        let (live, at_restart) = names.partition(|name| is_live(name));
        Self { live, at_restart }
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use super::*;

    fn read(file: &str) -> Resolved {
        resolve(Some(("laini.toml", file)), &|_| None, &[]).unwrap()
    }

    #[test]
    fn changes_are_told_apart_by_when_they_hold() {
        let before = read("[log]\nlevel = \"info\"\n[server]\nlisten = \"127.0.0.1:1\"\n");
        let after = read("[log]\nlevel = \"debug\"\n[server]\nlisten = \"127.0.0.1:2\"\nbody_timeout_ms = 99\n");
        let changes = Changes::between(&before, &after);
        assert_eq!(changes.live, ["log.level", "server.body_timeout_ms"]);
        assert_eq!(changes.at_restart, ["server.listen"]);
        assert_eq!(Changes::between(&after, &after), Changes::default());
    }

    #[test]
    fn everything_live_is_a_setting() {
        let known = read("").origins;
        assert!(LIVE.iter().all(|name| known.contains_key(*name)), "{LIVE:?}");
    }
}
