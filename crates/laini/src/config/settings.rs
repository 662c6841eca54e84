use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, tz::TimeZone};
use laini_core::billing::Currency;
use laini_core::disclosure::Freshness;
use laini_core::line::{EventText, NumberPlan};
use laini_core::support::AnswerTimes;
use laini_office::{BillingSettings, OfficeSettings};
use laini_server::worker::RetentionPolicy;
use laini_upstream::MappingSettings;
use serde::{Deserialize, Serialize};

use super::assistant::AssistantConfig;
use super::listeners::TlsConfig;
use super::mail::{MailConfig, SignInConfig};
use super::single_sign_on::SingleSignOnConfig;
use super::store::StoreConfig;
use super::traces::TracesConfig;
use super::upstream::{RegistryKind, UpstreamConfig};

/// Everything that can be set, with its default.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) operator: OperatorConfig,
    pub(crate) server: ServerConfig,
    pub(crate) tls: TlsConfig,
    pub(crate) registry: RegistryConfig,
    pub(crate) upstream: UpstreamConfig,
    pub(crate) upstream_answer: MappingSettings,
    pub(crate) store: StoreConfig,
    pub(crate) ledger: LedgerConfig,
    pub(crate) keys: KeysConfig,
    pub(crate) log: LogConfig,
    pub(crate) metrics: MetricsConfig,
    pub(crate) traces: TracesConfig,
    pub(crate) sandbox: SandboxConfig,
    pub(crate) retention: RetentionConfig,
    pub(crate) sign_in: SignInConfig,
    pub(crate) single_sign_on: SingleSignOnConfig,
    pub(crate) mail: MailConfig,
    pub(crate) billing: BillingConfig,
    pub(crate) portal: PortalConfig,
    pub(crate) assistant: AssistantConfig,
    pub(crate) status: StatusConfig,
    pub(crate) support: SupportConfig,
}

/// How the service probes itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StatusConfig {
    pub(crate) probe_every_s: u32,
}

impl Default for StatusConfig {
    fn default() -> Self {
        Self { probe_every_s: 60 }
    }
}

/// Within what time tickets are answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the names of the settings are what operators write")]
pub(crate) struct SupportConfig {
    pub(crate) answer_minor_minutes: u32,
    pub(crate) answer_major_minutes: u32,
    pub(crate) answer_critical_minutes: u32,
}

impl Default for SupportConfig {
    fn default() -> Self {
        let times = AnswerTimes::default();
        Self {
            answer_minor_minutes: times.minor_minutes,
            answer_major_minutes: times.major_minutes,
            answer_critical_minutes: times.critical_minutes,
        }
    }
}

impl SupportConfig {
    fn times(&self) -> AnswerTimes {
        AnswerTimes {
            minor_minutes: self.answer_minor_minutes,
            major_minutes: self.answer_major_minutes,
            critical_minutes: self.answer_critical_minutes,
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let AnswerTimes { minor_minutes, major_minutes, critical_minutes } = self.times();
        let fits = |minutes: u32| (5..=20_160).contains(&minutes);
        ensure!(
            fits(minor_minutes) && fits(major_minutes) && fits(critical_minutes),
            "support.answer_minor_minutes, answer_major_minutes and answer_critical_minutes are within 5 to 20160"
        );
        ensure!(
            critical_minutes <= major_minutes && major_minutes <= minor_minutes,
            "support.answer_critical_minutes is at most answer_major_minutes, and that at most answer_minor_minutes"
        );
        Ok(())
    }
}

/// The pages for people.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PortalConfig {
    pub(crate) pages: bool,
    pub(crate) visitors: bool,
    pub(crate) terms: String,
    pub(crate) privacy_notice: String,
}

impl Default for PortalConfig {
    fn default() -> Self {
        Self { pages: true, visitors: true, terms: String::new(), privacy_notice: String::new() }
    }
}

/// What stands on invoices.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BillingConfig {
    pub(crate) tax_basis_points: u32,
    pub(crate) tax_number: String,
    pub(crate) payment_days: u16,
}

impl Default for BillingConfig {
    fn default() -> Self {
        let BillingSettings { tax_basis_points, tax_number, payment_days } = BillingSettings::default();
        Self { tax_basis_points, tax_number, payment_days }
    }
}

impl BillingConfig {
    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.tax_basis_points <= 10_000, "billing.tax_basis_points is not within 0 to 10000");
        ensure!((1..=365).contains(&self.payment_days), "billing.payment_days is not within 1 to 365");
        ensure!(self.tax_number.len() <= 50, "billing.tax_number has more than 50 characters");
        Ok(())
    }
}

