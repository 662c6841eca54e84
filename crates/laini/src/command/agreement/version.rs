use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use laini_core::partner::{AgreementId, DocumentId, PartnerId};
use laini_office::agreements::{self, AgreementRecord, AgreementState, Terms, digest_in_words};
use laini_office::{PageRequest, Problem, Work};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// A version of a partner's agreement.
#[derive(Args)]
pub(crate) struct VersionArgs {
    /// The partner: its name or id.
    partner: String,
    /// The version's id; without it, the newest.
    #[arg(long, value_parser = parse_id)]
    agreement: Option<AgreementId>,
}

/// `laini agreement draft`
#[derive(Args)]
pub(crate) struct DraftArgs {
    /// The partner: its name or id.
    partner: String,
    /// A file of JSON with all terms, as the API takes them; without it, those of the last signed version, or the
    /// standard ones.
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,
    /// When it takes effect (RFC 3339); without it, once both sides have signed.
    #[arg(long, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// When it is over (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
}

/// `laini agreement sign`
#[derive(Args)]
#[group(id = "how", required = true, args = ["sha256", "scan"])]
pub(crate) struct SignArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// SHA-256 of the PDF that you read: it is signed for the operator.
    #[arg(long, value_name = "DIGEST")]
    sha256: Option<String>,
    /// The document with the scanned copy that both sides signed on paper.
    #[arg(long, value_name = "DOCUMENT", value_parser = parse_document)]
    scan: Option<DocumentId>,
}

/// `laini agreement end`
#[derive(Args)]
pub(crate) struct EndArgs {
    /// The partner: its name or id.
    partner: String,
    /// When it is over (RFC 3339); without it, as early as its notice allows.
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

/// `laini agreement print`
#[derive(Args)]
#[group(id = "form", required = true, args = ["pdf", "html"])]
pub(crate) struct PrintArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// Where the PDF goes: the bytes that both sides sign.
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Where the page goes, with who has signed.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A version as it is shown.
#[derive(Serialize)]
struct VersionReport {
    agreement: String,
    version: u32,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    signed_by: Vec<&'static str>,
}

#[derive(Serialize)]
struct EndReport {
    ends: Timestamp,
}

#[derive(Serialize)]
struct PrintReport {
    agreement: String,
    bytes: usize,
}

impl VersionReport {
    fn of(record: &AgreementRecord) -> Self {
        Self {
            agreement: record.id.to_string(),
            version: record.number,
            state: record.state.word(),
            valid_from: record.terms.valid_from,
            valid_until: record.terms.valid_until,
            sha256: record.text.as_ref().map(|text| digest_in_words(&text.pdf)),
            signed_by: record.signatures.iter().map(|signature| signature.side.word()).collect(),
        }
    }

    fn in_words(&self) -> String {
        let signed = if self.signed_by.is_empty() { "nobody".to_owned() } else { self.signed_by.join(", ") };
        let digest = self.sha256.as_deref().unwrap_or("none: not sent yet");
        format!(
            "version {} ({}) is {}; signed by: {signed}; sha256: {digest}",
            self.version, self.agreement, self.state
        )
    }
}

fn parse_id(text: &str) -> Result<AgreementId, String> {
    AgreementId::parse(text).map_err(|error| error.to_string())
}

fn parse_document(text: &str) -> Result<DocumentId, String> {
    DocumentId::parse(text).map_err(|error| error.to_string())
}

impl VersionArgs {
    fn find(&self, work: &mut Work<'_>) -> Result<(PartnerId, AgreementRecord), Problem> {
        let partner = partner_of(work, &self.partner)?;
        let newest = PageRequest { limit: 1, ..PageRequest::FIRST };
        let record = match self.agreement {
            Some(id) => agreements::agreement(work, partner, id)?,
            None => {
                agreements::list_agreements(work, partner, newest)?.items.pop().ok_or(Problem::NotFound("version"))?
            }
        };
        Ok((partner, record))
    }
}

/// Writes a new version.
pub(crate) fn draft(context: &Context, args: &DraftArgs) -> anyhow::Result<()> {
    let given: Option<Terms> = match &args.terms {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            Some(serde_json::from_str(&text).with_context(|| format!("{} holds no terms", file.display()))?)
        }
    };
    let record = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        let versions = agreements::list_agreements(work, partner, PageRequest::LONGEST)?.items;
        let last = versions.into_iter().find(|version| version.state == AgreementState::Signed);
        // What a version before had of dates is over.
        let last = last.map(|last| Terms { valid_from: None, valid_until: None, ..last.terms });
        let standard = || Terms::standard(work.office.settings.currency);
        let terms = given.clone().or(last).unwrap_or_else(standard);
        let (valid_from, valid_until) = (args.from.or(terms.valid_from), args.until.or(terms.valid_until));
        agreements::draft(work, partner, Terms { valid_from, valid_until, ..terms })
    })?;
    context.out.data(&VersionReport::of(&record), VersionReport::in_words)
}

