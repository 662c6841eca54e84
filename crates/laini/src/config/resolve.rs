use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, anyhow, bail};
use toml::{Table, Value};

use super::reload::is_live;
use super::{Config, assistant, mail, single_sign_on, upstream};
use crate::failure::WithHint as _;

/// Where a setting's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nothing set it.
    Default,
    /// The file.
    File,
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

impl Origin {
    /// In a word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// The settings in force, and where each comes from (`section.key`).
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// The settings.
    pub(crate) config: Config,
    /// Every key with its value in TOML and its origin.
    pub(crate) origins: BTreeMap<String, (String, Origin)>,
    table: Table,
}

impl Resolved {
    /// These settings with `names` taken over from `newer`, and nothing else of it.
    pub(crate) fn with(&self, newer: &Self, names: &[String]) -> anyhow::Result<Self> {
        let Self { mut table, mut origins, .. } = self.clone();
        for name in names {
            let (section, key) = name.split_once('.').ok_or_else(|| anyhow!("{name} is no setting"))?;
            let value = newer.table.get(section).and_then(|keys| keys.get(key));
            *slot(&mut table, section, key)? = value.with_context(|| format!("{name} is no setting"))?.clone();
            origins.extend(newer.origins.get(name).map(|origin| (name.clone(), origin.clone())));
        }
        let config: Config = table.clone().try_into().context("the settings do not fit")?;
        config.check()?;
        Ok(Self { config, origins, table })
    }
}

/// Merges defaults, file, environment and flags, and checks the result.
///
/// `file` is a name and a text; `environment` gives the value of a variable; `flags` are `section.key` with a value in TOML.
pub(crate) fn resolve(
    file: Option<(&str, &str)>,
    environment: &dyn Fn(&str) -> Option<String>,
    flags: &[(&str, Value)],
) -> anyhow::Result<Resolved> {
    let mut table = Table::try_from(Config::default())?;
    let mut origins = BTreeMap::new();
    for (section, key) in keys(&table) {
        origins.insert(format!("{section}.{key}"), Origin::Default);
    }
    if let Some((name, text)) = file {
        let stated: Table = text
            .parse()
            .with_context(|| format!("{name} is not TOML"))
            .hint("`laini config example` prints a file to start from")?;
        merge(&mut table, &stated, &mut origins).with_context(|| name.to_owned())?;
    }
    for (section, key) in keys(&table) {
        let name = format!("LAINI_{}_{}", section.to_uppercase(), key.to_uppercase());
        if let Some(text) = environment(&name) {
            let place = slot(&mut table, &section, &key)?;
            *place = typed(&text, place)
                .with_context(|| name.clone())
                .hint("`laini config example` shows what each setting looks like")?;
            origins.insert(format!("{section}.{key}"), Origin::Environment);
        }
    }
    for (name, value) in flags {
        let (section, key) = name.split_once('.').ok_or_else(|| anyhow!("{name} is no setting"))?;
        *slot(&mut table, section, key)? = value.clone();
        origins.insert((*name).to_owned(), Origin::Flag);
    }
    let config: Config = table
        .clone()
        .try_into()
        .context("the settings do not fit")
        .hint("`laini config example` shows what each setting looks like")?;
    config.check().hint("`laini config check` shows each setting and where it comes from")?;
    let shown = |name: &str| {
        let (section, key) = name.split_once('.').unwrap_or_default();
        table.get(section).and_then(|t| t.get(key)).map(ToString::to_string).unwrap_or_default()
    };
    let origins = origins.into_iter().map(|(name, origin)| (name.clone(), (shown(&name), origin))).collect();
    Ok(Resolved { config, origins, table })
}

fn keys(table: &Table) -> Vec<(String, String)> {
    let sections = table.iter().filter_map(|(section, keys)| Some((section, keys.as_table()?)));
    sections.flat_map(|(section, keys)| keys.keys().map(move |key| (section.clone(), key.clone()))).collect()
}

fn slot<'a>(table: &'a mut Table, section: &str, key: &str) -> anyhow::Result<&'a mut Value> {
    let place = table.get_mut(section).and_then(Value::as_table_mut).and_then(|keys| keys.get_mut(key));
    place.ok_or_else(|| anyhow!("{section}.{key} is no setting"))
}

