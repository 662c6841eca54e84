use jiff::{Span, Timestamp};

use super::{Moment, When, WorldRefusal, sim, whole_micros};
use crate::line::{ContractType, HashedImsi, Line, LineState, LineStatus, Msisdn, Swap, SwapCause};

/// A made-up line as somebody states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedLine {
    /// Whether and how it is served.
    pub status: LineStatus,
    /// When it was registered.
    pub registered: Timestamp,
    /// When the present holder took it over, where that differs.
    pub holder_since: Option<Timestamp>,
    /// Its newest swap.
    pub last_swap: Option<Swap>,
    /// The contract behind it.
    pub contract: Option<ContractType>,
    /// Whether its holder's data must not be disclosed.
    pub restricted: bool,
    /// The operator's own hash of the IMSI.
    pub hashed_imsi: Option<HashedImsi>,
}

/// What somebody says of a made-up line. What is not said stays; an inner `None` takes away.
#[derive(Debug, Clone, Default)]
pub struct LineChange {
    /// Whether and how it is served.
    pub status: Option<LineStatus>,
    /// When it was registered.
    pub registered: Option<When>,
    /// When the present holder took it over.
    pub holder_since: Option<Option<When>>,
    /// When its newest swap was.
    pub last_swap: Option<Option<When>>,
    /// Why it was swapped; a replacement where nothing is said.
    pub swap_cause: Option<SwapCause>,
    /// The contract behind it.
    pub contract: Option<Option<ContractType>>,
    /// Whether its holder's data must not be disclosed.
    pub restricted: Option<bool>,
    /// The operator's own hash of the IMSI.
    pub hashed_imsi: Option<Option<HashedImsi>>,
}

impl LineChange {
    /// `line` with the change, when the world's clock shows `now`.
    pub(super) fn apply(
        &self,
        line: StatedLine,
        now: Timestamp,
        moment: Moment<'_>,
    ) -> Result<StatedLine, WorldRefusal> {
        let at = |when: When| when.resolve(now, moment.zone);
        let swapped = self.last_swap.map_or(line.last_swap.map(|swap| swap.at), |when| when.map(at));
        let cause = self.swap_cause.or(line.last_swap.map(|swap| swap.cause)).unwrap_or(SwapCause::Replacement);
        if self.swap_cause.is_some() && swapped.is_none() {
            return Err(WorldRefusal::CauseWithoutSwap);
        }
        Ok(StatedLine {
            status: self.status.unwrap_or(line.status),
            registered: self.registered.map_or(line.registered, at),
            holder_since: self.holder_since.map_or(line.holder_since, |when| when.map(at)),
            last_swap: swapped.map(|at| Swap { at, cause }),
            contract: self.contract.unwrap_or(line.contract),
            restricted: self.restricted.unwrap_or(line.restricted),
            hashed_imsi: self.hashed_imsi.clone().unwrap_or(line.hashed_imsi),
        })
    }
}

impl StatedLine {
    /// A line about which nothing is said: active, registered ten years ago, never swapped.
    pub(super) fn unsaid(now: Timestamp, moment: Moment<'_>) -> Self {
        Self {
            status: LineStatus::Active,
            registered: When::Ago(Span::new().years(10)).resolve(now, moment.zone),
            holder_since: None,
            last_swap: None,
            contract: None,
            restricted: false,
            hashed_imsi: None,
        }
    }

    /// What there is to state of a line.
    pub fn of(line: &Line) -> Self {
        Self {
            status: line.status,
            registered: line.registered,
            holder_since: line.holder_since,
            last_swap: line.last_swap,
            contract: line.contract,
            restricted: line.restricted,
            hashed_imsi: line.hashed_imsi.clone(),
        }
    }

    /// Whether a line can be like this when the world's clock shows `now`.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), WorldRefusal> {
        let swap = self.last_swap.map(|swap| swap.at);
        let named =
            [("registered_at", Some(self.registered)), ("holder_since", self.holder_since), ("last_swap_at", swap)];
        if let Some((name, _)) = named.into_iter().find(|(_, at)| at.is_some_and(|at| at > now)) {
            return Err(WorldRefusal::Future(name));
        }
        if swap.is_some_and(|at| at < self.registered) {
            return Err(WorldRefusal::SwapBeforeRegistration);
        }
        Ok(())
    }

    /// The line in a registry, on the SIM that it had before.
    pub(super) fn as_state(&self, msisdn: Msisdn, before: Option<&Line>) -> LineState {
        let line = Line {
            status: self.status,
            sim: before.map_or_else(|| sim(msisdn, 0).into(), |line| line.sim.clone()),
            registered: whole_micros(self.registered),
            holder_since: self.holder_since.map(whole_micros),
            last_swap: self.last_swap.map(|swap| Swap { at: whole_micros(swap.at), ..swap }),
            swap_learned: false,
            swap_before: None,
            last_pairing: None,
            contract: self.contract,
            restricted: self.restricted,
            hashed_imsi: self.hashed_imsi.clone(),
        };
        LineState { line: Some(line), source_rejected: false }
    }
}
