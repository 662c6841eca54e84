//! What the assistant knows beside the documentation: requests of whoever asks.
//!
//! Owns which requests are told to whom. Must never show a number, or that somebody else's request exists.

use laini_core::billing::CheckId;
use laini_core::partner::PartnerId;

use crate::requests::{Opened, Request, open, open_any};
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

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRequest {
    /// Whose app called.
    pub partner: PartnerId,
    /// The app, by its name.
    pub app: String,
    /// The call, as the log of requests opens it.
    pub request: Request,
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
pub fn named_requests(work: &Work<'_>, asker: &Actor, text: &str) -> Result<Vec<NamedRequest>, Problem> {
    let ids = ids_in(text);
    if ids.is_empty() || *asker == Actor::Stranger {
        return Ok(Vec::new());
    }
    let apps = work.book()?.apps;
    let opened = |id| match asker.partner() {
        Some(partner) => open(work, partner, id).map(|opened| (partner, opened)),
        None => open_any(work, id),
    };
    let mut requests = Vec::with_capacity(ids.len());
    for id in ids {
        let found = match opened(id) {
            Ok((partner, Opened { request, .. })) => {
                let app = apps.iter().find(|app| app.id == request.app).map(|app| app.name.clone());
                Some(FoundRequest { partner, app: app.unwrap_or_else(|| request.app.to_string()), request })
            }
            Err(Problem::NotFound(_)) => None,
            Err(problem) => return Err(problem),
        };
        requests.push(NamedRequest { id, found });
    }
    Ok(requests)
}