fn merge(table: &mut Table, stated: &Table, origins: &mut BTreeMap<String, Origin>) -> anyhow::Result<()> {
    for (section, keys) in stated {
        let Some(keys) = keys.as_table() else { bail!("`{section}` stands outside of a [section]") };
        for (key, value) in keys {
            let known: Vec<String> = self::keys(table).into_iter().map(|(s, k)| format!("{s}.{k}")).collect();
            let place = slot(table, section, key).hint(format!("known settings: {}", known.join(", ")))?;
            if place.type_str() != value.type_str() {
                bail!("{section}.{key}: expected {}, found {}", place.type_str(), value.type_str());
            }
            *place = value.clone();
            origins.insert(format!("{section}.{key}"), Origin::File);
        }
    }
    Ok(())
}

/// Reads an environment variable's text as a value of the same type as the setting has.
fn typed(text: &str, like: &Value) -> anyhow::Result<Value> {
    Ok(match like {
        Value::Integer(_) => {
            Value::Integer(text.trim().parse().with_context(|| format!("`{text}` is no whole number"))?)
        }
        Value::Boolean(_) => {
            Value::Boolean(text.trim().parse().with_context(|| format!("`{text}` is neither true nor false"))?)
        }
        Value::Array(_) => Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect()),
        _ => Value::String(text.to_owned()),
    })
}

/// What each setting means; the example file is made of it.
const MEANINGS: &[(&str, &str)] = &[
    ("operator.country_code", "The network's country code."),
    ("operator.national_digits", "Digits of a number behind the country code."),
    ("operator.currency", "ISO 4217; two decimals."),
    ("operator.name", "What the operator is called on agreements and invoices."),
    ("billing.tax_basis_points", "The tax on every invoice, in hundredths of a per cent (1600 = 16 %)."),
    ("billing.tax_number", "The operator's number with the tax authority, on invoices; empty = none."),
    ("billing.payment_days", "An invoice is paid in time so many days after it was made."),
    ("operator.time_zone", "Days, months and years are counted here (IANA name)."),
    ("server.listen", "Address and port, for both environments; port 0 picks a free one; empty = none."),
    ("server.sandbox_listen", "A listener that answers sandbox credentials alone; empty = none."),
    ("server.production_listen", "A listener that answers production credentials alone; empty = none."),
    (
        "server.operator_listen",
        "The listener of the operator's own API (/operator/v1); empty = it answers wherever partners are answered.",
    ),
    (
        "server.sandbox_hosts",
        "Host names under which sandbox credentials alone are answered; examples on the pages name the first.",
    ),
    ("server.production_hosts", "Host names under which production credentials alone are answered."),
    ("server.trusted_proxies", "Addresses and networks of proxies that are believed when they name the client."),
    ("server.forwarded_header", "Where those name it: x-forwarded-for or forwarded; the other is not read."),
    (
        "server.switched_off",
        "What is not offered, and answered 501: imsi, swap, age, checks, delivery (resultURL), worlds.",
    ),
    ("server.header_timeout_ms", "A request's header must be complete within this."),
    ("server.body_timeout_ms", "A request's body must be complete within this (then 408)."),
    ("server.request_timeout_ms", "A whole request must be answered within this."),
    ("server.answer_timeout_ms", "A peer that does not take its answers within this is cut."),
    ("server.idle_timeout_ms", "A connection without a request is closed after this."),
    ("server.drain_timeout_ms", "At shutdown, requests under way get this long."),
    ("server.body_bytes_max", "Longest body (then 413)."),
    ("server.connections_max", "Connections in all; beyond, 503 at once."),
    ("server.connections_per_address_max", "Connections from one address; beyond, 503 at once."),
    ("server.worker_threads", "Threads that serve; 0 = one per core."),
    (
        "tls.certificate",
        "Certificate chain (PEM file); with tls.key every listener speaks TLS. Renewed files are noticed.",
    ),
    ("tls.key", "Its private key (PEM file)."),
    ("tls.client_ca", "Who signs the certificates of clients (PEM file); empty = none is asked for."),
    ("tls.client_certificate_required", "Whether a client without a certificate is turned away."),
    (
        "tls.plain_listeners",
        "Listeners that speak plain HTTP all the same: listen, sandbox_listen, production_listen, operator_listen.",
    ),
    ("registry.kind", "builtin, or http: the operator's own back end ([upstream])."),
    ("registry.required_feeds", "The feeds that must be complete for the as-of instant."),
    ("registry.swap_stale_after_s", "Older data withdraws \"not swapped\" (advice: 900); 0 = never."),
    ("registry.registration_stale_after_s", "Older data withdraws \"registered long ago\" (advice: 93600); 0 = never."),
    ("registry.sort_chunk_rows", "Rows sorted in memory at a time while a snapshot loads (about 80 bytes each)."),
    ("store.kind", "embedded: files of the data directory, one node; postgres: a database, several nodes."),
    (
        "store.url",
        "The database, without password: postgresql://laini@db1,db2/laini; the host that takes writes is found.",
    ),
    ("store.password_file", "A file whose first line is the database's password; empty = none."),
    ("store.ca_file", "Authorities (PEM) of the database's certificate; empty = the system's."),
    ("store.node", "What this node is called; empty = a name made once, kept in the data directory."),
    ("store.connections_max", "Connections of a node, beside the two of checks."),
    ("store.connection_wait_ms", "Work that finds none free for so long is refused."),
    ("store.connect_timeout_ms", "Connecting to one host of the database may take so long."),
    (
        "store.prepared_statements",
        "false behind a pooler in transaction mode that does not know them (PgBouncer before 1.21).",
    ),
    ("ledger.queue_checks_max", "Checks that may wait for their record; beyond, 503 at once."),
    ("ledger.pause_us_max", "Longest wait for company before a commit of the embedded engine, in microseconds."),
    ("keys.dir", "Where keys lie; empty = keys/ in the data directory."),
    ("log.format", "human or json."),
    ("log.level", "error, warn, info or debug."),
    ("metrics.listen", "Address and port of /metrics (Prometheus); without one nothing is counted."),
    (
        "traces.otlp_endpoint",
        "Where spans go (OTLP over HTTP): http://127.0.0.1:4318/v1/traces; empty = none are made.",
    ),
    ("traces.sampled_per_mille", "Of 1000 requests so many are traced."),
    ("portal.pages", "Whether the server has pages for people beside the API."),
    ("portal.visitors", "Whether somebody without an account may try made-up numbers there."),
    ("portal.terms", "A Markdown file with the terms of use of the pages; empty = laini's own words."),
    ("portal.privacy_notice", "A Markdown file with the privacy notice of the pages; empty = laini's own words."),
    (
        "status.probe_every_s",
        "Every so many seconds the service probes itself, as a client would, for the status page; 0 = never.",
    ),
    ("support.answer_minor_minutes", "Tickets that are minor are answered within so many minutes, by the clock,"),
    ("support.answer_major_minutes", "those that are major within so many,"),
    ("support.answer_critical_minutes", "and those that are critical within so many."),
    ("sandbox.idle_days_max", "A sandbox world that nobody uses is forgotten after so many days."),
    ("retention.subject_days", "Numbers and facts of checks are forgotten after this; a keyed hash stays."),
    ("retention.delivery_days", "Bodies of deliveries are forgotten after this."),
];

