use std::fmt;

use jiff::Timestamp;

use crate::line::LineState;
use crate::store::SubjectHash;

/// The restricted numbers as one immutable picture, asked by every check and replaced whole: 24 bytes each.
#[derive(Default, Clone)]
pub struct Restrictions {
    /// In the order of the hashes. The instant, in microseconds since 1970: holdings that began later are not restricted.
    entries: Box<[(SubjectHash, i64)]>,
    seen: RestrictionCursor,
}

/// A restriction as an engine keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestrictionRow {
    /// The number.
    pub number: SubjectHash,
    /// Holdings that began by then are restricted, [`Timestamp::MAX`] = whoever holds the number; `None` = lifted.
    pub until: Option<Timestamp>,
    /// The version of the accounts that it came with.
    pub change: u64,
}

/// How far a reader of restrictions has come, in the order of (change, number).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct RestrictionCursor {
    /// Of the last one that it has seen.
    pub change: u64,
    /// Likewise.
    pub number: SubjectHash,
}

impl RestrictionRow {
    /// Where a reader stands that has seen this one.
    pub fn cursor(&self) -> RestrictionCursor {
        RestrictionCursor { change: self.change, number: self.number }
    }
}

impl Restrictions {
    /// How many numbers are restricted.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is: then nothing is looked up.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How far this picture has seen.
    pub fn seen(&self) -> RestrictionCursor {
        self.seen
    }

    /// Whether any restriction names the number, for whichever holder.
    pub fn names(&self, number: SubjectHash) -> bool {
        self.until(number).is_some()
    }

    /// Whether what is known about a line is withheld: it is restricted, and nobody else holds it since. What is not
    /// served any more is withheld as well, for "not served" would be told of the same holder.
    pub fn withhold(&self, number: SubjectHash, state: &LineState) -> bool {
        self.until(number)
            .is_some_and(|until| state.line.as_ref().is_none_or(|line| line.holding_since().as_microsecond() <= until))
    }

    /// Whether what was told at `at` is not told again: it was about a holder who is restricted now.
    pub fn withhold_again(&self, number: SubjectHash, at: Timestamp) -> bool {
        self.until(number).is_some_and(|until| at.as_microsecond() <= until)
    }

    /// The picture after these changes, which are in the order of (change, number).
    #[must_use]
    pub fn with(&self, mut news: Vec<RestrictionRow>) -> Self {
        let seen = news.last().map_or(self.seen, RestrictionRow::cursor);
        news.sort_by_key(|row| row.number);
        let mut entries = Vec::with_capacity(self.entries.len() + news.len());
        let mut old = self.entries.iter().copied().peekable();
        for row in news {
            while let Some(entry) = old.next_if(|(number, _)| *number < row.number) {
                entries.push(entry);
            }
            let _replaced = old.next_if(|(number, _)| *number == row.number);
            entries.extend(row.until.map(|until| (row.number, until.as_microsecond())));
        }
        entries.extend(old);
        Self { entries: entries.into_boxed_slice(), seen }
    }

    fn until(&self, number: SubjectHash) -> Option<i64> {
        let place = self.entries.binary_search_by(|(restricted, _)| restricted.cmp(&number)).ok()?;
        Some(self.entries[place].1)
    }
}

impl fmt::Debug for Restrictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Restrictions({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::line::{Imsi, Line, LineStatus};

    fn number(n: u8) -> SubjectHash {
        SubjectHash([n; 16])
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn held_since(registered: &str, status: LineStatus) -> LineState {
        let line = Line {
            status,
            sim: Imsi::parse("639021860913909").unwrap().into(),
            registered: at(registered),
            holder_since: None,
            last_swap: None,
            swap_learned: false,
            swap_before: None,
            last_pairing: None,
            contract: None,
            restricted: false,
            hashed_imsi: None,
        };
        LineState { line: Some(line), source_rejected: false }
    }

    #[test]
    fn a_restriction_ends_with_the_holding_that_it_was_made_for() {
        let made = at("2026-11-22T09:00:00Z");
        let rows = [
            RestrictionRow { number: number(1), until: Some(made), change: 5 },
            RestrictionRow { number: number(2), until: Some(Timestamp::MAX), change: 6 },
        ];
        let restrictions = Restrictions::default().with(rows.to_vec());
        assert_eq!(restrictions.seen(), rows[1].cursor());
        let cases = [
            (1, Some(("2020-01-01T00:00:00Z", LineStatus::Active)), true),
            (1, Some(("2026-11-22T09:00:00Z", LineStatus::Suspended)), true),
            // Never "not served", which would be told of the same holder.
            (1, Some(("2020-01-01T00:00:00Z", LineStatus::Terminated)), true),
            (1, Some(("2020-01-01T00:00:00Z", LineStatus::PortedOut)), true),
            (1, None, true),
            // Somebody else holds it now.
            (1, Some(("2026-11-22T09:00:01Z", LineStatus::Active)), false),
            (2, Some(("2026-11-22T09:00:01Z", LineStatus::Active)), true),
            (3, Some(("2020-01-01T00:00:00Z", LineStatus::Active)), false),
            (3, None, false),
        ];
        for (restricted, line, expected) in cases {
            let state = line.map_or_else(LineState::default, |(since, status)| held_since(since, status));
            assert_eq!(restrictions.withhold(number(restricted), &state), expected, "{restricted} {line:?}");
        }
        let (told, later) = (at("2026-11-22T08:00:00Z"), at("2026-11-22T09:00:01Z"));
        assert!(restrictions.withhold_again(number(1), told) && !restrictions.withhold_again(number(1), later));
        assert!(restrictions.withhold_again(number(2), later) && !restrictions.withhold_again(number(3), told));
        // A row that could not be read tells nothing of a restricted number either.
        assert!(restrictions.withhold(number(1), &LineState { line: None, source_rejected: true }));
        let lifted = restrictions.with(vec![RestrictionRow { number: number(1), until: None, change: 7 }]);
        assert!(!lifted.withhold(number(1), &LineState::default()) && lifted.len() == 1);
    }

    #[test]
    fn debug_shows_no_hash() {
        let rows = vec![RestrictionRow { number: number(1), until: Some(Timestamp::MAX), change: 1 }];
        assert_eq!(format!("{:?}", Restrictions::default().with(rows)), "Restrictions(1)");
    }

    proptest! {
        /// However the changes are cut into pages, the picture is what a map would be.
        #[test]
        fn pages_make_the_picture_that_a_map_would_be(
            changes in prop::collection::vec((0u8..20, prop::option::of(0i64..9), 1usize..4), 0..60),
        ) {
            let (mut expected, mut picture, mut page) = (BTreeMap::new(), Restrictions::default(), Vec::new());
            for (change, (n, until, cut)) in (1..).zip(changes) {
                let until = until.map(|second| Timestamp::from_second(second).unwrap());
                match until {
                    Some(until) => expected.insert(number(n), until.as_microsecond()),
                    None => expected.remove(&number(n)),
                };
                // A store tells each number once, as it is now.
                page.retain(|row: &RestrictionRow| row.number != number(n));
                page.push(RestrictionRow { number: number(n), until, change });
                if page.len() >= cut {
                    picture = picture.with(std::mem::take(&mut page));
                }
            }
            picture = picture.with(page);
            prop_assert_eq!(picture.entries.to_vec(), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
