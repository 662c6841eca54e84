use anyhow::ensure;
use laini_server::observe::TraceSettings;
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// Where spans of requests go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TracesConfig {
    otlp_endpoint: String,
    sampled_per_mille: u16,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), sampled_per_mille: 1_000 }
    }
}

impl TracesConfig {
    /// As the server takes it, where spans go anywhere.
    pub(crate) fn settings(&self) -> Option<TraceSettings> {
        (!self.otlp_endpoint.is_empty()).then(|| TraceSettings {
            otlp_endpoint: self.otlp_endpoint.clone(),
            sampled_per_mille: self.sampled_per_mille,
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!((1..=1_000).contains(&self.sampled_per_mille), "traces.sampled_per_mille is not within 1 to 1000");
        if self.otlp_endpoint.is_empty() {
            return Ok(());
        }
        let url = Url::parse(&self.otlp_endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let is_whole = url.is_some_and(|url| url.username().is_empty() && url.path().len() > 1);
        ensure!(is_whole, "traces.otlp_endpoint is no whole URL, such as http://127.0.0.1:4318/v1/traces");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve;

    #[test]
    fn where_spans_go_is_a_whole_url() {
        let read = |endpoint: &str| {
            let text = format!("[traces]\notlp_endpoint = \"{endpoint}\"\n");
            resolve(Some(("laini.toml", text.as_str())), &|_| None, &[]).map(|read| read.config.traces.settings())
        };
        assert!(read("").unwrap().is_none());
        assert_eq!(read("https://otel.example/v1/traces").unwrap().unwrap().sampled_per_mille, 1_000);
        for bad in ["127.0.0.1:4318", "http://127.0.0.1:4318", "grpc://otel/v1/traces", "http://me:x@otel/v1/traces"] {
            assert!(read(bad).unwrap_err().to_string().contains("no whole URL"), "{bad}");
        }
    }
}