/// A commented example file with every setting at its default.
pub(crate) fn example() -> anyhow::Result<String> {
    let table = Table::try_from(Config::default())?;
    let mut text = String::from(
        "# laini.toml: every setting with its default. Uncomment what you change.\n\
         # Precedence: flags, then LAINI_<SECTION>_<KEY>, then this file, then the default.\n\
         # (live): a running server takes it over on SIGHUP; anything else waits for a restart.\n\
         # `laini config check` shows what is in force and where it comes from.\n",
    );
    for section in [
        "operator",
        "server",
        "tls",
        "registry",
        "upstream",
        "upstream_answer",
        "store",
        "ledger",
        "retention",
        "billing",
        "sandbox",
        "portal",
        "assistant",
        "status",
        "support",
        "sign_in",
        "single_sign_on",
        "mail",
        "keys",
        "log",
        "metrics",
        "traces",
    ] {
        let _ = write!(text, "\n[{section}]\n");
        let of_files = [upstream::MEANINGS, mail::MEANINGS, single_sign_on::MEANINGS, assistant::MEANINGS].concat();
        for (name, meaning) in MEANINGS.iter().chain(&of_files) {
            let Some(key) = name.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) else { continue };
            let value =
                table.get(section).and_then(|keys| keys.get(key)).with_context(|| format!("{name} is no setting"))?;
            let when = if is_live(name) { " (live)" } else { "" };
            let _ = write!(text, "# {meaning}{when}\n# {key} = {value}\n");
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
