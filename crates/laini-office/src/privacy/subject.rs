use futures_executor::block_on;
use jiff::Timestamp;
use laini_core::line::{Line, Msisdn};
use laini_core::store::{Lookup, SubjectHash};

use super::Span;
use crate::{Office, Problem};

/// A number, and how checks are answered about it now.
pub struct Subject {
    /// The number.
    pub number: Msisdn,
    /// Its keyed hash.
    pub hash: SubjectHash,
    /// The line as checks are answered from it: who holds the number decides what is told and forgotten.
    pub found: Lookup,
}

/// Whose time a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holdings {
    /// The present holder's: what was before is somebody else's.
    #[default]
    Present,
    /// Everybody's: by an order.
    All,
    /// Everybody's before the present holder; of erasure alone.
    Earlier,
}

impl Holdings {
    /// In their order.
    pub const ALL: [Self; 3] = [Self::Present, Self::All, Self::Earlier];

    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::All => "all",
            Self::Earlier => "earlier",
        }
    }

    /// Reads [`Holdings::word`].
    pub fn parse(word: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|one| one.word() == word);
        found.ok_or(Problem::invalid("holdings", "expected present, all or earlier"))
    }
}

/// The number that whoever takes a step names, in any form that people write. It is kept nowhere, so each step that
/// needs it is told it again.
pub fn number_named(office: &Office, text: &str) -> Result<Msisdn, Problem> {
    let form = |_| Problem::invalid("number", "not a phone number of this operator's form");
    office.settings.plan.parse_spaced(text).map_err(form)
}

impl Subject {
    /// Looks a number up in what checks are answered from.
    pub fn look_up(office: &Office, number: Msisdn) -> Result<Self, Problem> {
        let registry = office.registry.as_ref().ok_or(Problem::not_now("no registry can be asked here"))?;
        let found = block_on(registry.look_up(number)).map_err(|error| {
            Problem::not_now(format!(
                "the number cannot be looked up: {error}; what is done about it depends on its present holder"
            ))
        })?;
        Ok(Self { number, hash: office.keys.subject().number(number), found })
    }

    /// What is known of its line.
    pub fn line(&self) -> Option<&Line> {
        self.found.state.line.as_ref()
    }

    /// When the present holder's time began: what was before is an earlier holder's.
    pub fn present_holding(&self) -> Result<Timestamp, Problem> {
        let line = self.line().ok_or(Problem::not_now("nobody is known to hold the number"))?;
        Ok(line.holding_since())
    }

    /// The part of a span that lies in these holdings.
    pub fn span(&self, asked: Span, holdings: Holdings) -> Result<Span, Problem> {
        let span = match holdings {
            Holdings::Present => asked.of_holding(self.line()),
            Holdings::All => asked,
            Holdings::Earlier => {
                let began = self.present_holding()?;
                Span { until: Some(asked.until.map_or(began, |until| until.min(began))), ..asked }
            }
        };
        match (span.from, span.until) {
            (Some(from), Some(until)) if from >= until => {
                Err(Problem::not_now("the span and the holding have no day in common"))
            }
            _ => Ok(span),
        }
    }
}
