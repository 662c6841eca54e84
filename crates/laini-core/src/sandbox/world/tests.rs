use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use crate::disclosure::{Decision, Freshness, Horizon, SwapFact, Windows, disclose};
use crate::line::{LineStatus, Refusal, Swap, SwapCause};

const REAL: &str = "2026-11-22T09:00:00Z";

fn zone() -> TimeZone {
    TimeZone::get("Africa/Nairobi").unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn number(last: u64) -> Msisdn {
    Msisdn::from_stored(254_733_000_000 + last).unwrap()
}

fn persona_number(last: u64) -> Msisdn {
    Msisdn::from_stored(254_722_000_000 + last).unwrap()
}

fn stated(registered: &str, swapped: Option<&str>) -> StatedLine {
    StatedLine {
        status: LineStatus::Active,
        registered: at(registered),
        holder_since: None,
        last_swap: swapped.map(|swapped| Swap { at: at(swapped), cause: SwapCause::Replacement }),
        contract: None,
        restricted: false,
        hashed_imsi: None,
    }
}

fn swap_of(world: &World, msisdn: Msisdn, moment: Moment<'_>) -> SwapFact {
    let now = world.now(moment.real);
    let horizon = Horizon { as_of: Some(now), history_since: Timestamp::MIN };
    let state = world.state(msisdn, moment);
    match disclose(&state, horizon, Windows::default(), Freshness::default(), now, moment.zone) {
        Decision::Facts(facts) => facts.swap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_clock_moves_windows_past_a_line_and_past_a_persona() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    world.put(number(1), &stated("2020-01-01T00:00:00Z", Some("2026-11-01T09:00:00Z")), moment).unwrap();
    for msisdn in [number(1), persona_number(2)] {
        assert!(matches!(swap_of(&world, msisdn, moment), SwapFact::Swapped(_)));
    }
    // To the last day on which the older of the two is inside three months, and one day more.
    world.advance_to(at("2027-02-01T20:59:59Z"), moment).unwrap();
    assert!(matches!(swap_of(&world, number(1), moment), SwapFact::Swapped(_)));
    world.advance_by(1.second(), moment).unwrap();
    assert_eq!(swap_of(&world, number(1), moment), SwapFact::NotSwapped);
    assert!(matches!(swap_of(&world, persona_number(2), moment), SwapFact::Swapped(_)));
    world.advance_by(1.month(), moment).unwrap();
    assert_eq!(swap_of(&world, persona_number(2), moment), SwapFact::NotSwapped);
}

#[test]
fn a_persona_follows_real_days_until_it_is_changed_and_stays_from_then_on() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    let later = Moment { real: at("2026-11-25T09:00:00Z"), zone: &zone };
    let swapped = |world: &World, moment| world.state(persona_number(2), moment).line.unwrap().last_swap.unwrap().at;
    assert_eq!(swapped(&world, moment), at("2026-11-21T21:00:00Z"));
    assert_eq!(swapped(&world, later), at("2026-11-24T21:00:00Z"));
    world.happen(persona_number(2), LifeEvent::Suspend, None, moment).unwrap();
    assert_eq!(swapped(&world, later), at("2026-11-21T21:00:00Z"));
    assert_eq!(world.state(persona_number(2), later).line.unwrap().status, LineStatus::Suspended);
    world.remove(persona_number(2)).unwrap();
    assert_eq!(swapped(&world, later), at("2026-11-24T21:00:00Z"));
}

#[test]
fn events_change_lines_as_the_feeds_do() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    let one = number(1);
    world.happen(one, LifeEvent::Register, Some(at("2026-01-01T00:00:00Z")), moment).unwrap();
    let first = world.state(one, moment).line.unwrap();
    assert_eq!((first.registered, first.last_swap), (at("2026-01-01T00:00:00Z"), None));
    for (what, cause, day) in [
        (LifeEvent::Swap, SwapCause::Replacement, "2026-02-01T00:00:00Z"),
        (LifeEvent::Esim, SwapCause::Esim, "2026-03-01T00:00:00Z"),
        (LifeEvent::Recycle, SwapCause::NewHolder, "2026-04-01T00:00:00Z"),
        (LifeEvent::PortIn, SwapCause::PortIn, "2026-05-01T00:00:00Z"),
    ] {
        let before = world.state(one, moment).line.unwrap();
        world.happen(one, what, Some(at(day)), moment).unwrap();
        let after = world.state(one, moment).line.unwrap();
        assert_eq!(after.last_swap, Some(Swap { at: at(day), cause }), "{what:?}");
        assert_ne!(after.sim, before.sim, "{what:?}");
    }
    world.happen(one, LifeEvent::DeviceChange, None, moment).unwrap();
    assert_eq!(world.state(one, moment).line.unwrap().last_swap.unwrap().cause, SwapCause::PortIn);
    world.happen(one, LifeEvent::NumberChange(number(2)), None, moment).unwrap();
    assert_eq!(world.state(one, moment).line.unwrap().status, LineStatus::Terminated);
    assert_eq!(world.state(number(2), moment).line.unwrap().last_swap.unwrap().cause, SwapCause::NumberChange);
    world.happen(number(2), LifeEvent::RowRefused, None, moment).unwrap();
    assert!(world.state(number(2), moment).source_rejected);
}

