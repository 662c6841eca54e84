use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use laini_core::disclosure::{Window, Windows};
use laini_core::line::{HashedImsi, Imsi, Line, LineState, LineStatus, Msisdn, Swap, SwapCause};

/// The hashed IMSI of the published sample.
const SAMPLE_HASHED_IMSI: &str = "9233817055099406";
/// The national number of the first persona; in Kenya 254722000000.
const FIRST_NATIONAL_NUMBER: u64 = 722_000_000;
/// IMSIs of personas: country and network code, then the last ten digits of the number.
const IMSI_PREFIX: u64 = 63_902;

/// The lines that are ready in every world (contract §7). Dates are relative to today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Persona {
    PublishedSample,
    LongStanding,
    SwappedToday,
    SwappedThirtyDaysAgo,
    SwappedInsideWindow,
    SwappedOnWindowsEdge,
    SwappedOutsideWindow,
    RegisteredYesterday,
    RegisteredAYearAgo,
    RegisteredAYearAndADayAgo,
    Recycled,
    PortedIn,
    Suspended,
    NeverKnown,
    PortedOut,
    Restricted,
}

impl Persona {
    /// The persona of a number, by the last digits that it has in every country's plan.
    pub(super) fn of(msisdn: Msisdn) -> Option<Self> {
        let national = msisdn.as_u64() % 1_000_000_000;
        Some(match national.checked_sub(FIRST_NATIONAL_NUMBER)? {
            0 => Self::PublishedSample,
            1 => Self::LongStanding,
            2 => Self::SwappedToday,
            3 => Self::SwappedThirtyDaysAgo,
            4 => Self::SwappedInsideWindow,
            5 => Self::SwappedOnWindowsEdge,
            6 => Self::SwappedOutsideWindow,
            7 => Self::RegisteredYesterday,
            8 => Self::RegisteredAYearAgo,
            9 => Self::RegisteredAYearAndADayAgo,
            10 => Self::Recycled,
            11 => Self::PortedIn,
            12 => Self::Suspended,
            40 => Self::NeverKnown,
            41 => Self::PortedOut,
            42 => Self::Restricted,
            _ => return None,
        })
    }

    /// The sample's dates are fixed, so its windows reach back for ever.
    pub(super) fn windows(self) -> Option<Windows> {
        let ever = Window::months(1_200).ok()?;
        (self == Self::PublishedSample).then_some(Windows { swap: ever, registration: ever })
    }

    pub(super) fn state(self, msisdn: Msisdn, now: Timestamp, zone: &TimeZone) -> LineState {
        let imsi = Imsi::from_stored(IMSI_PREFIX * 10_000_000_000 + msisdn.as_u64() % 10_000_000_000);
        let Some(imsi) = imsi.filter(|_| self != Self::NeverKnown) else { return LineState::default() };
        let days = Days::of(self, zone.to_datetime(now).date());
        let start = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(now);
        let line = Line {
            status: match self {
                Self::Suspended => LineStatus::Suspended,
                Self::PortedOut => LineStatus::PortedOut,
                _ => LineStatus::Active,
            },
            sim: imsi.into(),
            registered: start(days.registered),
            holder_since: None,
            last_swap: days.swapped.map(|day| Swap { at: start(day), cause: self.swap_cause() }),
            last_pairing: None,
            contract: None,
            swap_learned: false,
            restricted: self == Self::Restricted,
            hashed_imsi: HashedImsi::parse(SAMPLE_HASHED_IMSI).ok().filter(|_| self == Self::PublishedSample),
        };
        LineState { line: Some(line), source_rejected: false }
    }

    fn swap_cause(self) -> SwapCause {
        match self {
            Self::Recycled => SwapCause::NewHolder,
            Self::PortedIn => SwapCause::PortIn,
            _ => SwapCause::Replacement,
        }
    }
}

/// When things happened to a persona.
struct Days {
    registered: Date,
    swapped: Option<Date>,
}

impl Days {
    fn of(persona: Persona, today: Date) -> Self {
        let ago = |span| today.checked_sub(span).unwrap_or(today);
        let long_ago = ago(10.years());
        let windows = Windows::default();
        let swaps_from = windows.swap.first_day(today);
        let registrations_from = windows.registration.first_day(today);
        let next = |day: Date| day.tomorrow().unwrap_or(day);
        let previous = |day: Date| day.yesterday().unwrap_or(day);
        let registered = |registered| Self { registered, swapped: None };
        let swapped = |day| Self { registered: long_ago, swapped: Some(day) };
        match persona {
            Persona::PublishedSample => Self { registered: date(2022, 3, 1), swapped: Some(date(2022, 5, 1)) },
            Persona::SwappedToday => swapped(today),
            Persona::SwappedThirtyDaysAgo => swapped(ago(30.days())),
            Persona::SwappedInsideWindow => swapped(next(swaps_from)),
            Persona::SwappedOnWindowsEdge => swapped(swaps_from),
            Persona::SwappedOutsideWindow => swapped(previous(swaps_from)),
            Persona::RegisteredYesterday => registered(previous(today)),
            Persona::RegisteredAYearAgo => registered(registrations_from),
            Persona::RegisteredAYearAndADayAgo => registered(previous(registrations_from)),
            Persona::Recycled | Persona::PortedIn => Self { registered: ago(7.days()), swapped: Some(ago(7.days())) },
            Persona::LongStanding
            | Persona::Suspended
            | Persona::NeverKnown
            | Persona::PortedOut
            | Persona::Restricted => registered(long_ago),
        }
    }
}
