use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use uuid::Uuid;

/// The identity of a check: a UUIDv7. Its first 60 payload bits (milliseconds and a counter) never
/// repeat within one writer of the ledger, the whole of it never at all. Orders by time of minting.
///
/// The counter has 12 bits. Those of the ids that [`CheckIds`] mints lie below 2048; the other half
/// belongs to the ledger's writer, for rows that nobody asked for ([`CheckId::of_reversal`]). So the two
/// need not know of each other, and never mint the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(Uuid);

/// A text that is no `requestRefID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a requestRefID: expected e.g. 971f-4359-b611-6845a1be45ef280786")]
pub struct RequestRefError;

impl CheckId {
    /// The id made of a sortable position (see [`CheckId::position`]) and 62 random bits.
    pub fn from_parts(position: u64, tail: u64) -> Self {
        let millis = u128::from(position >> 12 & 0xffff_ffff_ffff);
        let counter = u128::from(position & 0xfff);
        let tail = u128::from(tail & 0x3fff_ffff_ffff_ffff);
        Self(Uuid::from_u128(millis << 80 | 7 << 76 | counter << 64 | 2 << 62 | tail))
    }

    /// The id held by a UUID; `None` unless it is a version 7 one.
    pub fn from_uuid(uuid: Uuid) -> Option<Self> {
        let fits = uuid.get_version_num() == 7 && uuid.get_variant() == uuid::Variant::RFC4122;
        fits.then_some(Self(uuid))
    }

    /// The UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// Milliseconds since 1970 (48 bits) and counter (12 bits): grows with time, fits a signed 64-bit
    /// integer. Unique among the checks of one writer; two writers can mint the same.
    pub fn position(self) -> u64 {
        let value = self.0.as_u128();
        let millis = u64::try_from(value >> 80).unwrap_or(u64::MAX);
        let counter = u64::try_from(value >> 64 & 0xfff).unwrap_or(0);
        millis << 12 | counter
    }

    /// The id of a row that reverses `reversed`, the next of the writer's own after `last`: the newest
    /// id that its ledger holds or that was made here.
    #[must_use]
    pub fn of_reversal(last: Self, reversed: Self) -> Self {
        let next = last.position() + 1;
        Self::from_parts(next | WRITERS_HALF, reversed.tail())
    }

    /// The 62 random bits.
    pub fn tail(self) -> u64 {
        u64::try_from(self.0.as_u128() & 0x3fff_ffff_ffff_ffff).unwrap_or(0)
    }

    /// The first id that a check minted at `at` can have; for ranges over time.
    pub fn floor(at: Timestamp) -> Self {
        Self::from_parts(millis(at) << 12, 0)
    }

    /// When it was minted, to the millisecond.
    pub fn minted(self) -> Timestamp {
        let millis = i64::try_from(self.position() >> 12).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// The published shape (contract §3): groups 2 to 5 with version digit 4, then group 1 in decimal.
    pub fn request_ref(self) -> String {
        let value = self.0.as_u128();
        let mut text = String::with_capacity(36);
        let _ = write!(
            text,
            "{:04x}-4{:03x}-{:04x}-{:012x}{:06}",
            value >> 80 & 0xffff,
            value >> 64 & 0xfff,
            value >> 48 & 0xffff,
            value & 0xffff_ffff_ffff,
            value >> 96,
        );
        text
    }

    /// Reads the published shape back.
    pub fn parse_request_ref(text: &str) -> Result<Self, RequestRefError> {
        let hex = |range: std::ops::Range<usize>| {
            let part =
                text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
            part.and_then(|part| u128::from_str_radix(part, 16).ok()).ok_or(RequestRefError)
        };
        let dashes = [4, 9, 14].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
        let group1 = text.get(27..).filter(|g| (6..=9).contains(&g.len()) && g.bytes().all(|b| b.is_ascii_digit()));
        let group1: u128 = group1.and_then(|g| g.parse().ok()).ok_or(RequestRefError)?;
        if !dashes || text.as_bytes().get(5) != Some(&b'4') {
            return Err(RequestRefError);
        }
        let value = group1 << 96 | hex(0..4)? << 80 | 7 << 76 | hex(6..9)? << 64 | hex(10..14)? << 48 | hex(15..27)?;
        let id = Self::from_uuid(Uuid::from_u128(value)).ok_or(RequestRefError)?;
        if id.request_ref() == text { Ok(id) } else { Err(RequestRefError) }
    }
}

/// The half of the counters that belongs to the ledger's writer.
const WRITERS_HALF: u64 = 1 << 11;

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0) & 0xffff_ffff_ffff
}

