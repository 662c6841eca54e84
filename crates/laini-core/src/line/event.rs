use std::fmt;

use jiff::Timestamp;

use super::{Imsi, Msisdn, SwapCause};

/// The name of a feed, or an event's id within it: 1 to 128 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventText(Box<str>);

/// A text that is not 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 128 visible ASCII characters")]
pub struct TextError;

impl EventText {
    /// Reads 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.into())).ok_or(TextError)
    }

    /// The feed that events without a `source`, and snapshots, belong to.
    pub fn default_source() -> Self {
        Self("default".into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EventText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What makes an event one: ids are unique per source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The id within the source.
    pub id: EventText,
    /// The feed it came by.
    pub source: EventText,
}

/// One event of the feed about lines (heartbeats are about feeds and kept apart).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Source and id.
    pub key: EventKey,
    /// When it happened (of a correction: when the corrected event really happened).
    pub at: Timestamp,
    /// When the source wrote it down, where it says; decides between two amendments of one event.
    pub recorded: Timestamp,
    /// The line it is about; corrections and retractions may leave it out.
    pub msisdn: Option<Msisdn>,
    /// What happened.
    pub happening: Happening,
}

/// What an event says happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A new line; on a number held before, a new holder.
    Registered(Imsi),
    /// A replacement SIM.
    SimReplaced(Imsi),
    /// A new eSIM profile.
    EsimIssued(Imsi),
    /// The number came (back) from another operator.
    PortedIn(Imsi),
    /// Another handset; no swap.
    DeviceChanged,
    /// Barred.
    Suspended,
    /// No longer barred.
    Resumed,
    /// Gone to another operator.
    PortedOut,
    /// Given up.
    Terminated,
    /// A new holder on a new SIM.
    Recycled(Imsi),
    /// The holder took SIM and registration to another number.
    NumberChanged {
        /// The number the SIM serves from then on.
        new_msisdn: Msisdn,
    },
    /// Replaces the instant, and the IMSI or new number where given, of an earlier event.
    Correction {
        /// The id of the event to correct, in the same source.
        of: EventText,
        /// The right IMSI, where that was wrong.
        imsi: Option<Imsi>,
        /// The right new number, where that was wrong.
        new_msisdn: Option<Msisdn>,
    },
    /// Withdraws an earlier event.
    Retraction {
        /// The id of the event to withdraw, in the same source.
        of: EventText,
    },
    /// Somebody held the number until then, and what was known of that is erased. No feed says this.
    Erased,
}

/// The type of an event, in the order in which events of one instant are applied (design, "The feed").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// See [`Happening::Registered`].
    Registered,
    /// See [`Happening::SimReplaced`].
    SimReplaced,
    /// See [`Happening::EsimIssued`].
    EsimIssued,
    /// See [`Happening::PortedIn`].
    PortedIn,
    /// See [`Happening::DeviceChanged`].
    DeviceChanged,
    /// See [`Happening::Suspended`].
    Suspended,
    /// See [`Happening::Resumed`].
    Resumed,
    /// See [`Happening::PortedOut`].
    PortedOut,
    /// See [`Happening::Terminated`].
    Terminated,
    /// See [`Happening::Recycled`].
    Recycled,
    /// See [`Happening::NumberChanged`].
    NumberChanged,
    /// See [`Happening::Correction`].
    Correction,
    /// See [`Happening::Retraction`].
    Retraction,
    /// The feed is complete until its instant; about the feed, not about a line.
    Heartbeat,
    /// See [`Happening::Erased`].
    Erased,
}

impl EventKind {
    /// Every kind, in the order in which they are applied; engines store the position.
    pub const ALL: [Self; 15] = [
        Self::Registered,
        Self::SimReplaced,
        Self::EsimIssued,
        Self::PortedIn,
        Self::DeviceChanged,
        Self::Suspended,
        Self::Resumed,
        Self::PortedOut,
        Self::Terminated,
        Self::Recycled,
        Self::NumberChanged,
        Self::Correction,
        Self::Retraction,
        Self::Heartbeat,
        Self::Erased,
    ];

