use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventKind, EventText, Happening, Imsi, Msisdn, RegistrySeal, SealedImsi};

use super::Broken;
use super::columns::{key, micros, msisdn, nth, position};

/// Numbers start here, so that this plus an event's place is a number of its own.
const ANCHOR: i64 = 10_000;

/// An event of the history.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place in the order of arrival.
    pub seq: i64,
    /// When it arrived.
    pub received: Timestamp,
    /// What it says.
    pub event: Event,
}

impl Entry {
    /// Whether a snapshot cut at `cut` may lack it: it happened, or only became known, later.
    pub fn is_news_after(&self, cut: Timestamp) -> bool {
        self.event.at.max(self.received) > cut
    }

    /// The number that it links to the one it is about.
    pub fn new_msisdn(&self) -> Option<Msisdn> {
        new_msisdn(&self.event.happening)
    }

    /// The numbers that it names.
    pub fn numbers(&self) -> impl Iterator<Item = Msisdn> + use<> {
        self.event.msisdn.into_iter().chain(self.new_msisdn())
    }
}

/// The number that a happening links to the one it is about.
pub(super) fn new_msisdn(happening: &Happening) -> Option<Msisdn> {
    match happening {
        Happening::NumberChanged { new_msisdn } => Some(*new_msisdn),
        Happening::Correction { new_msisdn, .. } => *new_msisdn,
        _ => None,
    }
}

/// A refused row of the history.
#[derive(Debug, Clone)]
pub struct RefusedEntry {
    /// Its place in the order of arrival.
    pub seq: i64,
    /// The instant it named, or else the one at which it arrived.
    pub at: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    /// The number it was about, where that could be read.
    pub msisdn: Option<Msisdn>,
    /// Where it stood, for people.
    pub place: String,
    /// Why, without personal data.
    pub reason: String,
    /// Whether it was kept as it came.
    pub is_kept: bool,
}

/// What an event that has the key of another one is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownEvent {
    /// It says that the same happened; when it was written down does not matter.
    Same,
    /// It says something else.
    Other,
}

impl KnownEvent {
    /// Compares an event with the one of the history that has its key.
    pub fn of(known: &Event, event: &Event) -> Result<Self, Broken> {
        let same =
            known.at == whole_micros(event.at)? && known.msisdn == event.msisdn && known.happening == event.happening;
        Ok(if same { Self::Same } else { Self::Other })
    }
}

/// An event as its columns keep it: instants in microseconds since 1970, the IMSI sealed.
#[derive(Clone)]
pub struct EventColumns {
    /// Its place in the order of arrival.
    pub seq: i64,
    /// Unique in its source.
    pub id: String,
    /// Which feed told of it.
    pub source: String,
    /// When it happened.
    pub at: i64,
    /// When the source wrote it down.
    pub recorded: i64,
    /// When it arrived.
    pub received: i64,
    /// Its position in the list of kinds.
    pub kind: i64,
    /// The number that it is about.
    pub msisdn: Option<i64>,
    /// The number that it links to that.
    pub new_msisdn: Option<i64>,
    /// The SIM that it names.
    pub imsi: Option<[u8; 16]>,
    /// The id of the event that it amends.
    pub amends: Option<String>,
}

impl EventColumns {
    /// Packs an event.
    pub fn of(seq: i64, event: &Event, received: Timestamp, seal: &RegistrySeal) -> Result<Self, Broken> {
        let imsi = imsi(&event.happening).map(|imsi| anchor(event.msisdn, seq).map(|to| seal.seal(to, imsi).0));
        Ok(Self {
            seq,
            id: event.key.id.as_str().to_owned(),
            source: event.key.source.as_str().to_owned(),
            at: event.at.as_microsecond(),
            recorded: event.recorded.as_microsecond(),
            received: received.as_microsecond(),
            kind: position(&EventKind::ALL, &event.happening.kind()),
            msisdn: event.msisdn.map(key),
            new_msisdn: new_msisdn(&event.happening).map(key),
            imsi: imsi.transpose()?,
            amends: event.happening.amends().map(|of| of.as_str().to_owned()),
        })
    }

    /// Unpacks the event; the opposite of [`EventColumns::of`], but for fractions of microseconds.
    pub fn open(&self, seal: &RegistrySeal) -> Result<Entry, Broken> {
        let number = self.msisdn.map(msisdn).transpose()?;
        let imsi = match self.imsi {
            Some(sealed) => Some(seal.open(anchor(number, self.seq)?, SealedImsi(sealed))?),
            None => None,
        };
        let amends = self.amends.as_deref().map(text).transpose()?;
        let event = Event {
            key: EventKey { id: text(&self.id)?, source: text(&self.source)? },
            at: micros(self.at)?,
            recorded: micros(self.recorded)?,
            msisdn: number,
            happening: happening(self.kind, imsi, self.new_msisdn.map(msisdn).transpose()?, amends)
                .ok_or(Broken::Damaged("an event"))?,
        };
        Ok(Entry { seq: self.seq, received: micros(self.received)?, event })
    }
}

/// An IMSI is sealed to the number that its event states, or else to the event's own place.
fn anchor(stated: Option<Msisdn>, seq: i64) -> Result<Msisdn, Broken> {
    stated.map_or_else(|| msisdn(ANCHOR + seq), Ok)
}

/// An instant as the history keeps it.
fn whole_micros(at: Timestamp) -> Result<Timestamp, Broken> {
    micros(at.as_microsecond())
}

fn text(stored: &str) -> Result<EventText, Broken> {
    EventText::parse(stored).map_err(|_| Broken::Damaged("the name of an event"))
}

fn imsi(happening: &Happening) -> Option<Imsi> {
    match happening {
        Happening::Registered(imsi)
        | Happening::SimReplaced(imsi)
        | Happening::EsimIssued(imsi)
        | Happening::PortedIn(imsi)
        | Happening::Recycled(imsi) => Some(*imsi),
        Happening::Correction { imsi, .. } => *imsi,
        _ => None,
    }
}

/// The happening made of its columns; `None` where one is missing.
fn happening(
    kind: i64,
    imsi: Option<Imsi>,
    new_msisdn: Option<Msisdn>,
    amends: Option<EventText>,
) -> Option<Happening> {
    Some(match nth(&EventKind::ALL, kind)? {
        EventKind::Registered => Happening::Registered(imsi?),
        EventKind::SimReplaced => Happening::SimReplaced(imsi?),
        EventKind::EsimIssued => Happening::EsimIssued(imsi?),
        EventKind::PortedIn => Happening::PortedIn(imsi?),
        EventKind::DeviceChanged => Happening::DeviceChanged,
        EventKind::Suspended => Happening::Suspended,
        EventKind::Resumed => Happening::Resumed,
        EventKind::PortedOut => Happening::PortedOut,
        EventKind::Terminated => Happening::Terminated,
        EventKind::Recycled => Happening::Recycled(imsi?),
        EventKind::NumberChanged => Happening::NumberChanged { new_msisdn: new_msisdn? },
        EventKind::Correction => Happening::Correction { of: amends?, imsi, new_msisdn },
        EventKind::Retraction => Happening::Retraction { of: amends? },
        EventKind::Erased => Happening::Erased,
        EventKind::Heartbeat => return None,
    })
}
