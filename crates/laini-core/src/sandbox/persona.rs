use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::sim;
use crate::disclosure::{Window, Windows};
use crate::line::{HashedImsi, Line, LineState, LineStatus, Msisdn, NumberPlan, Swap, SwapCause};

/// The hashed IMSI of the published sample.
const SAMPLE_HASHED_IMSI: &str = "9233817055099406";
/// The national number of the first persona; in Kenya 254722000000.
const FIRST_NATIONAL_NUMBER: u64 = 722_000_000;

/// The lines that are ready in every world (contract §7). Their dates are relative to real today; the
/// clock of a world moves past them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persona {
    /// What the published page shows; its dates are fixed.
    PublishedSample,
    /// Registered ten years ago, never swapped.
    LongStanding,
    /// Swapped today.
    SwappedToday,
    /// Swapped 30 days ago.
    SwappedThirtyDaysAgo,
    /// Swapped on the second day of the default window.
    SwappedInsideWindow,
    /// Swapped on its first day.
    SwappedOnWindowsEdge,
    /// Swapped on the day before it.
    SwappedOutsideWindow,
    /// Registered yesterday.
    RegisteredYesterday,
    /// Registered on the first day of the default window.
    RegisteredAYearAgo,
    /// Registered on the day before it.
    RegisteredAYearAndADayAgo,
    /// Given to a new holder a week ago.
    Recycled,
    /// Ported in a week ago.
    PortedIn,
    /// Barred.
    Suspended,
    /// No line at all.
    NeverKnown,
    /// Served by another operator now.
    PortedOut,
    /// The holder's data must not be disclosed.
    Restricted,
}

impl Persona {
    /// The persona of a number, by the last digits that it has in every country's plan.
    pub fn of(msisdn: Msisdn) -> Option<Self> {
        Some(match place(msisdn)? {
            0 => Self::PublishedSample,
            // The last two are a line like any other behind their faults.
            1 | 57 | 58 => Self::LongStanding,
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
    pub fn windows(self) -> Option<Windows> {
        let ever = Window::months(1_200).ok()?;
        (self == Self::PublishedSample).then_some(Windows { swap: ever, registration: ever })
    }

    /// Its line on the day of `now` in `zone`.
    pub fn state(self, msisdn: Msisdn, now: Timestamp, zone: &TimeZone) -> LineState {
        if self == Self::NeverKnown {
            return LineState::default();
        }
        let days = Days::of(self, zone.to_datetime(now).date());
        let start = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(now);
        let line = Line {
            status: match self {
                Self::Suspended => LineStatus::Suspended,
                Self::PortedOut => LineStatus::PortedOut,
                _ => LineStatus::Active,
            },
            sim: sim(msisdn, 0).into(),
            registered: start(days.registered),
            holder_since: None,
            last_swap: days.swapped.map(|day| Swap { at: start(day), cause: self.swap_cause() }),
            last_pairing: None,
            contract: None,
            swap_learned: false,
            swap_before: None,
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

/// What goes wrong with a check of one of the numbers 50 to 59.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Our fault: 500.
    Internal,
    /// The registry behind gives a bad answer: 502.
    RegistryBad,
    /// The registry cannot be reached: 503.
    RegistryUnreachable,
    /// The registry is too slow: 504.
    RegistryTooSlow,
    /// The rate limit: 429.
    RateLimit,
    /// The quota: 429.
    Quota,
    /// The request's body comes too slowly: 408.
    BodyTooSlow,
    /// The answer is right, and comes after [`LATE_BY_MS`]; charged.
    Late,
    /// The registry's feed is too old to say "not swapped": 503.
    StaleFeed,
    /// The connection is reset without an answer.
    Reset,
}

/// How late the answer of [`Fault::Late`] is.
pub const LATE_BY_MS: u64 = 3_000;

impl Fault {
    /// What goes wrong with a check of this number.
    pub fn of(msisdn: Msisdn) -> Option<Self> {
        Some(match place(msisdn)? {
            50 => Self::Internal,
            51 => Self::RegistryBad,
            52 => Self::RegistryUnreachable,
            53 => Self::RegistryTooSlow,
            54 => Self::RateLimit,
            55 => Self::Quota,
            56 => Self::BodyTooSlow,
            57 => Self::Late,
            58 => Self::StaleFeed,
            59 => Self::Reset,
            _ => return None,
        })
    }
}

/// The number that lies so far behind the first persona's, in an operator's plan; `None` where the plan has none that
/// ends so.
pub fn ready_number(behind: u64, plan: NumberPlan) -> Option<Msisdn> {
    let digits = usize::try_from(plan.national_digits()).ok()?;
    let national = FIRST_NATIONAL_NUMBER.checked_add(behind)?.to_string();
    // Longer numbers may begin with anything, shorter ones are the end of it.
    let text = match digits.checked_sub(national.len()) {
        Some(more) => "7".repeat(more) + &national,
        None => national[national.len() - digits..].to_owned(),
    };
    plan.parse(&text).ok().filter(|number| place(*number) == Some(behind))
}

/// How far behind the first persona a number lies.
fn place(msisdn: Msisdn) -> Option<u64> {
    (msisdn.as_u64() % 1_000_000_000).checked_sub(FIRST_NATIONAL_NUMBER)
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
