use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use laini_wire::world::LineAnswer;

/// So many days before the world's clock the track begins.
const DAYS: f64 = 400.0;
/// Where the track lies in its drawing.
const LEFT: f64 = 20.0;
const WIDTH: f64 = 380.0;
const MIDDLE: i32 = 210;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// What happened to a line, on an axis of time that ends at the world's clock.
pub(super) struct Track {
    /// Where the window of swaps begins.
    pub(super) window_x: i32,
    /// The newest swap; `None` = never.
    pub(super) swap_x: Option<i32>,
    /// The registration.
    pub(super) registered_x: Option<i32>,
    /// The end.
    pub(super) now_x: i32,
    /// At which side of its place what is said of the swap stands, so that it is in the drawing.
    pub(super) swap_anchor: &'static str,
}

impl Track {
    /// The track of a line, where the clock can be read.
    pub(super) fn of(line: &LineAnswer, now: &str, zone: &TimeZone) -> Option<Self> {
        let now: Timestamp = now.parse().ok()?;
        let window = now.to_zoned(zone.clone()).checked_sub(3.months()).ok()?.timestamp();
        let place = |at: Timestamp| {
            let days = now.duration_since(at).as_secs_f64() / SECONDS_PER_DAY;
            let share = 1.0 - days.clamp(0.0, DAYS) / DAYS;
            #[expect(clippy::cast_possible_truncation, reason = "a place in a drawing of 420 units")]
            let x = (LEFT + WIDTH * share).round() as i32;
            x
        };
        let told = |at: &Option<String>| at.as_deref().and_then(|at| at.parse().ok()).map(place);
        let swap_x = told(&line.last_swap_at);
        Some(Self {
            window_x: place(window),
            swap_x,
            swap_anchor: if swap_x.is_some_and(|x| x < MIDDLE) { "start" } else { "end" },
            registered_x: told(&line.registered_at),
            now_x: place(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(swap: Option<&str>, registered: &str) -> LineAnswer {
        LineAnswer {
            msisdn: "254722000002".to_owned(),
            origin: "own".to_owned(),
            status: "active".to_owned(),
            registered_at: Some(registered.to_owned()),
            holder_since: None,
            last_swap_at: swap.map(str::to_owned),
            swap_cause: None,
            contract_type: None,
            hashed_imsi: None,
            restricted: false,
            source_rejected: false,
        }
    }

    #[test]
    fn what_is_long_ago_lies_at_the_beginning_and_now_at_the_end() {
        let now = "2026-11-22T09:00:00Z";
        let track = Track::of(&line(Some(now), "2016-01-01T00:00:00Z"), now, &TimeZone::UTC).unwrap();
        assert_eq!((track.now_x, track.swap_x, track.registered_x), (400, Some(400), Some(20)));
        // 92 days of 400.
        assert_eq!(track.window_x, 313);
        let half = Track::of(&line(Some("2026-05-06T09:00:00Z"), now), now, &TimeZone::UTC).unwrap();
        assert_eq!(half.swap_x, Some(210));
        assert!(Track::of(&line(None, now), "no instant", &TimeZone::UTC).is_none());
    }
}