/// Whose network it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OperatorConfig {
    pub(crate) country_code: u16,
    pub(crate) national_digits: u32,
    pub(crate) name: String,
    pub(crate) currency: String,
    pub(crate) time_zone: String,
}

impl Default for OperatorConfig {
    fn default() -> Self {
        Self {
            country_code: 254,
            national_digits: 9,
            name: "The operator".into(),
            currency: "KES".into(),
            time_zone: "Africa/Nairobi".into(),
        }
    }
}

/// The listener and its limits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    pub(crate) listen: String,
    pub(crate) sandbox_listen: String,
    pub(crate) production_listen: String,
    pub(crate) operator_listen: String,
    pub(crate) sandbox_hosts: Vec<String>,
    pub(crate) production_hosts: Vec<String>,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) forwarded_header: String,
    pub(crate) switched_off: Vec<String>,
    pub(crate) header_timeout_ms: u64,
    pub(crate) body_timeout_ms: u64,
    pub(crate) request_timeout_ms: u64,
    pub(crate) answer_timeout_ms: u64,
    pub(crate) idle_timeout_ms: u64,
    pub(crate) drain_timeout_ms: u64,
    pub(crate) body_bytes_max: usize,
    pub(crate) connections_max: usize,
    pub(crate) connections_per_address_max: usize,
    pub(crate) worker_threads: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            sandbox_listen: String::new(),
            production_listen: String::new(),
            operator_listen: String::new(),
            sandbox_hosts: Vec::new(),
            production_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: "x-forwarded-for".into(),
            switched_off: Vec::new(),
            header_timeout_ms: 10_000,
            body_timeout_ms: 5_000,
            request_timeout_ms: 8_000,
            answer_timeout_ms: 10_000,
            idle_timeout_ms: 75_000,
            drain_timeout_ms: 20_000,
            body_bytes_max: 16 * 1024,
            connections_max: 8_192,
            connections_per_address_max: 4_096,
            worker_threads: 0,
        }
    }
}

/// The registry and its feed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RegistryConfig {
    pub(crate) kind: RegistryKind,
    pub(crate) required_feeds: Vec<String>,
    pub(crate) swap_stale_after_s: u64,
    pub(crate) registration_stale_after_s: u64,
    pub(crate) sort_chunk_rows: usize,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            kind: RegistryKind::BuiltIn,
            required_feeds: vec!["default".into()],
            swap_stale_after_s: 0,
            registration_stale_after_s: 0,
            sort_chunk_rows: 4_000_000,
        }
    }
}

/// The ledger's group commit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LedgerConfig {
    pub(crate) queue_checks_max: usize,
    pub(crate) pause_us_max: u64,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self { queue_checks_max: 8_192, pause_us_max: 100 }
    }
}

/// Where keys lie.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeysConfig {
    pub(crate) dir: String,
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    pub(crate) level: LogLevel,
}

/// Where metrics can be collected.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MetricsConfig {
    pub(crate) listen: String,
}

/// The worlds of sandbox apps.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SandboxConfig {
    pub(crate) idle_days_max: u16,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { idle_days_max: 30 }
    }
}

/// How long what must go is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionConfig {
    pub(crate) subject_days: u16,
    pub(crate) delivery_days: u16,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { subject_days: 120, delivery_days: 30 }
    }
}