#[test]
fn an_event_that_comes_late_takes_its_place_in_time() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    world.put(number(1), &stated("2020-01-01T00:00:00Z", None), moment).unwrap();
    world.happen(number(1), LifeEvent::Swap, Some(at("2026-11-20T00:00:00Z")), moment).unwrap();
    world.happen(number(1), LifeEvent::Esim, Some(at("2026-11-10T00:00:00Z")), moment).unwrap();
    let swap = world.state(number(1), moment).line.unwrap().last_swap.unwrap();
    assert_eq!((swap.at, swap.cause), (at("2026-11-20T00:00:00Z"), SwapCause::Replacement));
}

/// What a world's group is, said as plainly as can be: a line that a change of number shares with one of the group
/// belongs to it, until nothing is added any more.
fn group_as_said(world: &World, msisdn: Msisdn) -> BTreeSet<Msisdn> {
    let mut group = BTreeSet::from([msisdn]);
    loop {
        let before = group.len();
        for event in &world.events {
            let Some(new_msisdn) = event.what.new_msisdn() else { continue };
            if group.contains(&event.msisdn) || group.contains(&new_msisdn) {
                group.extend([event.msisdn, new_msisdn]);
            }
        }
        if group.len() == before {
            return group;
        }
    }
}

/// As many lines as a world may have, each but a few handed on to the next, and as many events as it may hold.
#[test]
fn the_longest_chain_of_numbers_in_the_fullest_world_is_followed_from_every_one_of_them() {
    let moved = WORLD_LINES_MAX as u64 - 10;
    let zone = zone();
    let moment = Moment { real: at(REAL), zone: &zone };
    let mut world = World::default();
    for last in 0..WORLD_LINES_MAX as u64 {
        world.put(number(last), &stated("2020-01-01T00:00:00Z", None), moment).unwrap();
    }
    let mut record =
        WorldRecord { lines: world.lines.clone(), events_ever: WORLD_EVENTS_MAX as u64, ..WorldRecord::default() };
    for event in 0..WORLD_EVENTS_MAX as u64 {
        let (from, what) = match event {
            event if event < moved => (event, LifeEvent::NumberChange(number(event + 1))),
            event => (event % WORLD_LINES_MAX as u64, LifeEvent::DeviceChange),
        };
        let event = WorldEvent { number: event + 1, msisdn: number(from), at: at(REAL), what };
        record.events.push(event);
    }
    let world = World::restore(record);
    let chain: BTreeSet<Msisdn> = (0..=moved).map(number).collect();
    // Where each step costs as much as the world is large, this takes hours.
    for msisdn in &chain {
        assert_eq!(world.group(*msisdn), chain);
    }
    assert_eq!(world.group(number(moved + 1)), BTreeSet::from([number(moved + 1)]));
    assert_eq!(world.state(number(moved), moment).line.unwrap().status, LineStatus::Active);
}

