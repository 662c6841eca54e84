use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use laini_core::partner::DocumentPurpose;
use laini_office::PageRequest;
use laini_office::agreements::digest_in_words;
use laini_office::organisation::{self, Details, Missing};
use serde::Serialize;

use crate::command::Context;
use crate::command::context::{in_office, partner_of};

/// `laini partner details`
#[derive(Args)]
pub(crate) struct DetailsArgs {
    /// The partner: its name or id.
    partner: String,
    /// A file of JSON with all details, as the API takes them: they take the place of those there are.
    #[arg(long, value_name = "FILE")]
    set: Option<PathBuf>,
}

/// `laini partner document`
#[derive(Args)]
pub(crate) struct DocumentArgs {
    /// The partner: its name or id.
    partner: String,
    /// A PDF, JPEG or PNG of at most 10 MiB.
    file: PathBuf,
    /// What it is for: incorporation, tax_pin, data_protection, signed_agreement, other.
    #[arg(long, value_parser = DocumentPurpose::parse)]
    purpose: DocumentPurpose,
}

#[derive(Serialize)]
struct DetailsReport {
    partner: String,
    details: Details,
    documents: Vec<DocumentReport>,
    missing: Vec<String>,
}

#[derive(Serialize)]
struct DocumentReport {
    document: String,
    purpose: &'static str,
    name: String,
    sha256: String,
}

impl DocumentReport {
    fn of(document: &organisation::Document) -> Self {
        Self {
            document: document.id.to_string(),
            purpose: document.purpose.word(),
            name: document.name.clone(),
            sha256: digest_in_words(&document.digest),
        }
    }
}

impl DetailsReport {
    fn in_words(&self) -> String {
        let fields = serde_json::to_value(&self.details).unwrap_or_default();
        let told = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Object(contact) => {
                let of = |name: &str| contact.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
                Some(format!("{} <{}> {}", of("name"), of("email"), of("phone")).trim_end().to_owned())
            }
            _ => None,
        };
        let known = fields.as_object().into_iter().flatten();
        let mut lines: Vec<String> =
            known.filter_map(|(name, value)| told(value).map(|value| format!("{name:<24} {value}"))).collect();
        lines.extend(self.documents.iter().map(|one| format!("{:<24} {} ({})", one.purpose, one.name, one.document)));
        let missing = if self.missing.is_empty() { "nothing".to_owned() } else { self.missing.join(", ") };
        lines.push(format!("{:<24} {missing}", "missing"));
        lines.join("\n")
    }
}

/// Shows what is known of an organisation, or puts other details in its place.
pub(crate) fn details(context: &Context, args: &DetailsArgs) -> anyhow::Result<()> {
    let given: Option<Details> = match &args.set {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            Some(serde_json::from_str(&text).with_context(|| format!("{} holds no details", file.display()))?)
        }
    };
    let report = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        let details = match &given {
            Some(details) => organisation::set_details(work, partner, details.clone())?,
            None => organisation::details(work, partner)?,
        };
        let documents = organisation::list_documents(work, partner, PageRequest::LONGEST)?.items;
        let missing = organisation::missing(work, partner)?.into_iter().map(Missing::word).collect();
        let documents = documents.iter().map(DocumentReport::of).collect();
        Ok(DetailsReport { partner: partner.to_string(), details, documents, missing })
    })?;
    context.out.data(&report, DetailsReport::in_words)
}

/// Takes a document.
pub(crate) fn document(context: &Context, args: &DocumentArgs) -> anyhow::Result<()> {
    let size = std::fs::metadata(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?.len();
    anyhow::ensure!(size <= laini_core::partner::DocumentFormat::BYTES_MAX as u64, "a document has at most 10 MiB");
    let bytes = std::fs::read(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let document = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        organisation::add_document(work, partner, args.purpose, &name, &bytes)
    })?;
    context.out.data(&DocumentReport::of(&document), |report| {
        format!("{} is kept as document {} ({})", report.name, report.document, report.purpose)
    })
}
