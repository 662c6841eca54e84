//! How long calls took, as servers count it and people read it.

use std::time::Duration;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::partner::AppId;
use laini_core::support::CallTimes;
use laini_office::Actor;
use laini_office::call_times::{add_call_times, call_times};

use crate::desk::{Desk, START};

const ONE: AppId = AppId::from_stored(1);
const OTHER: AppId = AppId::from_stored(2);

fn took(millis: &[u64]) -> CallTimes {
    let mut times = CallTimes::default();
    for millis in millis {
        times.add(Duration::from_millis(*millis));
    }
    times
}

fn add(desk: &Desk, counted: &[(AppId, Timestamp, CallTimes)]) {
    desk.run(&Actor::System, |work| add_call_times(work, counted)).unwrap();
}

fn shown(desk: &Desk, app: AppId, from: Date, until: Date) -> Vec<(Date, u64)> {
    let days = desk.run(&Actor::System, |work| call_times(work, app, from, until)).unwrap();
    days.into_iter().map(|(day, times)| (day, times.calls())).collect()
}

#[test]
fn what_several_servers_counted_becomes_one_by_app_and_day_of_the_operators_zone() {
    let mut desk = Desk::open();
    desk.office.settings.zone = TimeZone::fixed(jiff::tz::offset(3));
    let (first, second) = (date(2026, 11, 22), date(2026, 11, 23));
    // It is noon there.
    let (before, after) = (START + SignedDuration::from_mins(705), START + SignedDuration::from_mins(720));
    let one_server = [(ONE, START, took(&[1, 2])), (ONE, before, took(&[3])), (OTHER, START, took(&[9]))];
    add(&desk, &one_server);
    add(&desk, &[(ONE, START, took(&[40])), (ONE, after, took(&[5]))]);
    assert_eq!(shown(&desk, ONE, first, date(2026, 11, 24)), [(first, 4), (second, 1)]);
    assert_eq!(shown(&desk, ONE, second, date(2026, 11, 24)), [(second, 1)]);
    assert_eq!(shown(&desk, ONE, first, second), [(first, 4)], "until before");
    assert_eq!(shown(&desk, OTHER, first, second), [(first, 1)]);
    assert_eq!(shown(&desk, AppId::from_stored(3), first, second), []);
    let days = desk.run(&Actor::System, |work| call_times(work, ONE, first, second)).unwrap();
    assert_eq!((days[&first].within(50), days[&first].within(100)), (Some(2_500), Some(50_000)));
}

#[test]
fn a_hundred_days_are_kept() {
    let mut desk = Desk::open();
    add(&desk, &[(ONE, START, took(&[1]))]);
    let (first, whole) = (date(2026, 11, 22), (date(2026, 1, 1), date(2028, 1, 1)));
    for (waited, kept) in [(100, true), (1, false)] {
        desk.wait_s(waited * 86_400);
        add(&desk, &[(ONE, desk.at, took(&[1]))]);
        let days = shown(&desk, ONE, whole.0, whole.1);
        assert_eq!(days.iter().any(|(day, _)| *day == first), kept, "after {waited} more: {days:?}");
    }
}
