use jiff::Timestamp;

use super::{HashedImsi, Sim};

/// What is known about one MSISDN now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether and how the operator serves it.
    pub status: LineStatus,
    /// The SIM that serves it (of an unserved line: the last one).
    pub sim: Sim,
    /// When the MSISDN was registered (restarts with a new holding).
    pub registered: Timestamp,
    /// When the present holder took it over, where that differs from the registration.
    pub holder_since: Option<Timestamp>,
    /// The newest swap, in the sense of contract §3 ("What counts as a swap").
    pub last_swap: Option<Swap>,
    /// No snapshot stated the newest swap: an event told of it, or it was inferred from another SIM.
    /// Only an event, or a newer statement, takes it back (decision 0009).
    pub swap_learned: bool,
    /// Of a learned swap: the newest other one that is known, which is what remains where an event takes
    /// the learned one back. The learned one itself where nobody knows what is behind it.
    pub swap_before: Option<Swap>,
    /// The newest pairing of number and SIM in the sense of CAMARA SIM Swap (the first activation
    /// counts), where it is neither the newest swap nor the registration.
    pub last_pairing: Option<Timestamp>,
    /// The contract behind the line (CAMARA KYC Tenure), where the feed says.
    pub contract: Option<ContractType>,
    /// The holder's data must not be disclosed (contract §4, 403.002.02).
    pub restricted: bool,
    /// The operator's own hash of the IMSI, where the feed carries one beside it.
    pub hashed_imsi: Option<HashedImsi>,
}

impl Line {
    /// Start of the present holding: what a registration date means to a partner.
    pub fn holding_since(&self) -> Timestamp {
        self.holder_since.map_or(self.registered, |held| held.max(self.registered))
    }

    /// The operator's own hash of the IMSI, where there is one.
    pub fn operator_hash(&self) -> Option<&HashedImsi> {
        match &self.sim {
            Sim::Hashed(hashed) => Some(hashed),
            Sim::Imsi(_) => self.hashed_imsi.as_ref(),
        }
    }

    /// Takes up a swap that was learned. One that is known and newer stays the newest.
    pub(super) fn learn(&mut self, swap: Swap) {
        self.swap_learned = true;
        match self.last_swap {
            Some(known) if known.at > swap.at => self.swap_before = Swap::newest(self.swap_before, Some(swap)),
            known => {
                self.swap_before = known;
                self.last_swap = Some(swap);
            }
        }
    }

    /// The newest pairing of number and SIM, first activation included (CAMARA's "SIM change").
    pub fn paired(&self) -> Timestamp {
        let default = self.last_swap.map_or(self.registered, |swap| swap.at.max(self.registered));
        self.last_pairing.unwrap_or(default)
    }
}

/// Whether and how a line is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineStatus {
    /// Served.
    Active,
    /// Served, but barred for now; it answers as active does.
    Suspended,
    /// Given up; not served.
    Terminated,
    /// Served by another operator now.
    PortedOut,
}

impl LineStatus {
    /// Every status, for tables and parsers.
    pub const ALL: [Self; 4] = [Self::Active, Self::Suspended, Self::Terminated, Self::PortedOut];

    /// Whether the operator answers for the line at all.
    pub fn is_served(self) -> bool {
        matches!(self, Self::Active | Self::Suspended)
    }

    /// The feed's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
            Self::PortedOut => "ported_out",
        }
    }

    /// Reads the feed's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word().eq_ignore_ascii_case(word))
    }
}

/// A change of the SIM (or of the holder) behind a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swap {
    /// When it happened.
    pub at: Timestamp,
    /// Why.
    pub cause: SwapCause,
}

impl Swap {
    /// The newer one of two that may be; of one instant the first.
    pub(super) fn newest(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) if second.at > first.at => Some(second),
            (first, second) => first.or(second),
        }
    }
}

/// Why a SIM behind a number changed (contract §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SwapCause {
    /// A replacement SIM.
    Replacement,
    /// A new eSIM profile.
    Esim,
    /// The number came from another operator.
    PortIn,
    /// A new holder (recycled number).
    NewHolder,
    /// The holder moved to this number and brought the SIM.
    NumberChange,
}

impl SwapCause {
    /// Every cause, for tables and parsers.
    pub const ALL: [Self; 5] = [Self::Replacement, Self::Esim, Self::PortIn, Self::NewHolder, Self::NumberChange];

    /// The feed's and `/v1/checks`' word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Replacement => "replacement",
            Self::Esim => "esim",
            Self::PortIn => "port_in",
            Self::NewHolder => "new_holder",
            Self::NumberChange => "number_change",
        }
    }

    /// Reads the feed's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.word().eq_ignore_ascii_case(word))
    }
}

/// The contract behind a line, as CAMARA KYC Tenure names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContractType {
    /// Pay as you go.
    Payg,
    /// Pay monthly.
    Paym,
    /// A business contract.
    Business,
}

impl ContractType {
    /// Every type, for tables and parsers.
    pub const ALL: [Self; 3] = [Self::Payg, Self::Paym, Self::Business];

    /// The feed's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Payg => "PAYG",
            Self::Paym => "PAYM",
            Self::Business => "Business",
        }
    }

    /// Reads the feed's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.word().eq_ignore_ascii_case(word))
    }
}

/// A line, and whether the feed can be believed about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineState {
    /// What is known, if anything.
    pub line: Option<Line>,
    /// The newest row about it was refused: answers are unknown, `source_rejected` (contract §3).
    pub source_rejected: bool,
}
