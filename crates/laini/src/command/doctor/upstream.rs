use super::Findings;
use crate::command::context::block_on;
use crate::compose::back_end;
use crate::config::{Config, RegistryKind};

/// The operator's back end: what its settings leave open, and whether it can be connected to.
pub(super) fn look(config: &Config, findings: &mut Findings) {
    let (upstream, answer) = (&config.upstream, &config.upstream_answer);
    if !upstream.is_set() {
        return;
    }
    if answer.msisdn.is_empty() {
        findings.advice(
            "upstream",
            "upstream_answer.msisdn is empty: an answer about another number would pass",
            "have the back end echo the number, and name where it stands",
        );
    }
    if upstream.plain_http {
        findings.advice(
            "upstream",
            "upstream.plain_http is set: numbers and IMSIs may travel in the clear",
            "reach the back end over https:// and unset it",
        );
    }
    let reached = back_end(config).and_then(|back_end| Ok(block_on(back_end.reach())??));
    if let Err(error) = reached {
        let (found, hint) =
            (format!("the back end cannot be connected to: {error:#}"), "see the settings of [upstream]");
        match config.registry.kind {
            RegistryKind::Http => findings.problem("upstream", found, hint),
            RegistryKind::BuiltIn => findings.advice("upstream", found, hint),
        }
    }
}