/// Lists the versions of a partner.
pub(crate) fn list(context: &Context, partner: &str) -> anyhow::Result<()> {
    let records = in_office(context, |work| {
        let partner = partner_of(work, partner)?;
        Ok(agreements::list_agreements(work, partner, PageRequest::LONGEST)?.items)
    })?;
    let reports: Vec<_> = records.iter().map(VersionReport::of).collect();
    context.out.data(&reports, |reports| reports.iter().map(VersionReport::in_words).collect::<Vec<_>>().join("\n"))
}

/// Lays a draft before both sides.
pub(crate) fn send(context: &Context, args: &VersionArgs) -> anyhow::Result<()> {
    let record = in_office(context, |work| {
        let (partner, record) = args.find(work)?;
        agreements::send(work, partner, record.id)
    })?;
    context.out.data(&VersionReport::of(&record), VersionReport::in_words)
}

/// Makes a version that was sent a draft again.
pub(crate) fn take_back(context: &Context, args: &VersionArgs) -> anyhow::Result<()> {
    let record = in_office(context, |work| {
        let (partner, record) = args.find(work)?;
        agreements::take_back(work, partner, record.id)
    })?;
    context.out.data(&VersionReport::of(&record), VersionReport::in_words)
}

/// Signs for the operator, or takes note of signatures on paper.
pub(crate) fn sign(context: &Context, args: &SignArgs) -> anyhow::Result<()> {
    let record = in_office(context, |work| {
        let (partner, record) = args.version.find(work)?;
        match (args.scan, &args.sha256) {
            (Some(scan), _) => agreements::sign_on_paper(work, (partner, record.id), scan),
            (None, digest) => {
                let digest = digest.as_deref().unwrap_or_default();
                agreements::sign(work, (partner, record.id), digest, "the operator's machine")
            }
        }
    })?;
    context.out.data(&VersionReport::of(&record), VersionReport::in_words)
}

/// Gives notice.
pub(crate) fn end(context: &Context, args: &EndArgs) -> anyhow::Result<()> {
    let ends = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        agreements::end(work, partner, args.at, &args.reason)
    })?;
    context.out.data(&EndReport { ends }, |report| format!("no agreement is in force from {} on", report.ends))
}

/// Writes a version as a file.
pub(crate) fn print(context: &Context, args: &PrintArgs) -> anyhow::Result<()> {
    let (id, pdf, page) = in_office(context, |work| {
        let (_, record) = args.version.find(work)?;
        let page = agreements::paper(work, &record)?.html();
        Ok((record.id, agreements::text_pdf(work, &record)?, page))
    })?;
    let (file, bytes) = match (&args.pdf, &args.html) {
        (Some(file), _) => (file, pdf),
        (None, Some(file)) => (file, page.into_bytes()),
        (None, None) => anyhow::bail!("name a file: --pdf FILE or --html FILE"),
    };
    std::fs::write(file, &bytes).with_context(|| format!("{} cannot be written", file.display()))?;
    let report = PrintReport { agreement: id.to_string(), bytes: bytes.len() };
    context.out.data(&report, |report| format!("{} bytes written to {}", report.bytes, file.display()))
}
