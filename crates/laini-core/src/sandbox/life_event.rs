use jiff::Timestamp;

use super::sim;
use crate::line::{Event, EventKey, EventText, Happening, Msisdn};

/// Something that happens to a made-up line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeEvent {
    /// A new line; on a number held before, a new holder.
    Register,
    /// A replacement SIM.
    Swap,
    /// A new eSIM profile.
    Esim,
    /// The number comes (back) from another operator.
    PortIn,
    /// It goes to another operator.
    PortOut,
    /// A new holder on a new SIM.
    Recycle,
    /// Given up.
    Terminate,
    /// Barred.
    Suspend,
    /// No longer barred.
    Resume,
    /// Another handset; no swap.
    DeviceChange,
    /// The holder takes SIM and registration to this number.
    NumberChange(Msisdn),
    /// The feed's newest row about the line was refused: nothing can be said until the next event.
    RowRefused,
}

impl LifeEvent {
    /// Every event but a change of number, for tables and parsers.
    pub const SIMPLE: [Self; 11] = [
        Self::Register,
        Self::Swap,
        Self::Esim,
        Self::PortIn,
        Self::PortOut,
        Self::Recycle,
        Self::Terminate,
        Self::Suspend,
        Self::Resume,
        Self::DeviceChange,
        Self::RowRefused,
    ];

    /// The world API's word for a change of number.
    pub const NUMBER_CHANGE: &str = "number-change";

    /// The world API's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Swap => "swap",
            Self::Esim => "esim",
            Self::PortIn => "port-in",
            Self::PortOut => "port-out",
            Self::Recycle => "recycle",
            Self::Terminate => "terminate",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::DeviceChange => "device-change",
            Self::NumberChange(_) => Self::NUMBER_CHANGE,
            Self::RowRefused => "row-refused",
        }
    }

    /// Reads the word of an event that needs no second number.
    pub fn parse(word: &str) -> Option<Self> {
        Self::SIMPLE.into_iter().find(|event| event.word() == word)
    }

    /// The number that it is about beside its own.
    pub fn new_msisdn(self) -> Option<Msisdn> {
        if let Self::NumberChange(new_msisdn) = self { Some(new_msisdn) } else { None }
    }
}

/// A [`LifeEvent`] in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorldEvent {
    /// Its number among all events that the world ever had; decides among events of one instant and type.
    pub number: u64,
    /// Whose line it is about.
    pub msisdn: Msisdn,
    /// When it happened, by the world's clock.
    pub at: Timestamp,
    /// What happened.
    pub what: LifeEvent,
}

impl WorldEvent {
    /// As a feed would tell of it; `None` for a row that it could not read. Each event that brings a SIM
    /// brings another one.
    pub(super) fn as_told(&self) -> Option<Event> {
        let sim = sim(self.msisdn, self.number);
        let happening = match self.what {
            LifeEvent::Register => Happening::Registered(sim),
            LifeEvent::Swap => Happening::SimReplaced(sim),
            LifeEvent::Esim => Happening::EsimIssued(sim),
            LifeEvent::PortIn => Happening::PortedIn(sim),
            LifeEvent::PortOut => Happening::PortedOut,
            LifeEvent::Recycle => Happening::Recycled(sim),
            LifeEvent::Terminate => Happening::Terminated,
            LifeEvent::Suspend => Happening::Suspended,
            LifeEvent::Resume => Happening::Resumed,
            LifeEvent::DeviceChange => Happening::DeviceChanged,
            LifeEvent::NumberChange(new_msisdn) => Happening::NumberChanged { new_msisdn },
            LifeEvent::RowRefused => return None,
        };
        let key = self.key()?;
        Some(Event { key, at: self.at, recorded: self.at, msisdn: Some(self.msisdn), happening })
    }

    /// Ordered as the numbers are.
    pub(super) fn key(&self) -> Option<EventKey> {
        let id = EventText::parse(&format!("{:020}", self.number)).ok()?;
        Some(EventKey { id, source: EventText::default_source() })
    }
}
