use anyhow::{Context as _, ensure};
use laini_upstream::{Credential, Mapping, Method, Target, UpstreamLimits};
use serde::{Deserialize, Serialize};

use super::Config;

/// Which registry answers checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RegistryKind {
    /// laini's own, fed by snapshots and events.
    #[default]
    BuiltIn,
    /// The operator's back end, asked over HTTP.
    Http,
}

/// How the operator's back end is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UpstreamConfig {
    pub(crate) url: String,
    method: UpstreamMethod,
    body: String,
    pub(crate) credential_header: String,
    pub(crate) credential_file: String,
    pub(crate) ca_file: String,
    pub(crate) client_certificate_file: String,
    pub(crate) client_key_file: String,
    pub(crate) plain_http: bool,
    timeout_ms: u64,
    connect_timeout_ms: u64,
    retry_needs_ms: u64,
    in_flight_max: usize,
    idle_connections_max: usize,
    idle_timeout_ms: u64,
    response_bytes_max: usize,
    response_header_bytes_max: usize,
    breaker_failures_max: u32,
    breaker_open_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum UpstreamMethod {
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        let limits = UpstreamLimits::default();
        Self {
            url: String::new(),
            method: UpstreamMethod::Get,
            body: String::new(),
            credential_header: "Authorization".into(),
            credential_file: String::new(),
            ca_file: String::new(),
            client_certificate_file: String::new(),
            client_key_file: String::new(),
            plain_http: false,
            timeout_ms: limits.timeout_ms,
            connect_timeout_ms: limits.connect_timeout_ms,
            retry_needs_ms: limits.retry_needs_ms,
            in_flight_max: limits.in_flight_max,
            idle_connections_max: limits.idle_connections_max,
            idle_timeout_ms: limits.idle_timeout_ms,
            response_bytes_max: limits.response_bytes_max,
            response_header_bytes_max: limits.response_header_bytes_max,
            breaker_failures_max: limits.breaker_failures_max,
            breaker_open_ms: limits.breaker_open_ms,
        }
    }
}

impl UpstreamConfig {
    /// Whether there is a back end at all.
    pub(crate) fn is_set(&self) -> bool {
        !self.url.is_empty()
    }

    /// Where and how it is asked, with the credential's value where one is needed.
    pub(crate) fn target(&self, credential: Option<&str>) -> anyhow::Result<Target> {
        let method = match self.method {
            UpstreamMethod::Get => Method::Get,
            UpstreamMethod::Post => Method::Post,
        };
        let credential = credential.map(|value| Credential::new(&self.credential_header, value)).transpose();
        let credential = credential.context("upstream.credential_header and upstream.credential_file")?;
        Target::new(&self.url, method, &self.body, credential, self.plain_http)
            .context("upstream.url and upstream.body")
    }

    /// How much it may take.
    pub(crate) fn limits(&self) -> UpstreamLimits {
        UpstreamLimits {
            timeout_ms: self.timeout_ms,
            connect_timeout_ms: self.connect_timeout_ms,
            retry_needs_ms: self.retry_needs_ms,
            in_flight_max: self.in_flight_max,
            idle_connections_max: self.idle_connections_max,
            idle_timeout_ms: self.idle_timeout_ms,
            response_bytes_max: self.response_bytes_max,
            response_header_bytes_max: self.response_header_bytes_max,
            breaker_failures_max: self.breaker_failures_max,
            breaker_open_ms: self.breaker_open_ms,
        }
    }

    /// Checks what types alone cannot.
    fn check(&self) -> anyhow::Result<()> {
        // A check waits 2.5 s for its registry; what takes longer would be cut off without a verdict.
        let ranges = [
            ("timeout_ms", self.timeout_ms, 50, 2_400),
            ("connect_timeout_ms", self.connect_timeout_ms, 10, 2_400),
            ("retry_needs_ms", self.retry_needs_ms, 0, 2_400),
            ("in_flight_max", self.in_flight_max as u64, 1, 65_536),
            ("idle_connections_max", self.idle_connections_max as u64, 0, 65_536),
            ("idle_timeout_ms", self.idle_timeout_ms, 100, 600_000),
            ("response_bytes_max", self.response_bytes_max as u64, 1_024, 1_048_576),
            ("response_header_bytes_max", self.response_header_bytes_max as u64, 8_192, 65_536),
            ("breaker_failures_max", u64::from(self.breaker_failures_max), 1, 1_000_000),
            ("breaker_open_ms", self.breaker_open_ms, 10, 600_000),
        ];
        for (name, value, least, most) in ranges {
            ensure!((least..=most).contains(&value), "upstream.{name}: {value} is not within {least} to {most}");
        }
        ensure!(
            self.client_certificate_file.is_empty() == self.client_key_file.is_empty(),
            "upstream.client_certificate_file and upstream.client_key_file come together"
        );
        Ok(())
    }
}

impl Config {
    /// What the back end's answers mean.
    pub(crate) fn upstream_mapping(&self) -> anyhow::Result<Mapping> {
        Mapping::new(&self.upstream_answer, self.plan()?, self.zone()?).context("upstream_answer")
    }

