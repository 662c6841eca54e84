use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The day of an instant in the operator's zone, as published: `DD-MM-YYYY`.
pub(super) fn day(at: Timestamp, zone: &TimeZone) -> String {
    let local = zone.to_datetime(at);
    format!("{:02}-{:02}-{:04}", local.day(), local.month(), local.year())
}

/// Day and minute of an instant in the operator's zone: `DD-MM-YYYY HH:MM`.
pub(super) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    let local = zone.to_datetime(at);
    format!("{:02}-{:02}-{:04} {:02}:{:02}", local.day(), local.month(), local.year(), local.hour(), local.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_operators() {
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        let at: Timestamp = "2026-12-31T21:05:59Z".parse().unwrap();
        assert_eq!(day(at, &zone), "01-01-2027");
        assert_eq!(minute(at, &zone), "01-01-2027 00:05");
    }
}
