use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use laini_core::billing::CheckId;
use laini_core::partner::{AppId, PartnerId};
use laini_core::store::{AccountBook, Ledger, PlacedRow, RowQuery};
use serde::Serialize;

use super::usage::midnight;
use crate::{Problem, Work};

/// The header of every export of the ledger as CSV.
const COLUMNS: [&str; 17] = [
    "requestRefID",
    "at",
    "partner",
    "app",
    "product",
    "environment",
    "outcome",
    "charge_minor",
    "currency",
    "list_price_minor",
    "price_version",
    "purpose",
    "as_of",
    "policy_version",
    "reverses",
    "writer",
    "seq",
];

/// A row of the ledger with names for ids; the columns of every export, in their order.
#[derive(Debug, Clone, Serialize)]
pub struct NamedRow {
    /// The check.
    #[serde(rename = "requestRefID")]
    pub request_ref_id: String,
    /// When it was decided, RFC 3339.
    pub at: String,
    /// Whose it is.
    pub partner: String,
    /// Which of its apps asked.
    pub app: String,
    /// What was asked.
    pub product: &'static str,
    /// Where.
    pub environment: &'static str,
    /// What came of it.
    pub outcome: &'static str,
    /// What it costs, in minor units; negative of a reversal.
    pub charge_minor: i64,
    /// The currency.
    pub currency: String,
    /// The price of one unit then, in minor units,
    pub list_price_minor: i64,
    /// and its version.
    pub price_version: u32,
    /// What for.
    pub purpose: &'static str,
    /// How far the registry's knowledge reached; empty: unknown.
    pub as_of: String,
    /// Which version of the disclosure rules decided.
    pub policy_version: u32,
    /// Of a reversal: the check whose charge it takes back.
    pub reverses: String,
    /// Which writer wrote it,
    pub writer: u32,
    /// and its place in that writer's chain.
    pub seq: u64,
}

/// Turns ids into names.
#[derive(Debug)]
pub struct Names {
    partners: HashMap<PartnerId, String>,
    apps: HashMap<AppId, String>,
}

impl Names {
    /// Those of these accounts.
    pub fn of(book: AccountBook) -> Self {
        Self {
            partners: book.partners.into_iter().map(|partner| (partner.id, partner.name)).collect(),
            apps: book.apps.into_iter().map(|app| (app.id, app.name)).collect(),
        }
    }

    /// A row as it is exported.
    pub fn row(&self, placed: &PlacedRow) -> NamedRow {
        let row = &placed.row;
        NamedRow {
            request_ref_id: row.id.request_ref(),
            at: row.at.to_string(),
            partner: self.partners.get(&row.partner).cloned().unwrap_or_else(|| row.partner.to_string()),
            app: self.apps.get(&row.app).cloned().unwrap_or_else(|| row.app.to_string()),
            product: row.product.word(),
            environment: row.environment.word(),
            outcome: row.outcome.word(),
            charge_minor: row.charge.minor,
            currency: row.charge.currency.as_str().to_owned(),
            list_price_minor: row.list_price.minor,
            price_version: row.price_version,
            purpose: row.purpose.word(),
            as_of: row.as_of.map(|at| at.to_string()).unwrap_or_default(),
            policy_version: row.policy_version,
            reverses: row.reverses.map(CheckId::request_ref).unwrap_or_default(),
            writer: placed.writer,
            seq: placed.seq,
        }
    }
}

/// Rows as every export has them as CSV; after the names of the columns where they are the first.
pub fn export_csv(rows: impl IntoIterator<Item = NamedRow>, is_first: bool) -> Result<Vec<u8>, Problem> {
    let failed = |error: csv::Error| Problem::Store(error.to_string());
    let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    if is_first {
        csv.write_record(COLUMNS).map_err(failed)?;
    }
    rows.into_iter().try_for_each(|row| csv.serialize(row)).map_err(failed)?;
    csv.into_inner().map_err(|error| Problem::Store(error.to_string()))
}

/// Rows that are read at once; so many are held while somebody downloads.
const ROWS_PER_CHUNK: usize = 4_000;

/// The rows of a partner's checks as CSV, a page of the ledger at a time: memory does not grow with them.
pub struct LedgerExport {
    ledger: Arc<dyn Ledger>,
    names: Names,
    /// What is read next; `None` = all was.
    query: Option<RowQuery>,
}

impl LedgerExport {
    /// What was decided on the day `from` or later and before the day `until`, in the operator's zone.
    pub fn new(work: &Work<'_>, partner: PartnerId, from: Option<Date>, until: Option<Date>) -> Result<Self, Problem> {
        let book = work.book()?;
        if !book.partners.iter().any(|known| known.id == partner) {
            return Err(Problem::NotFound("partner"));
        }
        let from = from.map(|day| midnight(work.office, "from", day)).transpose()?;
        let until = until.map(|day| midnight(work.office, "until", day)).transpose()?;
        let query =
            Some(RowQuery { from, until, partner: Some(partner), limit: ROWS_PER_CHUNK, ..RowQuery::default() });
        Ok(Self { ledger: Arc::clone(&work.office.ledger), names: Names::of(book), query })
    }

    /// The next bytes, the names of the columns first; `None` at the end.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let Some(query) = self.query.take() else { return Ok(None) };
        let page = self.ledger.placed(query.clone()).await?;
        let chunk = export_csv(page.iter().map(|placed| self.names.row(placed)), query.after.is_none())?;
        if let Some(last) = page.last().filter(|_| page.len() == ROWS_PER_CHUNK) {
            self.query = Some(RowQuery { after: Some(last.row.id), ..query });
        }
        Ok(Some(chunk))
    }
}
