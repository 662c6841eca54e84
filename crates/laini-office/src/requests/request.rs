use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::billing::{CheckId, Money, Outcome};
use laini_core::partner::{AppId, Environment, PartnerId, Product};
use laini_core::store::{AskedCheck, RefusedCall, Stage};

use super::{Step, steps};
use crate::{Problem, Work};

/// A call as it is told: what the ledger has of it, what the log of refused calls has, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id that its answer named.
    pub id: CheckId,
    /// When it came.
    pub at: Timestamp,
    /// Which app called.
    pub app: AppId,
    /// Where.
    pub environment: Environment,
    /// What was asked; `None` = the path is of no one product.
    pub product: Option<Product>,
    /// The number that it was about, masked; `None` = of none, of several, or forgotten.
    pub number: Option<String>,
    /// How it failed; `None` = it was answered, or how it was answered is not kept any more.
    pub failure: Option<Failure>,
    /// What the ledger has of it; `None` = it did not reach the registry.
    pub recorded: Option<Recording>,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was called; empty where there is no such path.
    pub path: String,
    /// The HTTP status.
    pub status: u16,
    /// The code of the table of errors.
    pub code: String,
    /// Where it ended.
    pub stage: Stage,
    /// What its caller was told.
    pub reason: String,
    /// How long it took.
    pub micros: u64,
}

/// What the ledger has of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recording {
    /// What came of it.
    pub outcome: Outcome,
    /// What it costs; 0 where it is free.
    pub charge: Money,
    /// Up to when the registry was complete.
    pub as_of: Option<Timestamp>,
    /// Whether its charge was taken back; known where one call is opened.
    pub is_reversed: bool,
}

impl Request {
    /// The HTTP status; `None` = not kept any more.
    pub fn status(&self) -> Option<u16> {
        let of_row = |recorded: &Recording| match recorded.outcome {
            Outcome::Answered | Outcome::Repeated => Some(200),
            Outcome::NotServed | Outcome::Unknown | Outcome::Withheld | Outcome::Reversal => None,
        };
        self.failure.as_ref().map(|failure| failure.status).or_else(|| self.recorded.as_ref().and_then(of_row))
    }

    pub(super) fn of_row(check: &AskedCheck) -> Self {
        let row = &check.row;
        Self {
            id: row.id,
            at: row.at,
            app: row.app,
            environment: row.environment,
            product: Some(row.product),
            number: check.subject.as_ref().map(|subject| subject.msisdn.masked()),
            failure: None,
            recorded: Some(Recording {
                outcome: row.outcome,
                charge: row.charge,
                as_of: row.as_of,
                is_reversed: false,
            }),
        }
    }

    pub(super) fn of_refused(call: RefusedCall) -> Self {
        let RefusedCall { path, status, code, stage, reason, micros, .. } = call;
        Self {
            id: call.id,
            at: call.at,
            app: call.app,
            environment: call.environment,
            product: call.product,
            number: call.about.map(|about| about.masked),
            failure: Some(Failure { path, status, code, stage, reason, micros }),
            recorded: None,
        }
    }

    /// The same call, with what the ledger has of it too.
    pub(super) fn with_row(self, row: Self) -> Self {
        Self {
            failure: self.failure.or(row.failure),
            number: self.number.or(row.number),
            recorded: row.recorded,
            ..self
        }
    }
}

/// One call, with what happened at each of its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The call.
    pub request: Request,
    /// In their order, as far as it came.
    pub steps: Vec<Step>,
}

/// Opens a call, whoever's it is: for the operator's side.
pub fn open_any(work: &Work<'_>, id: CheckId) -> Result<(PartnerId, Opened), Problem> {
    let partner = match block_on(work.office.refusals.refused_call(id))? {
        Some(call) => call.partner,
        None => block_on(work.office.ledger.find(id))?.ok_or(Problem::NotFound("request"))?.row.partner,
    };
    Ok((partner, open(work, partner, id)?))
}

/// Opens a call of a partner's apps.
pub fn open(work: &Work<'_>, partner: PartnerId, id: CheckId) -> Result<Opened, Problem> {
    let refused = block_on(work.office.refusals.refused_call(id))?.filter(|call| call.partner == partner);
    let found = block_on(work.office.ledger.find(id))?;
    let found = found.filter(|found| found.row.partner == partner && found.row.outcome != Outcome::Reversal);
    let row = found.map(|found| {
        let is_reversed = found.is_reversed;
        let mut row = Request::of_row(&AskedCheck { row: found.row, number: None, subject: found.subject });
        if let Some(recorded) = &mut row.recorded {
            recorded.is_reversed = is_reversed;
        }
        row
    });
    let request = match (refused.map(Request::of_refused), row) {
        (Some(refused), Some(row)) => refused.with_row(row),
        (Some(refused), None) => refused,
        (None, Some(row)) => row,
        (None, None) => return Err(Problem::NotFound("request")),
    };
    let steps = steps(request.failure.as_ref().map(|failure| failure.stage), request.recorded.is_some());
    Ok(Opened { request, steps })
}
