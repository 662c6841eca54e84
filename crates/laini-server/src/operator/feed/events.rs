use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use jiff::Timestamp;
use laini_core::line::{Event, EventKey, EventKind, EventText, FeedLine, Happening, Imsi, Msisdn, NumberPlan};
use laini_core::store::FeedItem;
use serde::Deserialize;
use serde_json::Value;

use super::Instants;
use crate::http::is_object;

/// How much of a feed is read ahead.
const BUFFER_BYTES: usize = 1024 * 1024;
/// Longest line of an event feed.
pub const MAX_EVENT_LINE_BYTES: usize = 16 * 1024;

/// An event feed that cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// Reading failed.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// One line as it stands there; every field is a text.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    at: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    msisdn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    imsi: Option<Cow<'a, str>>,
    #[serde(borrow)]
    new_msisdn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    of: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    recorded_at: Option<Cow<'a, str>>,
}

/// What a line that is refused can be told to be about.
#[derive(Default)]
struct Named {
    msisdn: Option<Msisdn>,
    new_msisdn: Option<Msisdn>,
    at: Option<Timestamp>,
}

impl Named {
    fn refused(self, place: String, reason: String, line: Option<FeedLine>) -> FeedItem {
        let Self { msisdn, new_msisdn, at } = self;
        FeedItem::Refused { place, msisdn, new_msisdn, at, reason, line }
    }
}

/// One line of a feed that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadItem {
    /// Its place, from 1.
    pub line: u64,
    /// What it says.
    pub item: FeedItem,
}

/// Reads an event feed line by line (NDJSON; blank lines are skipped).
pub struct EventReader<R, C> {
    input: BufReader<R>,
    plan: NumberPlan,
    instants: Instants,
    clock: C,
    received: Timestamp,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: Read, C: Fn() -> Timestamp> EventReader<R, C> {
    /// A reader of plain bytes. `clock` tells when each line arrived: a feed may run for days.
    pub fn new(input: R, plan: NumberPlan, instants: Instants, clock: C) -> Self {
        let received = clock();
        let input = BufReader::with_capacity(BUFFER_BYTES, input);
        Self { input, plan, instants, clock, received, line: 0, buffer: Vec::new() }
    }

    /// At most `limit` items, in order; empty at the end. A line that cannot be read is an item too.
    /// Waits for the first line only: what a slow feed has said is not held back for more.
    pub fn next_batch(&mut self, limit: usize) -> Result<Vec<ReadItem>, EventsError> {
        let mut items = Vec::new();
        while items.len() < limit && (items.is_empty() || self.has_whole_line()) {
            self.buffer.clear();
            let line = (&mut self.input).take(MAX_EVENT_LINE_BYTES as u64 + 1).read_until(b'\n', &mut self.buffer)?;
            if line == 0 {
                break;
            }
            self.received = (self.clock)();
            self.instants.set_now(self.received);
            self.line += 1;
            let place = format!("line {}", self.line);
            if self.buffer.len() > MAX_EVENT_LINE_BYTES {
                self.skip_line()?;
                let reason = format!("is longer than {MAX_EVENT_LINE_BYTES} bytes");
                let item = Named::default().refused(place, reason, None);
                items.push(ReadItem { line: self.line, item });
                continue;
            }
            let text = self.buffer.trim_ascii();
            let text = if self.line == 1 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text };
            if text.is_empty() {
                continue;
            }
            items.push(ReadItem { line: self.line, item: self.item(text, place) });
        }
        Ok(items)
    }

    fn has_whole_line(&self) -> bool {
        memchr::memchr(b'\n', self.input.buffer()).is_some()
    }

    fn skip_line(&mut self) -> Result<(), EventsError> {
        while !self.buffer.ends_with(b"\n") {
            self.buffer.clear();
            let more = (&mut self.input).take(MAX_EVENT_LINE_BYTES as u64).read_until(b'\n', &mut self.buffer)?;
            if more == 0 {
                break;
            }
        }
        Ok(())
    }

