use bytes::Bytes;
use jiff::tz::TimeZone;
use laini_core::disclosure::{Decision, Freshness, SwapFact, UnknownReason, Windows, disclose};
use laini_core::line::NumberPlan;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::mapping::MappingSettings;

const NOW: &str = "2026-11-22T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn asked() -> Msisdn {
    NumberPlan::KENYA.parse("254722000000").unwrap()
}

fn settings() -> MappingSettings {
    MappingSettings {
        hashed_imsi: "/hash".into(),
        holder_since: "/holder".into(),
        swap_cause: "/swap/cause".into(),
        last_swap: "/swap/date".into(),
        restricted: "/restricted".into(),
        never_when: vec!["/swap/never = true".into(), r#"/swap/date = "01-01-1900""#.into()],
        swap_unknown_when: vec!["/swap/known = false".into()],
        unknown_when: vec!["/doubtful = true".into(), "status 202".into()],
        not_served_when: vec!["status 404".into(), r#"/error = "UNKNOWN_SUBSCRIBER""#.into()],
        history: "P2Y".into(),
        ..MappingSettings::default()
    }
}

fn good() -> Value {
    json!({
        "msisdn": "254722000000", "status": "active", "imsi": "639021860913909", "hash": null,
        "registered_at": "2015-01-01", "holder": null, "restricted": false,
        "swap": { "date": "2026-10-01T10:00:00Z", "cause": "esim" },
    })
}

fn read_with(settings: &MappingSettings, status: u16, body: &Value) -> Result<Lookup, Misread> {
    let mapping = Mapping::new(settings, NumberPlan::KENYA, TimeZone::get("Africa/Nairobi").unwrap()).unwrap();
    mapping.read(&Reply { status, body: Bytes::from(body.to_string()) }, asked(), at(NOW))
}

/// A good answer with some places changed; `json!("absent")` takes one away.
fn changed(changes: &[(&str, Value)]) -> Value {
    let mut body = good();
    for (place, value) in changes {
        let (parent, key) = place.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value == "absent" {
            parent.remove(key);
        } else {
            parent.insert(key.to_owned(), value.clone());
        }
    }
    body
}

fn read(changes: &[(&str, Value)]) -> Result<Lookup, Misread> {
    read_with(&settings(), 200, &changed(changes))
}

fn line(changes: &[(&str, Value)]) -> Line {
    read(changes).unwrap().state.line.unwrap()
}

#[test]
fn a_whole_answer_is_a_line() {
    let Lookup { state, horizon } = read(&[]).unwrap();
    let line = state.line.unwrap();
    assert_eq!(line.sim.imsi(), Imsi::parse("639021860913909").ok());
    assert_eq!(line.registered, at("2014-12-31T21:00:00Z"));
    assert_eq!(line.last_swap, Some(Swap { at: at("2026-10-01T10:00:00Z"), cause: SwapCause::Esim }));
    assert_eq!((line.status, line.holder_since, line.restricted), (LineStatus::Active, None, false));
    assert_eq!(horizon, Horizon { as_of: Some(at(NOW)), history_since: at("2024-11-22T09:00:00Z") });
}

#[test]
fn never_is_said_and_not_guessed() {
    for never in [
        vec![("/swap/date", json!(null)), ("/swap/never", json!(true))],
        vec![("/swap/date", json!("absent")), ("/swap/never", json!(true))],
        vec![("/swap/date", json!("01-01-1900"))],
    ] {
        assert_eq!(line(&never).last_swap, None, "{never:?}");
    }
    for silent in [json!(null), json!("absent"), json!("1900-01-01"), json!("")] {
        assert!(read(&[("/swap/date", silent.clone())]).is_err(), "{silent}");
    }
    let both = [("/swap/never", json!(true))];
    assert_eq!(read(&both), Err(misread("last swap", "has a date, and is said to be none or unknown")));
    let neither = [("/swap/never", json!(true)), ("/swap/known", json!(false)), ("/swap/date", json!(null))];
    assert_eq!(read(&neither), Err(misread("last swap", "is said both to be none and to be unknown")));
}

#[test]
fn an_unknown_swap_leaves_the_other_facts() {
    let Lookup { state, horizon } = read(&[("/swap/date", json!(null)), ("/swap/known", json!(false))]).unwrap();
    let zone = TimeZone::get("Africa/Nairobi").unwrap();
    let decision = disclose(&state, horizon, Windows::default(), Freshness::default(), at(NOW), &zone);
    let Decision::Facts(facts) = decision else { panic!("{decision:?}") };
    assert_eq!(facts.swap, SwapFact::Unknown(UnknownReason::NoHistory));
    assert_eq!(facts.registration, laini_core::disclosure::RegistrationFact::Older);
}

#[test]
fn a_line_may_be_known_by_its_hash_alone() {
    let hashed = line(&[("/imsi", json!(null)), ("/hash", json!("4213215110021315"))]);
    assert_eq!(hashed.sim, Sim::Hashed(HashedImsi::parse("4213215110021315").unwrap()));
    let both = line(&[("/hash", json!("4213215110021315"))]);
    assert!(both.sim.imsi().is_some());
    assert_eq!(both.operator_hash().map(HashedImsi::as_str), Some("4213215110021315"));
}

#[test]
fn a_new_holder_is_a_swap() {
    let held = line(&[("/holder", json!("2026-11-01")), ("/swap/date", json!(null)), ("/swap/never", json!(true))]);
    assert_eq!(held.last_swap.map(|swap| swap.cause), Some(SwapCause::NewHolder));
    assert_eq!(held.holding_since(), at("2026-10-31T21:00:00Z"));
}

#[test]
fn not_served_and_unknown_are_what_the_settings_name() {
    let state = |status, body: &Value| read_with(&settings(), status, body).map(|found| found.state);
    let not_served = LineState::default();
    let unknown = LineState { line: None, source_rejected: true };
    assert_eq!(state(404, &json!(null)), Ok(not_served.clone()));
    assert_eq!(state(200, &json!({ "error": "UNKNOWN_SUBSCRIBER" })), Ok(not_served.clone()));
    assert_eq!(state(200, &changed(&[("/status", json!("terminated"))])), Ok(not_served));
    assert_eq!(state(202, &json!(null)), Ok(unknown.clone()));
    assert_eq!(state(200, &changed(&[("/doubtful", json!(true))])), Ok(unknown));
    for status in [201, 204, 301, 400, 401, 403, 410] {
        assert_eq!(state(status, &good()), Err(misread("HTTP status", "is none that the settings name")), "{status}");
    }
    let both = json!({ "error": "UNKNOWN_SUBSCRIBER", "doubtful": true });
    assert!(state(200, &both).is_err());
    let other = json!({ "error": "UNKNOWN_SUBSCRIBER", "msisdn": "254722000009" });
    assert!(state(200, &other).is_err(), "about another number");
    // Where no setting names 404, it may as well be a wrong path.
    let strict = MappingSettings { not_served_when: Vec::new(), ..settings() };
    assert!(read_with(&strict, 404, &json!(null)).is_err());
}

#[test]
fn the_number_is_echoed_in_any_form() {
    for form in [json!("+254722000000"), json!("0722000000"), json!("254 722 000 000"), json!(254_722_000_000_u64)] {
        assert!(read(&[("/msisdn", form.clone())]).is_ok(), "{form}");
    }
}

#[test]
fn what_is_of_another_type_or_contradicts_itself_is_no_answer() {
    let table = [
        ("/msisdn", json!("254722000001"), "number"),
        ("/msisdn", json!(null), "number"),
        ("/msisdn", json!("absent"), "number"),
        ("/msisdn", json!(["254722000000"]), "number"),
        ("/status", json!("ACTIVE"), "status"),
        ("/status", json!(true), "status"),
        ("/status", json!("absent"), "status"),
        ("/imsi", json!(639_021_860_913_909_u64), "IMSI"),
        ("/imsi", json!("63902186091390"), "IMSI"),
        ("/imsi", json!(null), "IMSI"),
        ("/hash", json!("not a hash"), "hashed IMSI"),
        ("/hash", json!(4213), "hashed IMSI"),
        ("/registered_at", json!(null), "registration"),
        ("/registered_at", json!("absent"), "registration"),
        ("/registered_at", json!("2099-01-01"), "registration"),
        ("/registered_at", json!(1_400_000_000), "registration"),
        ("/holder", json!("absent"), "holder's date"),
        ("/holder", json!("soon"), "holder's date"),
        ("/restricted", json!("false"), "restriction"),
        ("/restricted", json!("absent"), "restriction"),
        ("/swap/date", json!("2027-01-01T00:00:00Z"), "last swap"),
        ("/swap/date", json!("2014-06-01"), "last swap"),
        ("/swap/date", json!(true), "last swap"),
        ("/swap/cause", json!("magic"), "swap's cause"),
        ("/swap/cause", json!(null), "swap's cause"),
    ];
    for (place, value, part) in table {
        let misread = read(&[(place, value.clone())]).expect_err("no answer");
        assert_eq!(misread.part, part, "{place} = {value}: {misread}");
    }
}

#[test]
fn an_answer_may_state_its_own_horizon() {
    let stated = MappingSettings { as_of: "/complete/until".into(), history: "/complete/since".into(), ..settings() };
    let complete = json!({ "until": "2026-11-22T08:00:00Z", "since": "2020-01-01" });
    let horizon = read_with(&stated, 200, &changed(&[("/complete", complete)])).unwrap().horizon;
    let since = at("2019-12-31T21:00:00Z");
    assert_eq!(horizon, Horizon { as_of: Some(at("2026-11-22T08:00:00Z")), history_since: since });
    assert_eq!(read_with(&stated, 200, &good()).unwrap_err().part, "as-of");
    let future = json!({ "until": "2026-11-23T08:00:00Z", "since": "2020-01-01" });
    assert_eq!(read_with(&stated, 200, &changed(&[("/complete", future)])).unwrap_err().part, "as-of");
    assert_eq!(read_with(&stated, 404, &json!(null)).unwrap().horizon.as_of, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn any_bytes_are_a_line_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80), status in 100u16..600) {
        let mapping = Mapping::new(&settings(), NumberPlan::KENYA, TimeZone::UTC).unwrap();
        let reply = Reply { status, body: Bytes::from(bytes) };
        let facts = mapping.read(&reply, asked(), at(NOW)).is_ok_and(|found| found.state.line.is_some());
        prop_assert!(!facts);
    }

    #[test]
    fn no_change_of_one_place_makes_a_swap_disappear(
        place in prop::sample::select(vec!["/swap/date", "/swap/cause", "/swap", "/status", "/holder", "/imsi"]),
        value in prop::sample::select(vec![
            json!(null), json!("absent"), json!(""), json!(0), json!(false), json!([]), json!({}), json!("1900-01-01"),
        ]),
    ) {
        if let Ok(found) = read(&[(place, value)]) {
            prop_assert!(found.state.line.is_none_or(|line| line.last_swap.is_some()));
        }
    }
}