/// Mints check ids whose positions strictly grow, whatever the clock does.
#[derive(Debug, Default)]
pub struct CheckIds {
    last: AtomicU64,
}

impl CheckIds {
    /// A mint that continues after `last`, the newest id that the ledger holds.
    pub fn after(last: Option<CheckId>) -> Self {
        Self { last: AtomicU64::new(last.map_or(0, CheckId::position)) }
    }

    /// The next id. `random` supplies the tail.
    pub fn mint(&self, now: Timestamp, random: u64) -> CheckId {
        let wanted = millis(now) << 12;
        let next = |last: u64| wanted.max(after(last));
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        CheckId::from_parts(next(last.unwrap_or_else(|last| last)), random)
    }
}

/// The first position after `last` that is not the writer's.
fn after(last: u64) -> u64 {
    let next = last + 1;
    if next & WRITERS_HALF == 0 { next } else { ((next >> 12) + 1) << 12 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_shape_is_reversible() {
        let uuid: Uuid = "0193a5d2-971f-7359-b611-6845a1be45ef".parse().unwrap();
        let id = CheckId::from_uuid(uuid).unwrap();
        assert_eq!(id.request_ref(), "971f-4359-b611-6845a1be45ef26453458");
        assert_eq!(CheckId::parse_request_ref(&id.request_ref()), Ok(id));
        for bad in [
            "",
            "971f-4359-b611-6845a1be45ef",
            "971f-5359-b611-6845a1be45ef26453458",
            "971F-4359-b611-6845a1be45ef26453458",
            "971f-4359-b611-6845a1be45ef026453458",
        ] {
            assert_eq!(CheckId::parse_request_ref(bad), Err(RequestRefError), "{bad}");
        }
    }

    #[test]
    fn ids_grow_even_when_the_clock_steps_back() {
        let ids = CheckIds::default();
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let earlier: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let minted: Vec<CheckId> = (0..10_000).map(|n| ids.mint(if n % 2 == 0 { now } else { earlier }, n)).collect();
        assert!(minted.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(CheckIds::after(minted.last().copied()).mint(earlier, 0) > minted[9_999]);
        assert!(CheckId::floor(now) <= minted[0]);
    }

    #[test]
    fn reversals_and_checks_never_share_an_id() {
        let ids = CheckIds::default();
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        // More than one half of a millisecond's counters: they go on in the next one.
        let checks: Vec<CheckId> = (0..5_000).map(|n| ids.mint(now, n)).collect();
        let mut last = checks[4_999];
        for check in &checks {
            let reversal = CheckId::of_reversal(last, *check);
            assert!(reversal > last);
            assert_eq!((reversal.position() & WRITERS_HALF, reversal.tail()), (WRITERS_HALF, check.tail()));
            last = reversal;
        }
        assert!(checks.iter().all(|check| check.position() & WRITERS_HALF == 0));
        let next = CheckIds::after(Some(last)).mint(now, 0);
        assert!(next > last && next.position() & WRITERS_HALF == 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn every_id_survives_its_reference(millis in 6_553_600_000u64..65_536_000_000_000, counter in 0u64..4096, tail in any::<u64>()) {
            let id = CheckId::from_parts(millis << 12 | counter, tail);
            prop_assert_eq!(CheckId::parse_request_ref(&id.request_ref()), Ok(id));
            prop_assert_eq!(CheckId::from_parts(id.position(), id.tail()), id);
            prop_assert_eq!(id.position(), millis << 12 | counter);
        }

        #[test]
        fn any_text_is_a_reference_or_an_error(text in "\\PC{0,40}|[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}[0-9]{5,10}") {
            if let Ok(id) = CheckId::parse_request_ref(&text) {
                prop_assert_eq!(id.request_ref(), text);
            }
        }
    }
}
