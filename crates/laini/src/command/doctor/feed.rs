use jiff::{SignedDuration, Timestamp};
use laini_core::store::{RegistryStatus, RowQuery};

use super::Findings;
use crate::command::context::{block_on, now};
use crate::compose::House;
use crate::config::Config;

/// A clock that differs by more from what the ledger has seen is wrong.
const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_secs(60);

/// How fresh the registry is, and whether the clock goes right.
pub(super) fn look(config: &Config, house: &House, findings: &mut Findings) {
    let status = house.registry(config).and_then(|registry| Ok(block_on(registry.feed.status())??));
    match status {
        Ok(status) => look_at_registry(config, &status, now(), findings),
        Err(error) => findings.problem("registry", format!("{error:#}"), "restore a backup into another directory"),
    }
    if let Err(error) = look_at_clock(house, findings) {
        findings.problem("ledger", format!("{error:#}"), "restore a backup into another directory");
    }
}

fn look_at_registry(config: &Config, status: &RegistryStatus, now: Timestamp, findings: &mut Findings) {
    if status.generation == 0 {
        let hint = "load an extract with `laini registry import FILE`";
        findings.advice("registry", "the registry is empty: production checks answer 503", hint);
        return;
    }
    let lag = status.as_of.map(|as_of| now.duration_since(as_of));
    for (fact, limit_s) in
        [("swap", config.registry.swap_stale_after_s), ("registration", config.registry.registration_stale_after_s)]
    {
        let limit = SignedDuration::from_secs(i64::try_from(limit_s).unwrap_or(i64::MAX));
        if limit_s > 0 && lag.is_none_or(|lag| lag > limit) {
            let lag = lag.map_or("of unknown age".to_owned(), |lag| format!("{} s old", lag.as_secs()));
            findings.problem(
                "feed",
                format!("the registry is {lag}, the limit for {fact} facts is {limit_s} s: \"no\" is withdrawn"),
                "see why the feed stands still: `laini registry status` names each source",
            );
        }
    }
    look_at_feeds(config, status, findings);
    if status.rejects > 0 {
        let found = format!("{} rows or events were refused", status.rejects);
        findings.advice("feed", found, "`laini registry status` shows the newest with their reasons");
    }
}

/// Whether the as-of instant hangs on the feeds that are really there.
fn look_at_feeds(config: &Config, status: &RegistryStatus, findings: &mut Findings) {
    let required = &config.registry.required_feeds;
    let heard: Vec<&str> = status.feeds.iter().map(|feed| feed.source.as_str()).collect();
    if status.events == 0 && heard.is_empty() {
        return;
    }
    for feed in required.iter().filter(|feed| !heard.contains(&feed.as_str())) {
        let found =
            format!("the required feed `{feed}` has never sent a heartbeat: the registry stays as of its snapshot");
        findings.advice("feed", found, "have it send heartbeats, or take it out of registry.required_feeds");
    }
    for feed in heard.into_iter().filter(|feed| !required.iter().any(|required| required == feed)) {
        let found = format!("the feed `{feed}` is not in registry.required_feeds: nobody notices when it stands still");
        findings.advice("feed", found, "add it, if facts of checks depend on it");
    }
}

fn look_at_clock(house: &House, findings: &mut Findings) -> anyhow::Result<()> {
    if !house.data.path().join("ledger.db").exists() {
        return Ok(());
    }
    let limit = now() + CLOCK_SKEW_MAX;
    let ahead = RowQuery { from: Some(limit), limit: 1, ..RowQuery::default() };
    let rows = block_on(house.ledger_reader()?.rows(ahead))??;
    if let Some(row) = rows.first() {
        findings.problem(
            "clock",
            format!("the ledger holds a check of {}, which lies ahead of this machine's clock", row.at),
            "set the clock (chrony, systemd-timesyncd): windows, tokens and dates depend on it",
        );
    }
    Ok(())
}