type Try = fn(&mut World, Moment<'_>) -> Result<(), WorldRefusal>;

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let zone = zone();
    let moment = Moment { real: at(REAL), zone: &zone };
    let table: [(Try, WorldRefusal); 13] = [
        (|world, moment| world.happen(number(1), LifeEvent::Swap, None, moment), Refusal::UnknownLine.into()),
        (|world, moment| world.happen(persona_number(41), LifeEvent::Swap, None, moment), Refusal::NotServed.into()),
        (
            |world, moment| world.happen(persona_number(1), LifeEvent::Register, None, moment),
            Refusal::AlreadyServed.into(),
        ),
        (
            |world, moment| world.happen(persona_number(1), LifeEvent::NumberChange(persona_number(7)), None, moment),
            Refusal::NewNumberServed.into(),
        ),
        (|world, moment| world.happen(persona_number(0), LifeEvent::Swap, None, moment), WorldRefusal::SampleIsFixed),
        (
            |world, moment| world.happen(persona_number(1), LifeEvent::NumberChange(persona_number(0)), None, moment),
            WorldRefusal::SampleIsFixed,
        ),
        (
            |world, moment| world.put(persona_number(0), &stated("2020-01-01T00:00:00Z", None), moment),
            WorldRefusal::SampleIsFixed,
        ),
        (
            |world, moment| world.put(number(1), &stated("2026-11-22T09:00:00.000001Z", None), moment),
            WorldRefusal::Future("registered_at"),
        ),
        (
            |world, moment| world.put(number(1), &stated("2020-01-01T00:00:00Z", Some("2019-01-01T00:00:00Z")), moment),
            WorldRefusal::SwapBeforeRegistration,
        ),
        (
            |world, moment| world.happen(persona_number(1), LifeEvent::Swap, Some(at("2010-01-01T00:00:00Z")), moment),
            WorldRefusal::BeforeStated,
        ),
        (
            |world, moment| world.happen(persona_number(1), LifeEvent::Swap, Some(at("2026-11-23T00:00:00Z")), moment),
            WorldRefusal::Future("at"),
        ),
        (|world, moment| world.restrict(persona_number(40), true, moment), WorldRefusal::NotServed),
        (|world, _| world.remove(persona_number(1)), WorldRefusal::NoSuchLine),
    ];
    for (attempt, refusal) in table {
        assert_eq!(attempt(&mut World::default(), moment), Err(refusal));
    }
}

#[test]
fn a_restriction_ends_with_the_holding() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    world.restrict(persona_number(1), true, moment).unwrap();
    assert!(world.state(persona_number(1), moment).line.unwrap().restricted);
    world.restrict(persona_number(42), false, moment).unwrap();
    assert!(!world.state(persona_number(42), moment).line.unwrap().restricted);
    world.happen(persona_number(1), LifeEvent::Recycle, None, moment).unwrap();
    assert!(!world.state(persona_number(1), moment).line.unwrap().restricted);
}

#[test]
fn a_stopped_feed_tells_of_nothing_and_its_as_of_stays() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    world.stop_feed(moment);
    world.advance_by(1.day(), moment).unwrap();
    world.stop_feed(moment);
    assert_eq!(world.feed_stopped(), Some(at(REAL)));
    let refused = world.clone().happen(persona_number(1), LifeEvent::Swap, None, moment);
    assert_eq!(refused, Err(WorldRefusal::FeedStopped));
    world.start_feed();
    world.happen(persona_number(1), LifeEvent::Swap, Some(at(REAL)), moment).unwrap();
}

#[test]
fn lines_and_events_have_their_limits() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    let line = stated("2020-01-01T00:00:00Z", None);
    for last in 0..WORLD_LINES_MAX as u64 {
        world.put(number(last), &line, moment).unwrap();
    }
    assert_eq!(world.clone().put(number(9_999), &line, moment), Err(WorldRefusal::LinesFull));
    assert_eq!(world.clone().happen(persona_number(1), LifeEvent::Swap, None, moment), Err(WorldRefusal::LinesFull));
    world.put(number(1), &line, moment).unwrap();
    world.remove(number(1)).unwrap();
    world.put(number(9_999), &line, moment).unwrap();
    for event in 0..WORLD_EVENTS_MAX as u64 {
        world.happen(number(2 + event % 900), LifeEvent::Swap, None, moment).unwrap();
    }
    assert_eq!(world.event_count(), WORLD_EVENTS_MAX);
    assert_eq!(world.clone().happen(number(2), LifeEvent::Swap, None, moment), Err(WorldRefusal::EventsFull));
    world.put(number(2), &line, moment).unwrap();
    world.happen(number(2), LifeEvent::Swap, None, moment).unwrap();
}