    /// The feed's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SimReplaced => "sim_replaced",
            Self::EsimIssued => "esim_issued",
            Self::PortedIn => "ported_in",
            Self::DeviceChanged => "device_changed",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::PortedOut => "ported_out",
            Self::Terminated => "terminated",
            Self::Recycled => "recycled",
            Self::NumberChanged => "number_changed",
            Self::Correction => "correction",
            Self::Retraction => "retraction",
            Self::Heartbeat => "heartbeat",
            Self::Erased => "erased",
        }
    }

    /// Reads the feed's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Happening {
    /// Its type.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Registered(_) => EventKind::Registered,
            Self::SimReplaced(_) => EventKind::SimReplaced,
            Self::EsimIssued(_) => EventKind::EsimIssued,
            Self::PortedIn(_) => EventKind::PortedIn,
            Self::DeviceChanged => EventKind::DeviceChanged,
            Self::Suspended => EventKind::Suspended,
            Self::Resumed => EventKind::Resumed,
            Self::PortedOut => EventKind::PortedOut,
            Self::Terminated => EventKind::Terminated,
            Self::Recycled(_) => EventKind::Recycled,
            Self::NumberChanged { .. } => EventKind::NumberChanged,
            Self::Correction { .. } => EventKind::Correction,
            Self::Retraction { .. } => EventKind::Retraction,
            Self::Erased => EventKind::Erased,
        }
    }

    /// The cause of the swap that it always is; `None` where it is none, or only on some lines.
    pub fn swap_cause(&self) -> Option<SwapCause> {
        match self {
            Self::SimReplaced(_) => Some(SwapCause::Replacement),
            Self::EsimIssued(_) => Some(SwapCause::Esim),
            Self::PortedIn(_) => Some(SwapCause::PortIn),
            Self::Recycled(_) => Some(SwapCause::NewHolder),
            _ => None,
        }
    }

    /// Whether it says anything about which SIM serves the line, or that none does.
    pub(super) fn is_about_the_sim(&self) -> bool {
        !matches!(self, Self::DeviceChanged | Self::Suspended | Self::Resumed)
    }

    /// The event that a correction or retraction is about.
    pub fn amends(&self) -> Option<&EventText> {
        match self {
            Self::Correction { of, .. } | Self::Retraction { of } => Some(of),
            _ => None,
        }
    }
}

/// Why an event could not be applied. It stays in the history, and is applied by itself when what it
/// lacks arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Nothing is known about the number yet.
    #[error("the number is not known; it waits for a registration, a port-in or a recycling")]
    UnknownLine,
    /// The number is not served.
    #[error("the number is not served at that instant")]
    NotServed,
    /// A registration of a number that is in service.
    #[error("the number is in service already; a new holder comes as `recycled`")]
    AlreadyServed,
    /// A number change to a number that is in service.
    #[error("the new number is in service already")]
    NewNumberServed,
    /// The line's newest row in the snapshot was refused, so there is nothing to stand on.
    #[error("the number's row in the snapshot was refused")]
    RowRefused,
    /// The event that it corrects or withdraws is not known.
    #[error("the event it amends is not known; it waits for it")]
    UnknownTarget,
    /// A correction of a correction.
    #[error("it amends a correction or retraction; amend the event itself")]
    AmendsAmendment,
    /// A correction that names another number than its event.
    #[error("it names another number than the event it amends; retract that and send a new one")]
    OtherNumber,
    /// A correction of what the snapshot already contains.
    #[error("the event it amends is older than the snapshot's cut; the next snapshot must carry the change")]
    BeforeCut,
    /// About a time of which everything was erased. Nothing of it is kept.
    #[error("what was before the number's present holder is erased; nothing of it is kept")]
    Erased,
    /// An erasure of a holding that a number change links to another line.
    #[error("a number change links that time to another line, whose facts are derived from it")]
    LinkedLine,
}

impl Refusal {
    /// Every refusal, for engines that store them by their position.
    pub const ALL: [Self; 11] = [
        Self::UnknownLine,
        Self::NotServed,
        Self::AlreadyServed,
        Self::NewNumberServed,
        Self::RowRefused,
        Self::UnknownTarget,
        Self::AmendsAmendment,
        Self::OtherNumber,
        Self::BeforeCut,
        Self::Erased,
        Self::LinkedLine,
    ];

    /// Whether an earlier event that is still under way can mend it.
    pub fn can_wait(self) -> bool {
        matches!(self, Self::UnknownLine | Self::NotServed | Self::RowRefused | Self::UnknownTarget)
    }
}
