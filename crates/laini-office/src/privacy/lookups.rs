use laini_core::store::{AccountBook, AskedCheck, AskedQuery, Ledger, LedgerError, SubjectHash};
use serde::Serialize;

use crate::Problem;

/// Reads every check that fits, page by page, in ascending order of id: however many there are, one page is in memory.
/// `take` is told each page and how many rows were looked at for it; its error ends the scan.
pub async fn scan<E: From<LedgerError>>(
    ledger: &dyn Ledger,
    mut query: AskedQuery,
    mut take: impl FnMut(Vec<AskedCheck>, u64) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let page = ledger.asked(query.clone()).await?;
        take(page.checks, page.looked_at)?;
        query.after = page.after;
        if query.after.is_none() {
            return Ok(());
        }
    }
}

/// A row of the report who asked about whom; its columns in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookupRow<'a> {
    /// When.
    pub at: String,
    /// The partner's name.
    pub partner: &'a str,
    /// The app's name.
    pub app: &'a str,
    /// `sandbox` or `production`.
    pub environment: &'static str,
    /// What was asked.
    pub product: &'static str,
    /// For what.
    pub purpose: &'static str,
    /// What came of it.
    pub outcome: &'static str,
    /// Masked, or in full; empty once it was forgotten.
    pub number: String,
    /// The keyed hash: equal numbers have equal ones, also when they are forgotten.
    pub number_hash: String,
}

/// The heads of its columns.
pub const LOOKUP_COLUMNS: [&str; 9] =
    ["at", "partner", "app", "environment", "product", "purpose", "outcome", "number", "number_hash"];

/// A check as a row of the report; `reveal` = numbers in full.
pub fn lookup_row<'a>(check: &AskedCheck, book: &'a AccountBook, reveal: bool) -> LookupRow<'a> {
    let AskedCheck { row, number, subject } = check;
    let partner = book.partners.iter().find(|partner| partner.id == row.partner);
    let app = book.apps.iter().find(|app| app.id == row.app);
    let shown = subject.as_ref().map(|subject| subject.msisdn);
    LookupRow {
        at: row.at.to_string(),
        partner: partner.map_or("", |partner| &partner.name),
        app: app.map_or("", |app| &app.name),
        environment: row.environment.word(),
        product: row.product.word(),
        purpose: row.purpose.word(),
        outcome: row.outcome.word(),
        number: shown.map(|number| if reveal { number.digits() } else { number.masked() }).unwrap_or_default(),
        number_hash: number.map(SubjectHash::hex).unwrap_or_default(),
    }
}

/// Checks as comma-separated values with masked numbers, `is_first` with a head.
pub fn lookups_csv(checks: &[AskedCheck], book: &AccountBook, is_first: bool) -> Result<Vec<u8>, Problem> {
    let failed = |error: csv::Error| Problem::Store(error.to_string());
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    if is_first {
        csv.write_record(LOOKUP_COLUMNS).map_err(failed)?;
    }
    checks.iter().try_for_each(|check| csv.serialize(lookup_row(check, book, false))).map_err(failed)?;
    csv.into_inner().map_err(|error| Problem::Store(error.to_string()))
}