    fn item(&self, text: &[u8], place: String) -> FeedItem {
        // The parser's own message could quote what stands there.
        let line = || Some(FeedLine(text.to_vec()));
        let raw = is_object(text).then(|| serde_json::from_slice::<Raw<'_>>(text).ok()).flatten();
        let Some(raw) = raw else {
            let reason = "is not a JSON object whose fields are texts".to_owned();
            return self.named_by_values(text).refused(place, reason, line());
        };
        self.read(&raw).unwrap_or_else(|reason| {
            let named = self.named(raw.msisdn.as_deref(), raw.new_msisdn.as_deref(), raw.at.as_deref());
            named.refused(place, reason, line())
        })
    }

    /// What can be told of a line whose fields are not what they should be: which lines it is about must not
    /// hang on how another field is written.
    fn named_by_values(&self, text: &[u8]) -> Named {
        let Ok(Value::Object(fields)) = serde_json::from_slice(text) else { return Named::default() };
        let field = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => {
                let text = number.to_string();
                Some(text.strip_suffix(".0").unwrap_or(&text).to_owned())
            }
            _ => None,
        };
        self.named(field("msisdn").as_deref(), field("new_msisdn").as_deref(), field("at").as_deref())
    }

    fn named(&self, msisdn: Option<&str>, new_msisdn: Option<&str>, at: Option<&str>) -> Named {
        let number = |text: &str| self.plan.parse_spaced(text).ok();
        Named {
            msisdn: msisdn.and_then(number),
            new_msisdn: new_msisdn.and_then(number),
            at: at.and_then(|text| self.instants.parse(text).ok()),
        }
    }

    fn read(&self, raw: &Raw<'_>) -> Result<FeedItem, String> {
        let kind = raw.kind.as_deref().ok_or("type is missing")?;
        let kind = EventKind::parse(kind).ok_or("type is none of the known words")?;
        let at = self.instant(raw.at.as_deref(), "at")?.ok_or("at is missing")?;
        let source = match raw.source.as_deref() {
            Some(source) => EventText::parse(source).map_err(|e| format!("source: {e}"))?,
            None => EventText::default_source(),
        };
        if kind == EventKind::Heartbeat {
            return Ok(FeedItem::Heartbeat { source, until: at });
        }
        let id = EventText::parse(raw.id.as_deref().ok_or("id is missing")?).map_err(|e| format!("id: {e}"))?;
        let happening = self.happening(kind, raw)?;
        let msisdn = self.number(raw.msisdn.as_deref(), "msisdn")?;
        if msisdn.is_none() && happening.amends().is_none() {
            return Err("msisdn is missing".to_owned());
        }
        let recorded = self.instant(raw.recorded_at.as_deref(), "recorded_at")?.unwrap_or(self.received);
        Ok(FeedItem::Event(Event { key: EventKey { id, source }, at, recorded, msisdn, happening }))
    }

    fn happening(&self, kind: EventKind, raw: &Raw<'_>) -> Result<Happening, String> {
        let imsi = match raw.imsi.as_deref() {
            Some(text) => Some(Imsi::parse(text.trim_ascii()).map_err(|e| format!("imsi: {e}"))?),
            None => None,
        };
        let sim = || imsi.ok_or_else(|| format!("imsi is missing: {} needs it", kind.word()));
        let new_msisdn = self.number(raw.new_msisdn.as_deref(), "new_msisdn")?;
        let of = || {
            let of = raw.of.as_deref().ok_or_else(|| format!("of is missing: {} needs it", kind.word()))?;
            EventText::parse(of).map_err(|e| format!("of: {e}"))
        };
        Ok(match kind {
            EventKind::Registered => Happening::Registered(sim()?),
            EventKind::SimReplaced => Happening::SimReplaced(sim()?),
            EventKind::EsimIssued => Happening::EsimIssued(sim()?),
            EventKind::PortedIn => Happening::PortedIn(sim()?),
            EventKind::DeviceChanged => Happening::DeviceChanged,
            EventKind::Suspended => Happening::Suspended,
            EventKind::Resumed => Happening::Resumed,
            EventKind::PortedOut => Happening::PortedOut,
            EventKind::Terminated => Happening::Terminated,
            EventKind::Recycled => Happening::Recycled(sim()?),
            EventKind::NumberChanged => Happening::NumberChanged {
                new_msisdn: new_msisdn.ok_or("new_msisdn is missing: number_changed needs it")?,
            },
            EventKind::Correction => Happening::Correction { of: of()?, imsi, new_msisdn },
            EventKind::Retraction => Happening::Retraction { of: of()? },
            EventKind::Heartbeat => return Err("a heartbeat is about a feed, not a line".to_owned()),
            EventKind::Erased => return Err("no feed erases: the operator does, by laini subject erase".to_owned()),
        })
    }

