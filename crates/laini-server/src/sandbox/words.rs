use std::borrow::Cow;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use laini_core::line::{ContractType, HashedImsi, LineState, LineStatus, Msisdn, NumberPlan, SwapCause};
use laini_core::sandbox::{LifeEvent, Moment, Persona, WORLD_EVENTS_MAX, WORLD_LINES_MAX, When, World, WorldRefusal};
use laini_core::sandbox::{LineChange, WhenError};
use laini_wire::world::{AdvanceRequest, ClockAnswer, EventRequest, FeedAnswer, LineAnswer, LineRequest, WorldAnswer};

/// A field of a request that cannot be read, and what is wrong with it; never the caller's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct WordError {
    /// Which field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Cow<'static, str>,
}

/// What a request lets happen to a line.
#[derive(Debug, Clone, Copy)]
pub enum Life {
    /// An event as a feed would tell it, at an instant or now.
    Event(LifeEvent, Option<When>),
    /// Its holder's data are withheld from now on, or no more.
    Restrict(bool),
}

impl Life {
    /// Lets it happen.
    pub fn happen(self, world: &mut World, msisdn: Msisdn, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        match self {
            Self::Restrict(restricted) => world.restrict(msisdn, restricted, moment),
            Self::Event(what, when) => {
                let at = when.map(|when| when.resolve(world.now(moment.real), moment.zone));
                world.happen(msisdn, what, at, moment)
            }
        }
    }
}

/// How far a clock moves on.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// By a calendar span.
    By(Span),
    /// To an instant.
    To(When),
}

impl Step {
    /// Reads how far.
    pub fn of(request: &AdvanceRequest, zone: &TimeZone) -> Result<Self, WordError> {
        let error = |field, problem: &'static str| WordError { field, problem: problem.into() };
        match (request.by.as_deref(), request.to.as_deref()) {
            (Some(by), None) => {
                let span = by.parse::<Span>().ok().filter(|span| by.len() <= SPAN_BYTES_MAX && !span.is_negative());
                span.map(Self::By).ok_or_else(|| error("by", "expected a duration forward: P30D, PT15M, P3M"))
            }
            (None, Some(to)) => instant("to", to, zone).map(Self::To),
            _ => Err(error("by", "expected one of by and to")),
        }
    }

    /// Moves the clock of `world` on.
    pub fn take(self, world: &mut World, moment: Moment<'_>) -> Result<(), WorldRefusal> {
        match self {
            Self::By(span) => world.advance_by(span, moment),
            Self::To(when) => world.advance_to(when.resolve(world.now(moment.real), moment.zone), moment),
        }
    }
}

/// The longest text that can be a duration.
const SPAN_BYTES_MAX: usize = 40;

/// What a request says of a line.
pub fn line_change(request: &LineRequest, zone: &TimeZone) -> Result<LineChange, WordError> {
    let when = |field, text: &Option<String>| text.as_deref().map(|text| instant(field, text, zone)).transpose();
    let said = |field, said: &Option<Option<String>>| said.as_ref().map(|text| when(field, text)).transpose();
    Ok(LineChange {
        status: word("status", request.status.as_deref(), LineStatus::parse, STATUSES)?,
        registered: when("registered_at", &request.registered_at)?,
        holder_since: said("holder_since", &request.holder_since)?,
        last_swap: said("last_swap_at", &request.last_swap_at)?,
        swap_cause: word("swap_cause", request.swap_cause.as_deref(), SwapCause::parse, CAUSES)?,
        contract: match &request.contract_type {
            None => None,
            Some(contract) => Some(word("contract_type", contract.as_deref(), ContractType::parse, CONTRACTS)?),
        },
        restricted: request.restricted,
        hashed_imsi: match &request.hashed_imsi {
            None => None,
            Some(hashed) => {
                let parse = |text: &str| HashedImsi::parse(text).ok();
                Some(word("hashed_imsi", hashed.as_deref(), parse, "expected 1 to 64 letters and digits")?)
            }
        },
    })
}

