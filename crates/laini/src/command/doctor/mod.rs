//! `laini doctor`: looks for what is unsafe, stale, full or wrong.
//!
//! Owns the list of what is looked at. Must never change, make or repair anything, or show a number.

mod data;
mod feed;
mod machine;
mod server;
mod settings;
mod tls;
mod upstream;

use serde::Serialize;

use super::Context;
use crate::compose::House;
use crate::failure::WithHint as _;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// It must be changed; the exit code says so.
    Problem,
    /// It is better changed.
    Advice,
}

/// Something found, and what to do about it.
#[derive(Debug, Serialize)]
struct Finding {
    severity: Severity,
    /// What was looked at, in a word.
    about: &'static str,
    found: String,
    hint: String,
}

/// What is found as it goes along.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn problem(&mut self, about: &'static str, found: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Problem, about, found: found.into(), hint: hint.into() });
    }

    fn advice(&mut self, about: &'static str, found: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Advice, about, found: found.into(), hint: hint.into() });
    }
}

#[derive(Serialize)]
struct DoctorReport {
    problems: usize,
    advice: usize,
    findings: Vec<Finding>,
}

/// Looks at everything; exit code 1 where there is a problem.
pub(crate) fn run(context: &Context) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    let (data, config) = context.existing()?;
    settings::look(&config, &mut findings);
    tls::look(&config, &mut findings);
    upstream::look(&config, &mut findings);
    machine::look(&config, &data, &mut findings);
    server::look(&config, &data, &mut findings);
    data::look(&config, &data, &mut findings);
    if data.has_data() && data::is_readable(&data, &mut findings) {
        match House::open(data, &config) {
            Ok(house) => feed::look(&config, &house, &mut findings),
            Err(error) => findings.problem("keys", format!("{error:#}"), "put the key directory in place"),
        }
    }
    let count = |severity| findings.0.iter().filter(|finding| finding.severity == severity).count();
    let (problems, advice) = (count(Severity::Problem), count(Severity::Advice));
    let report = DoctorReport { problems, advice, findings: findings.0 };
    context.out.data(&report, in_words)?;
    if problems > 0 {
        return Err(anyhow::anyhow!("{problems} problems were found")).hint("each is told with what to do about it");
    }
    Ok(())
}

fn in_words(report: &DoctorReport) -> String {
    if report.findings.is_empty() {
        return "nothing to complain about".to_owned();
    }
    let word = |severity| match severity {
        Severity::Problem => "PROBLEM",
        Severity::Advice => "advice ",
    };
    let line = |finding: &Finding| {
        format!("{} {}: {}\n        hint: {}", word(finding.severity), finding.about, finding.found, finding.hint)
    };
    report.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