impl RetentionConfig {
    /// As the worker takes it.
    pub(crate) fn policy(&self) -> RetentionPolicy {
        RetentionPolicy { subject_days: self.subject_days, delivery_days: self.delivery_days }
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!((1..=3_650).contains(&self.subject_days), "retention.subject_days is not within 1 to 3650");
        // Attempts go on for three days, and somebody may send it again by hand.
        ensure!((4..=3_650).contains(&self.delivery_days), "retention.delivery_days is not within 4 to 3650");
        Ok(())
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Human,
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

impl LogLevel {
    /// As the logging library names it.
    pub(crate) fn filter(self) -> tracing::Level {
        match self {
            Self::Error => tracing::Level::ERROR,
            Self::Warn => tracing::Level::WARN,
            Self::Info => tracing::Level::INFO,
            Self::Debug => tracing::Level::DEBUG,
        }
    }
}

impl Config {
    /// The operator's number plan.
    pub(crate) fn plan(&self) -> anyhow::Result<NumberPlan> {
        NumberPlan::new(self.operator.country_code, self.operator.national_digits)
            .context("operator.country_code and operator.national_digits")
    }

    /// The operator's time zone.
    pub(crate) fn zone(&self) -> anyhow::Result<TimeZone> {
        TimeZone::get(&self.operator.time_zone).with_context(|| {
            format!("operator.time_zone: `{}` is no IANA time zone (e.g. Africa/Nairobi)", self.operator.time_zone)
        })
    }

    /// What the operator has set for its office.
    pub(crate) fn office(&self) -> anyhow::Result<OfficeSettings> {
        let billing = BillingSettings {
            tax_basis_points: self.billing.tax_basis_points,
            tax_number: self.billing.tax_number.clone(),
            payment_days: self.billing.payment_days,
        };
        let settings = OfficeSettings::new(&self.operator.name, self.zone()?, self.currency()?);
        Ok(OfficeSettings {
            people: self.sign_in.people(),
            billing,
            plan: self.plan()?,
            answer_times: self.support.times(),
            probe_every: SignedDuration::from_secs(self.status.probe_every_s.into()),
            ..settings
        })
    }

    /// The operator's currency.
    pub(crate) fn currency(&self) -> anyhow::Result<Currency> {
        Currency::parse(&self.operator.currency).context("operator.currency")
    }

    /// Where metrics can be collected, where they can.
    pub(crate) fn metrics_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let listen = &self.metrics.listen;
        if listen.is_empty() {
            return Ok(None);
        }
        listen.parse().map(Some).with_context(|| format!("metrics.listen: `{listen}` is no address:port"))
    }

    /// The feeds that must be complete for the as-of instant; at least one.
    pub(crate) fn required_feeds(&self) -> anyhow::Result<Vec<EventText>> {
        let names = &self.registry.required_feeds;
        ensure!(!names.is_empty(), "registry.required_feeds must name at least one feed");
        let feeds: Result<_, _> = names.iter().map(|name| EventText::parse(name)).collect();
        feeds.context("registry.required_feeds")
    }

    /// When a reassuring answer is withdrawn.
    pub(crate) fn freshness(&self) -> Freshness {
        let limit =
            |seconds: u64| (seconds > 0).then(|| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
        Freshness {
            swap_stale_after: limit(self.registry.swap_stale_after_s),
            registration_stale_after: limit(self.registry.registration_stale_after_s),
        }
    }

    /// Checks what types alone cannot.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.plan()?;
        self.zone()?;
        self.currency()?;
        self.metrics_address()?;
        self.traces.check()?;
        self.sign_in.check()?;
        self.single_sign_on.check()?;
        self.assistant.check()?;
        self.mail.check()?;
        self.retention.check()?;
        self.billing.check()?;
        self.support.check()?;
        let every_s = self.status.probe_every_s;
        ensure!(every_s == 0 || (15..=3_600).contains(&every_s), "status.probe_every_s is not 0 or within 15 to 3600");
        self.store.check()?;
        self.check_listeners()?;
        let server = &self.server;
        let times = [
            ("header_timeout_ms", server.header_timeout_ms),
            ("body_timeout_ms", server.body_timeout_ms),
            ("request_timeout_ms", server.request_timeout_ms),
            ("answer_timeout_ms", server.answer_timeout_ms),
            ("idle_timeout_ms", server.idle_timeout_ms),
            ("drain_timeout_ms", server.drain_timeout_ms),
        ];
        for (name, value) in times {
            ensure!((10..=600_000).contains(&value), "server.{name}: {value} is not within 10 to 600000");
        }
        ensure!(
            (1_024..=1_048_576).contains(&server.body_bytes_max),
            "server.body_bytes_max is not within 1024 to 1048576"
        );
        ensure!(
            server.connections_max > 0 && server.connections_per_address_max > 0,
            "server.connections_max and server.connections_per_address_max must be positive"
        );
        ensure!(server.worker_threads <= 1_024, "server.worker_threads is not within 0 (one per core) to 1024");
        ensure!(
            (1..=1_000_000).contains(&self.ledger.queue_checks_max),
            "ledger.queue_checks_max is not within 1 to 1000000"
        );
        ensure!(self.ledger.pause_us_max <= 10_000, "ledger.pause_us_max is not within 0 to 10000");
        ensure!(
            (10_000..=100_000_000).contains(&self.registry.sort_chunk_rows),
            "registry.sort_chunk_rows is not within 10000 to 100000000"
        );
        ensure!((1..=3_650).contains(&self.sandbox.idle_days_max), "sandbox.idle_days_max is not within 1 to 3650");
        self.required_feeds()?;
        self.check_upstream()
    }
}