#[test]
fn a_reset_forgets_everything() {
    let (zone, mut world) = (zone(), World::default());
    let moment = Moment { real: at(REAL), zone: &zone };
    world.advance_by(30.days(), moment).unwrap();
    world.happen(persona_number(1), LifeEvent::Swap, None, moment).unwrap();
    world.stop_feed(moment);
    world.reset();
    world.take_edits();
    assert_eq!(world, World::default());
}

/// One call of a script.
#[derive(Debug, Clone)]
enum Call {
    Put(u64, Option<i64>),
    Happen(u64, usize, i64),
    Move(u64, u64),
    Restrict(u64, bool),
    Remove(u64),
    Advance(i64),
    Feed(bool),
}

fn call() -> impl Strategy<Value = Call> {
    let line = 0..6_u64;
    prop_oneof![
        (line.clone(), proptest::option::of(0..400_i64)).prop_map(|(line, days)| Call::Put(line, days)),
        (line.clone(), 0..LifeEvent::SIMPLE.len(), 0..60_i64)
            .prop_map(|(line, what, days)| Call::Happen(line, what, days)),
        (line.clone(), line.clone()).prop_map(|(from, to)| Call::Move(from, to)),
        (line.clone(), any::<bool>()).prop_map(|(line, on)| Call::Restrict(line, on)),
        line.prop_map(Call::Remove),
        (-10..40_i64).prop_map(Call::Advance),
        any::<bool>().prop_map(Call::Feed),
    ]
}

/// Three numbers of its own and three personas.
fn any_number(line: u64) -> Msisdn {
    if line < 3 { number(line) } else { persona_number(line) }
}

/// Makes one call; a refused one leaves the world as it was.
fn make(world: &World, call: &Call, moment: Moment<'_>) -> World {
    let mut next = world.clone();
    let days = |days: i64| world.now(moment.real) - SignedDuration::from_hours(24 * days);
    let made = match call {
        Call::Put(line, swapped) => {
            let last_swap = swapped.map(|ago| Swap { at: days(ago), cause: SwapCause::Replacement });
            next.put(any_number(*line), &StatedLine { last_swap, ..stated("2015-01-01T00:00:00Z", None) }, moment)
        }
        Call::Happen(line, what, ago) => {
            next.happen(any_number(*line), LifeEvent::SIMPLE[*what], Some(days(*ago)), moment)
        }
        Call::Move(from, to) => next.happen(any_number(*from), LifeEvent::NumberChange(any_number(*to)), None, moment),
        Call::Restrict(line, on) => next.restrict(any_number(*line), *on, moment),
        Call::Remove(line) => next.remove(any_number(*line)),
        Call::Advance(days) => next.advance_by(days.days(), moment),
        Call::Feed(true) => {
            next.start_feed();
            Ok(())
        }
        Call::Feed(false) => {
            next.stop_feed(moment);
            Ok(())
        }
    };
    if made.is_ok() { next } else { world.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_same_calls_make_the_same_world_and_the_clock_never_goes_back(
        calls in proptest::collection::vec(call(), 0..40),
    ) {
        let zone = zone();
        let moment = Moment { real: at(REAL), zone: &zone };
        let (mut one, mut two) = (World::default(), World::default());
        for call in &calls {
            let next = make(&one, call, moment);
            prop_assert!(next.now(moment.real) >= one.now(moment.real));
            // What is derived of one line is what is derived of all together.
            for (msisdn, state) in next.states() {
                prop_assert_eq!(next.state(msisdn, moment), state);
                prop_assert_eq!(next.group(msisdn), group_as_said(&next, msisdn));
            }
            one = next;
            two = make(&two, call, moment);
        }
        prop_assert_eq!(one, two);
    }
}
