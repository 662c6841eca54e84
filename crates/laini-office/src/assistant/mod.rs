//! What the assistant knows beside the documentation: requests of whoever asks.
//!
//! Owns which requests are told to whom. Must never show a number, or that somebody else's request exists.

use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::billing::{CheckId, Money, Outcome};
use laini_core::partner::{Environment, Product};
use laini_core::store::FoundCheck;

use crate::{Actor, Problem, Work};

/// Ids of one question that are looked up.
pub const REQUESTS_MAX: usize = 5;

/// A request that a question names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRequest {
    /// Its id.
    pub id: CheckId,
    /// What became of it; `None` = not known, or not the asker's.
    pub found: Option<FoundRequest>,
}

/// What the ledger says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRequest {
    /// When it was decided.
    pub at: Timestamp,
    /// The app that asked.
    pub app: String,
    /// What was asked.
    pub product: Product,
    /// Where.
    pub environment: Environment,
    /// What came of it.
    pub outcome: Outcome,
    /// What it was charged.
    pub charge: Money,
    /// Whether that was taken back since.
    pub is_reversed: bool,
}

/// The ids of requests that stand in a text, each once; the first [`REQUESTS_MAX`].
pub fn ids_in(text: &str) -> Vec<CheckId> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let mut ids = Vec::new();
    for id in words.filter_map(|word| CheckId::parse_request_ref(&word.to_ascii_lowercase()).ok()) {
        if !ids.contains(&id) && ids.len() < REQUESTS_MAX {
            ids.push(id);
        }
    }
    ids
}

/// What `asker` may know of the requests that stand in `text`: members of those of their partner, the operator's side
/// of all, nobody else of any.
pub fn named_requests(work: &mut Work<'_>, asker: &Actor, text: &str) -> Result<Vec<NamedRequest>, Problem> {
    let ids = ids_in(text);
    if ids.is_empty() || *asker == Actor::Stranger {
        return Ok(Vec::new());
    }
    let apps = work.book()?.apps;
    let name = |check: &FoundCheck| {
        let app = apps.iter().find(|app| app.id == check.row.app);
        app.map_or_else(|| check.row.app.to_string(), |app| app.name.clone())
    };
    let mut requests = Vec::with_capacity(ids.len());
    for id in ids {
        let check = block_on(work.office.ledger.find(id)).map_err(|error| Problem::Store(error.to_string()))?;
        let own = check.filter(|check| asker.partner().is_none_or(|partner| partner == check.row.partner));
        let found = own.map(|check| FoundRequest {
            at: check.row.at,
            app: name(&check),
            product: check.row.product,
            environment: check.row.environment,
            outcome: check.row.outcome,
            charge: check.row.charge,
            is_reversed: check.is_reversed,
        });
        requests.push(NamedRequest { id, found });
    }
    Ok(requests)
}