    /// Checks the back end's settings, where there is one.
    pub(super) fn check_upstream(&self) -> anyhow::Result<()> {
        self.upstream.check()?;
        if self.upstream.is_set() {
            self.upstream.target(None)?;
            self.upstream_mapping()?;
        }
        let is_asked = self.registry.kind == RegistryKind::Http;
        ensure!(!is_asked || self.upstream.is_set(), "registry.kind = \"http\" needs upstream.url");
        Ok(())
    }
}

/// What each setting means; the example file is made of it.
pub(super) const MEANINGS: &[(&str, &str)] = &[
    ("upstream.url", "The back end; {msisdn} stands for the number: https://hlr.example/lines/{msisdn}"),
    ("upstream.method", "GET or POST."),
    ("upstream.body", "With POST: JSON with {msisdn} in it, e.g. '{\"number\":\"{msisdn}\"}'."),
    ("upstream.credential_header", "The header that lets laini in."),
    ("upstream.credential_file", "Its value (e.g. `Bearer …`) is the first line of this file; empty = no such header."),
    ("upstream.ca_file", "Authorities that are trusted besides the system's (PEM)."),
    ("upstream.client_certificate_file", "laini's certificate and its chain, where the back end asks for one (PEM)."),
    ("upstream.client_key_file", "The key of that certificate (PEM)."),
    ("upstream.plain_http", "Allow http:// to another machine: numbers and IMSIs then travel in the clear."),
    ("upstream.timeout_ms", "One look-up in all, its retry too."),
    ("upstream.connect_timeout_ms", "The making of one connection."),
    ("upstream.retry_needs_ms", "A cut connection or a 5xx is tried once more while so much time is left."),
    ("upstream.in_flight_max", "Look-ups at once; beyond, 503 at once."),
    ("upstream.idle_connections_max", "Connections that are kept for later."),
    ("upstream.idle_timeout_ms", "How long they are kept; less than the back end keeps them."),
    ("upstream.response_bytes_max", "Longest body of an answer."),
    ("upstream.response_header_bytes_max", "Longest head of an answer."),
    ("upstream.breaker_failures_max", "Failures in a row after which the back end is left alone."),
    ("upstream.breaker_open_ms", "For how long; then one look-up tries whether it is back."),
    (
        "upstream_answer.msisdn",
        "Where an answer echoes the number (JSON pointer); empty = not compared, which is a risk.",
    ),
    ("upstream_answer.status", "Where the line's status stands; empty = every line that is answered is active."),
    ("upstream_answer.statuses", "The back end's words for it: THEIRS = ours."),
    ("upstream_answer.imsi", "Where the IMSI stands."),
    ("upstream_answer.hashed_imsi", "Where the back end's own hash of it stands, beside the IMSI or instead of it."),
    ("upstream_answer.registered", "Where the registration date stands."),
    ("upstream_answer.holder_since", "Where the present holder's date stands (null = since the registration)."),
    ("upstream_answer.last_swap", "Where the date of the last swap stands."),
    ("upstream_answer.swap_cause", "Where its cause stands; empty = replacement."),
    ("upstream_answer.swap_causes", "The back end's words for it: THEIRS = ours."),
    ("upstream_answer.restricted", "Where true says that the holder's data must not be disclosed."),
    (
        "upstream_answer.date_formats",
        "rfc3339, date, epoch_s, epoch_ms, or patterns such as %d-%m-%Y; the first that fits.",
    ),
    (
        "upstream_answer.never_when",
        "Says \"never swapped\", e.g. '/swap = null'; without such a word an answer without a date is refused.",
    ),
    ("upstream_answer.swap_unknown_when", "Says that nobody knows of a swap, e.g. '/swap = \"N/A\"'."),
    ("upstream_answer.unknown_when", "Says that nothing is sure about the line, e.g. '/state = \"MIGRATING\"'."),
    ("upstream_answer.not_served_when", "Says that the number is not served here, e.g. 'status 404'."),
    ("upstream_answer.as_of", "now, or where an answer says until when it is complete."),
    (
        "upstream_answer.history",
        "Since when every swap is known: always, unknown, P2Y, a day, or a pointer. Must be stated.",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::resolve;

    fn refusal(text: &str) -> String {
        format!("{:#}", resolve(Some(("laini.toml", text)), &|_| None, &[]).unwrap_err())
    }

    #[test]
    fn a_back_end_is_checked_before_it_is_asked() {
        let url = "[upstream]\nurl = \"https://hlr.example/{msisdn}\"\n";
        let answer = "[upstream_answer]\nhistory = \"P2Y\"\n";
        let fine = format!("[registry]\nkind = \"http\"\n{url}{answer}");
        assert!(resolve(Some(("laini.toml", fine.as_str())), &|_| None, &[]).is_ok());
        let cases = [
            ("[registry]\nkind = \"http\"\n".to_owned(), "needs upstream.url"),
            (url.to_owned(), "does not say since when every swap is known"),
            (format!("{url}body = \"x\"\n{answer}"), "a GET has no body"),
            (format!("{url}timeout_ms = 2500\n{answer}"), "upstream.timeout_ms: 2500 is not within 50 to 2400"),
            (format!("{url}client_key_file = \"key.pem\"\n{answer}"), "come together"),
            (format!("{url}{answer}imsi = \"imsi\"\n"), "no JSON pointer"),
            (url.replace("https", "http") + answer, "in the clear"),
        ];
        for (text, expected) in cases {
            let error = refusal(&text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