    fn instant(&self, text: Option<&str>, name: &str) -> Result<Option<Timestamp>, String> {
        text.map(|text| self.instants.parse(text).map_err(|e| format!("{name} {e}"))).transpose()
    }

    fn number(&self, text: Option<&str>, name: &str) -> Result<Option<Msisdn>, String> {
        text.map(|text| self.plan.parse_spaced(text).map_err(|e| format!("{name}: {e}"))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Vec<FeedItem> {
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let instants = Instants::new(TimeZone::get("Africa/Nairobi").unwrap(), now);
        let mut reader = EventReader::new(text, NumberPlan::KENYA, instants, || now);
        let mut all = Vec::new();
        loop {
            match reader.next_batch(3).unwrap() {
                batch if batch.is_empty() => return all,
                batch => all.extend(batch.into_iter().map(|read| read.item)),
            }
        }
    }

    fn reason(line: &str) -> String {
        match read(line.as_bytes()).remove(0) {
            FeedItem::Refused { reason, .. } => reason,
            other => panic!("read: {other:?}"),
        }
    }

    #[test]
    fn every_type_is_read() {
        let imsi = r#""imsi":"639028863380033","#;
        let table = [
            ("registered", imsi),
            ("sim_replaced", imsi),
            ("esim_issued", imsi),
            ("ported_in", imsi),
            ("recycled", imsi),
            ("device_changed", ""),
            ("suspended", ""),
            ("resumed", ""),
            ("ported_out", ""),
            ("terminated", ""),
            ("number_changed", r#""new_msisdn":"0722000001","#),
            ("correction", r#""of":"e0","#),
            ("retraction", r#""of":"e0","#),
        ];
        for (kind, extra) in table {
            let line = format!(
                r#"{{"id":"e1",{extra}"at":"2026-11-21T04:30:07+03:00","type":"{kind}","msisdn":"+254722000000","x":1}}"#
            );
            match &read(line.as_bytes())[..] {
                [FeedItem::Event(event)] => assert_eq!(event.happening.kind().word(), kind),
                other => panic!("{kind}: {other:?}"),
            }
        }
        let beat = br#"{"type":"heartbeat","at":"2026-11-22T08:00:00Z","source":"hlr-2"}"#;
        assert!(matches!(&read(beat)[..], [FeedItem::Heartbeat { source, .. }] if source.as_str() == "hlr-2"));
    }

    #[test]
    fn a_bad_line_says_why_and_never_what_stood_there() {
        let good = r#"{"id":"e1","at":"2026-11-21","type":"suspended","msisdn":"254722000000"}"#;
        let table = [
            ("{", "JSON object"),
            (r#"["e1","2026-11-21","suspended","254722000000",null,null,null,null,null]"#, "JSON object"),
            (r#"{"id":7}"#, "JSON object"),
            (&good.replace("suspended", "sleeping"), "type is none"),
            (&good.replace("suspended", "registered"), "imsi is missing"),
            (&good.replace("suspended", "number_changed"), "new_msisdn is missing"),
            (&good.replace("suspended", "retraction"), "of is missing"),
            (&good.replace("2026-11-21", "2026-11-23"), "future"),
            (&good.replace("254722000000", "2547220"), "msisdn"),
            (&good.replace(r#""msisdn":"254722000000""#, r#""z":"""#), "msisdn is missing"),
            (&good.replace("\"id\":\"e1\",", ""), "id is missing"),
        ];
        for (line, expected) in table {
            let reason = reason(line);
            assert!(reason.contains(expected), "{line}: {reason}");
            assert!(!reason.contains("254722"), "{reason}");
        }
    }

    #[test]
    fn a_refused_line_names_its_numbers_however_its_fields_are_written() {
        let number = |text: &str| NumberPlan::KENYA.parse(text).ok();
        let (one, two) = (number("254722000001"), number("254722000002"));
        let when: Option<Timestamp> = "2026-11-20T21:00:00Z".parse().ok();
        let table = [
            // An IMSI, an id, a source or an instant that is a JSON number.
            (
                r#"{"id":"e","at":"2026-11-21","type":"sim_replaced","msisdn":"0722000001","imsi":639028863380033}"#,
                one,
                None,
                when,
            ),
            (
                r#"{"id":7,"at":"2026-11-21","type":"sim_replaced","msisdn":"0722000001","imsi":"639028863380033"}"#,
                one,
                None,
                when,
            ),
            (r#"{"at":"2026-11-21","msisdn":"254722000001","source":["a"],"recorded_at":1763712000}"#, one, None, when),
            (r#"{"at":1763712000,"msisdn":"254722000001"}"#, one, None, None),
            (r#"{"at":"2026-11-21","msisdn":254722000001,"imsi":null}"#, one, None, when),
            (r#"{"at":"2026-11-21","msisdn":722000001}"#, one, None, when),
            (r#"{"at":"2026-11-21","msisdn":254722000001.0}"#, one, None, when),
            (
                r#"{"at":"2026-11-21","type":"number_changed","msisdn":254722000001,"new_msisdn":254722000002}"#,
                one,
                two,
                when,
            ),
            (r#"{"at":"2026-11-21","msisdn":{"n":"254722000001"},"new_msisdn":"254722000002"}"#, None, two, when),
            (r#"{"at":"2026-11-21","msisdn":true,"imsi":1}"#, None, None, when),
            // Texts, of which another one is wrong.
            (
                r#"{"id":"","at":"2026-11-21","type":"number_changed","msisdn":"0722000001","new_msisdn":"0722000002"}"#,
                one,
                two,
                when,
            ),
            (r#"{"at":"2026-11-21","type":"number_changed","msisdn":"07","new_msisdn":"0722000002"}"#, None, two, when),
            (r#"["254722000001"]"#, None, None, None),
        ];
        for (line, msisdn, new_msisdn, at) in table {
            match read(line.as_bytes()).remove(0) {
                FeedItem::Refused { msisdn: a, new_msisdn: b, at: c, reason, line: kept, .. } => {
                    assert_eq!((a, b, c), (msisdn, new_msisdn, at), "{line}");
                    assert!(!reason.contains("22000"), "{reason}");
                    assert_eq!(kept, Some(FeedLine(line.as_bytes().to_vec())));
                }
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_refused_line_keeps_its_number_and_a_long_one_does_not_stop_the_rest() {
        let text = format!(
            "\u{feff}\n{{\"msisdn\":\"0722000000\",\"imsi\":\"1\",\"type\":\"sim_replaced\",\"id\":\"a\",\"at\":\"2026-11-21\"}}\n{}\n{{\"type\":\"heartbeat\",\"at\":\"2026-11-21\"}}",
            "x".repeat(100_000)
        );
        let items = read(text.as_bytes());
        assert!(
            matches!(&items[0], FeedItem::Refused { msisdn: Some(_), at: Some(_), place, .. } if place == "line 2")
        );
        assert!(matches!(&items[1], FeedItem::Refused { place, .. } if place == "line 3"));
        assert!(matches!(&items[2], FeedItem::Heartbeat { .. }));
    }

    /// Gives its pieces one read at a time, as a pipe does, and then fails: nobody may ask for more.
    struct Pipe(Vec<&'static str>);

    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.pop() else { return Err(io::Error::other("the pipe was asked for more")) };
            buffer[..piece.len()].copy_from_slice(piece.as_bytes());
            Ok(piece.len())
        }
    }

    #[test]
    fn a_slow_feed_is_not_held_back_for_more() {
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let later = now + jiff::SignedDuration::from_hours(30);
        let instants = Instants::new(TimeZone::get("Africa/Nairobi").unwrap(), now);
        let beats = "{\"type\":\"heartbeat\",\"at\":\"2026-11-22T08:00:00Z\"}\n{\"type\":\"heartbeat\",\"at\":\"2026-11-23T14:59:00Z\"}\n{\"type\"";
        let mut reader = EventReader::new(Pipe(vec![beats]), NumberPlan::KENYA, instants, || later);
        let batch = reader.next_batch(100).unwrap();
        // The second one lies in the future of the start, and not of its arrival.
        let beats = batch.iter().map(|read| (read.line, matches!(read.item, FeedItem::Heartbeat { .. })));
        assert_eq!(beats.collect::<Vec<_>>(), [(1, true), (2, true)]);
        assert!(reader.next_batch(100).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]
        #[test]
        fn any_line_is_an_item(line in "[^\n]{0,80}|\\{\"id\":\"[a-z]{0,3}\",\"type\":\"(registered|correction|heartbeat)\",\"at\":\"20[0-9]{2}-[01][0-9]-[0-3][0-9]\",\"msisdn\":\"[0-9+]{9,13}\"\\}") {
            let blank = line.trim_matches('\u{feff}').trim_ascii().is_empty();
            prop_assert!(blank || read(line.as_bytes()).len() == 1);
        }
    }
}