const STATUSES: &str = "expected active, suspended, terminated or ported_out";
const CAUSES: &str = "expected replacement, esim, port_in, new_holder or number_change";
const CONTRACTS: &str = "expected PAYG, PAYM or Business";
const EVENTS: &str = "expected register, swap, esim, port-in, port-out, recycle, terminate, suspend, resume, \
                      device-change, number-change, row-refused, restrict or unrestrict";

/// What a request lets happen.
pub fn life_event(request: &EventRequest, plan: NumberPlan, zone: &TimeZone) -> Result<Life, WordError> {
    let error = |field, problem: &'static str| WordError { field, problem: problem.into() };
    if let restricted @ ("restrict" | "unrestrict") = request.what.as_str() {
        if request.at.is_some() {
            return Err(error("at", "a restriction begins and ends now; leave it out"));
        }
        return Ok(Life::Restrict(restricted == "restrict"));
    }
    let new_msisdn = request.new_msisdn.as_deref().map(|text| plan.parse(text)).transpose();
    let new_msisdn = new_msisdn.map_err(|_| error("new_msisdn", "expected a number of this operator"))?;
    let what = match (request.what.as_str(), new_msisdn) {
        (LifeEvent::NUMBER_CHANGE, Some(new_msisdn)) => LifeEvent::NumberChange(new_msisdn),
        (LifeEvent::NUMBER_CHANGE, None) => return Err(error("new_msisdn", "a number-change needs it")),
        (_, Some(_)) => return Err(error("new_msisdn", "only a number-change has one")),
        (word, None) => LifeEvent::parse(word).ok_or_else(|| error("type", EVENTS))?,
    };
    let when = request.at.as_deref().map(|text| instant("at", text, zone)).transpose()?;
    Ok(Life::Event(what, when))
}

fn instant(field: &'static str, text: &str, zone: &TimeZone) -> Result<When, WordError> {
    When::parse(text, zone).map_err(|error: WhenError| WordError { field, problem: error.to_string().into() })
}

fn word<T>(
    field: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<T>, WordError> {
    let read = |text| parse(text).ok_or(WordError { field, problem: expected.into() });
    text.map(read).transpose()
}

/// What a world is like when it is really `now`.
pub fn world_answer(world: &World, now: Timestamp) -> WorldAnswer {
    WorldAnswer {
        clock: clock_answer(world, now),
        feed: feed_answer(world, now),
        lines: world.line_count(),
        lines_max: WORLD_LINES_MAX,
        events: world.event_count(),
        events_max: WORLD_EVENTS_MAX,
    }
}

/// What its clock shows.
pub fn clock_answer(world: &World, now: Timestamp) -> ClockAnswer {
    ClockAnswer { now: world.now(now).to_string(), ahead_s: world.ahead().as_secs() }
}

/// How its feed is.
pub fn feed_answer(world: &World, now: Timestamp) -> FeedAnswer {
    let stopped = world.feed_stopped();
    FeedAnswer { running: stopped.is_none(), as_of: stopped.unwrap_or(world.now(now)).to_string() }
}

/// A line of a world's own, a persona, or neither.
pub fn line_answer(msisdn: Msisdn, state: &LineState, is_own: bool) -> LineAnswer {
    let line = state.line.as_ref();
    let swap = line.and_then(|line| line.last_swap);
    LineAnswer {
        msisdn: msisdn.digits(),
        origin: match Persona::of(msisdn) {
            _ if is_own => "own",
            Some(_) => "persona",
            None => "none",
        }
        .to_owned(),
        status: line.map_or("not_known", |line| line.status.word()).to_owned(),
        registered_at: line.map(|line| line.registered.to_string()),
        holder_since: line.and_then(|line| line.holder_since).map(|at| at.to_string()),
        last_swap_at: swap.map(|swap| swap.at.to_string()),
        swap_cause: swap.map(|swap| swap.cause.word().to_owned()),
        contract_type: line.and_then(|line| line.contract).map(|contract| contract.word().to_owned()),
        hashed_imsi: line.and_then(|line| line.hashed_imsi.as_ref()).map(|hashed| hashed.as_str().to_owned()),
        restricted: line.is_some_and(|line| line.restricted),
        source_rejected: state.source_rejected,
    }
}
