use anyhow::{Context as _, ensure};
use laini_server::Assistant;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::single_sign_on::is_protected;

/// How long a model may take, in milliseconds: less makes no sense, more keeps people waiting.
const TIMEOUT_MS: std::ops::RangeInclusive<u64> = 100..=20_000;

/// The model that phrases the assistant's answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AssistantConfig {
    url: String,
    model: String,
    key_file: String,
    timeout_ms: u64,
}

impl Default for AssistantConfig {
    fn default() -> Self {
        Self { url: String::new(), model: String::new(), key_file: String::new(), timeout_ms: 6_000 }
    }
}

/// What each of them means.
pub(super) const MEANINGS: &[(&str, &str)] = &[
    (
        "assistant.url",
        "An endpoint that speaks OpenAI's protocol, up to /chat/completions; empty = the documentation's own words are the answer.",
    ),
    ("assistant.model", "Which model it is asked for."),
    ("assistant.key_file", "A file whose first line is its key; empty = it takes none."),
    ("assistant.timeout_ms", "How long it may take before the passages alone are the answer."),
];

impl AssistantConfig {
    /// As the server takes it, where there is one.
    pub(crate) fn model(&self) -> anyhow::Result<Option<Assistant>> {
        if self.url.is_empty() {
            return Ok(None);
        }
        let (url, model) = (self.url.clone(), self.model.clone());
        Ok(Some(Assistant { url, model, key: self.key()?, timeout_ms: self.timeout_ms }))
    }

    fn key(&self) -> anyhow::Result<Option<Zeroizing<String>>> {
        let file = &self.key_file;
        if file.is_empty() {
            return Ok(None);
        }
        let text =
            std::fs::read_to_string(file).with_context(|| format!("assistant.key_file: {file} cannot be read"))?;
        let text = Zeroizing::new(text);
        Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned())))
    }

    /// Checks what types alone cannot.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            TIMEOUT_MS.contains(&self.timeout_ms),
            "assistant.timeout_ms: {} is not within {} to {}",
            self.timeout_ms,
            TIMEOUT_MS.start(),
            TIMEOUT_MS.end()
        );
        if self.url.is_empty() {
            return Ok(());
        }
        ensure!(
            is_protected(&self.url),
            "assistant.url is no https URL without query (http is for this machine alone)"
        );
        ensure!(!self.model.is_empty(), "assistant.model must say which model is asked for");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve;

    #[test]
    fn a_model_is_named_whole_and_reached_over_tls() {
        let read = |rest: &str| {
            let text = format!("[assistant]\n{rest}\n");
            resolve(Some(("laini.toml", &text)), &|_| None, &[]).map(drop)
        };
        for (rest, problem) in [
            ("url = \"http://models.example/v1\"\nmodel = \"m\"", "url"),
            ("url = \"https://models.example/v1?key=1\"\nmodel = \"m\"", "url"),
            ("url = \"https://models.example/v1\"", "model"),
            ("timeout_ms = 99", "timeout_ms"),
            ("timeout_ms = 20001", "timeout_ms"),
        ] {
            let told = format!("{:#}", read(rest).unwrap_err());
            assert!(told.contains(&format!("assistant.{problem}")), "{rest}: {told}");
        }
        read("url = \"https://models.example/v1\"\nmodel = \"m\"").unwrap();
        read("url = \"http://127.0.0.1:11434/v1\"\nmodel = \"m\"").unwrap();
    }
}
