use std::collections::BTreeMap;

use laini_office::{Problem, Work};

use super::{Beside, Call, Reply};
use crate::http::ApiError;
use crate::openapi::{Access, JSON, Operation, Schemas};

/// The largest body of most endpoints.
const BODY_BYTES: usize = 64 * 1024;

/// An operation with what does it.
pub(crate) struct Endpoint {
    /// What it is, and who may.
    pub(crate) operation: Operation,
    /// The largest body that it takes.
    pub(crate) body_bytes: usize,
    /// What is done beside its unit of work.
    pub(crate) beside: Beside,
    /// Whether it may read a month of the ledger or more, which takes seconds.
    pub(crate) is_long: bool,
    /// Does it, in one unit of work; may be begun anew.
    pub(crate) handle: fn(&mut Work<'_>, &Call) -> Result<Reply, Problem>,
}

impl Endpoint {
    /// The operation is refused what the frame refuses: knocks of strangers that come too fast, a body that is none of
    /// its shape, and of every write an idempotency key that was used for something else, or that others were faster
    /// again and again.
    pub(crate) fn new(mut operation: Operation, handle: fn(&mut Work<'_>, &Call) -> Result<Reply, Problem>) -> Self {
        if operation.access == Access::Anyone {
            operation.refusals.push(ApiError::SpikeArrest { retry_after_s: 1 });
        }
        if operation.body.as_ref().is_some_and(|body| body.media_type == JSON) {
            operation.refusals.push(ApiError::InvalidField("body", "what is wrong with it".into()));
        }
        if !operation.method.is_safe() {
            let why = "it is not such that this can be done now: why, and what to do first";
            operation.refusals.extend([ApiError::InvalidHeader("Idempotency-Key"), ApiError::NotNow(why.to_owned())]);
        }
        Self { operation, body_bytes: BODY_BYTES, beside: Beside::Nothing, is_long: false, handle }
    }

    /// With something beside its unit of work.
    pub(crate) fn beside(self, beside: Beside) -> Self {
        Self { beside, ..self }
    }

    /// One that may read a month of the ledger or more; few of them go on at once, and others are told to come back.
    pub(crate) fn long(mut self) -> Self {
        self.operation.refusals.push(ApiError::SpikeArrest { retry_after_s: 10 });
        Self { is_long: true, ..self }
    }
}

/// Endpoints that belong together.
pub(crate) struct Noun {
    /// Their tag in the document.
    pub(crate) tag: &'static str,
    /// What the document says of them.
    pub(crate) description: &'static str,
    /// All of them.
    pub(crate) endpoints: fn() -> Vec<Endpoint>,
    /// The shapes of their bodies.
    pub(crate) schemas: fn() -> Schemas,
}

/// The endpoints of each path together.
pub(crate) fn one_path(nouns: &[Noun]) -> Vec<Vec<Endpoint>> {
    let mut paths: BTreeMap<&'static str, Vec<Endpoint>> = BTreeMap::new();
    for endpoint in nouns.iter().flat_map(|noun| (noun.endpoints)()) {
        paths.entry(endpoint.operation.path).or_default().push(endpoint);
    }
    paths.into_values().collect()
}
