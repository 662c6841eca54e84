use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::billing::Outcome;

/// Keyed hash of what makes two checks the same question: app, product, number and, where the caller
/// sent one, its request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RepeatKey(pub [u8; 16]);

/// For how long a repeat is free (contract §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatWindow {
    /// 10 minutes: both came with the same request id.
    SameRequestId,
    /// 60 seconds: both came without one.
    NoRequestId,
}

impl RepeatWindow {
    /// The longest window; what happened before it is forgotten.
    pub const LONGEST: SignedDuration = SignedDuration::from_secs(600);

    /// The window's length.
    pub fn length(self) -> SignedDuration {
        match self {
            Self::SameRequestId => Self::LONGEST,
            Self::NoRequestId => SignedDuration::from_secs(60),
        }
    }
}

/// The charged checks that can still be repeated for free. An engine with one writer keeps it in
/// memory and fills it anew from the ledger at start; one with several asks its tables the same.
///
/// Bounded: beyond its capacity the oldest charges of both windows are forgotten first (their repeats
/// are charged).
#[derive(Debug)]
pub struct RepeatMemory {
    charged: HashMap<u64, Repeatable>,
    /// Every charge that is remembered, in order of expiry, per window. A key that was charged anew
    /// stands here twice, so the capacity is theirs.
    by_request_id: VecDeque<(Timestamp, u64)>,
    without: VecDeque<(Timestamp, u64)>,
    capacity: usize,
}

/// A charged check, and how often it was repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeatable {
    /// When it was charged.
    pub charged_at: Timestamp,
    /// Free repeats since.
    pub repeats: u8,
}

impl Repeatable {
    /// A check that was charged just now.
    pub fn charged(charged_at: Timestamp) -> Self {
        Self { charged_at, repeats: 0 }
    }

    /// After so many repeats the question is charged anew.
    pub const FREE_REPEATS: u8 = 5;

    /// Whether the same question at `at` is free.
    pub fn covers(self, window: RepeatWindow, at: Timestamp) -> bool {
        self.repeats < Self::FREE_REPEATS && at.duration_since(self.charged_at) <= window.length()
    }

    /// After one more repeat.
    #[must_use]
    pub fn repeated(self) -> Self {
        Self { repeats: self.repeats.saturating_add(1), ..self }
    }
}

/// What one transaction decided so far: its own later checks see it at once, the memory only when
/// the transaction is durable ([`RepeatMemory::keep`]). Dropped or cleared, it leaves no trace.
#[derive(Debug, Default)]
pub struct RepeatBatch {
    /// `None` = forgotten here.
    changed: HashMap<u64, Option<Repeatable>>,
    forgotten: Vec<(RepeatKey, Timestamp)>,
    notes: Vec<(RepeatKey, RepeatWindow, Timestamp, Outcome)>,
}

impl RepeatBatch {
    /// Forgets everything: the transaction failed.
    pub fn clear(&mut self) {
        self.changed.clear();
        self.forgotten.clear();
        self.notes.clear();
    }
}

impl RepeatMemory {
    /// A memory of at most `capacity` charged checks (about 60 bytes each).
    pub fn new(capacity: usize) -> Self {
        Self { charged: HashMap::new(), by_request_id: VecDeque::new(), without: VecDeque::new(), capacity }
    }

    /// How many charged checks it remembers at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether a check of this key at `at` repeats a charged one for free. Does not count it: that is
    /// [`RepeatMemory::repeated`], once the row is durable.
    pub fn is_repeat(&self, key: RepeatKey, window: RepeatWindow, at: Timestamp) -> bool {
        self.charged.get(&short(key)).is_some_and(|entry| entry.covers(window, at))
    }

    /// [`RepeatMemory::is_repeat`] as seen from inside a transaction: with its own decisions so far.
    pub fn is_repeat_in(&self, batch: &RepeatBatch, key: RepeatKey, window: RepeatWindow, at: Timestamp) -> bool {
        self.entry_in(batch, key).is_some_and(|entry| entry.covers(window, at))
    }

    fn entry_in(&self, batch: &RepeatBatch, key: RepeatKey) -> Option<Repeatable> {
        batch.changed.get(&short(key)).copied().unwrap_or_else(|| self.charged.get(&short(key)).copied())
    }

    /// Notes in `batch` that the charge of `charged_at` was reversed: nothing repeats it any more.
    pub fn note_reversed(&self, batch: &mut RepeatBatch, key: RepeatKey, charged_at: Timestamp) {
        if self.entry_in(batch, key).is_some_and(|entry| entry.charged_at == charged_at) {
            batch.changed.insert(short(key), None);
            batch.forgotten.push((key, charged_at));
        }
    }

    /// Notes in `batch` what was decided; the memory itself stays as it is.
    pub fn note(
        &self,
        batch: &mut RepeatBatch,
        (key, window): (RepeatKey, RepeatWindow),
        at: Timestamp,
        outcome: Outcome,
    ) {
        let entry = match outcome {
            Outcome::Answered => Some(Repeatable::charged(at)),
            Outcome::Repeated => self.entry_in(batch, key).map(Repeatable::repeated),
            Outcome::NotServed | Outcome::Unknown | Outcome::Withheld | Outcome::Reversal => None,
        };
        if entry.is_some() {
            batch.changed.insert(short(key), entry);
            batch.notes.push((key, window, at, outcome));
        }
    }

    /// Takes over what a transaction decided, once it is durable; leaves `batch` empty. Reversals of a
    /// transaction come before its checks.
    pub fn keep(&mut self, batch: &mut RepeatBatch) {
        batch.changed.clear();
        for (key, charged_at) in batch.forgotten.drain(..) {
            self.reversed(key, charged_at);
        }
        for (key, window, at, outcome) in batch.notes.drain(..) {
            if outcome == Outcome::Answered { self.charged(key, window, at) } else { self.repeated(key) }
        }
    }

    /// Notes a charged check.
    pub fn charged(&mut self, key: RepeatKey, window: RepeatWindow, at: Timestamp) {
        self.forget_passed(at);
        while self.by_request_id.len() + self.without.len() >= self.capacity.max(1) {
            self.forget_oldest();
        }
        self.queue(window).push_back((at, short(key)));
        self.charged.insert(short(key), Repeatable::charged(at));
    }

    /// Notes a free repeat.
    pub fn repeated(&mut self, key: RepeatKey) {
        if let Some(entry) = self.charged.get_mut(&short(key)) {
            *entry = entry.repeated();
        }
    }

    /// Forgets the charge of `charged_at`, for it was reversed.
    pub fn reversed(&mut self, key: RepeatKey, charged_at: Timestamp) {
        if self.charged.get(&short(key)).is_some_and(|entry| entry.charged_at == charged_at) {
            self.charged.remove(&short(key));
        }
    }

    fn forget_passed(&mut self, now: Timestamp) {
        for window in [RepeatWindow::SameRequestId, RepeatWindow::NoRequestId] {
            while self.queue(window).front().is_some_and(|(at, _)| now.duration_since(*at) > window.length()) {
                self.forget_first(window);
            }
        }
    }

    fn forget_oldest(&mut self) {
        let is_without = match (self.by_request_id.front(), self.without.front()) {
            (Some((one, _)), Some((other, _))) => other < one,
            (one, _) => one.is_none(),
        };
        self.forget_first(if is_without { RepeatWindow::NoRequestId } else { RepeatWindow::SameRequestId });
    }

    /// Forgets the first charge of a queue. One that was charged anew since stands further behind too.
    fn forget_first(&mut self, window: RepeatWindow) {
        let Some((at, key)) = self.queue(window).pop_front() else { return };
        if self.charged.get(&key).is_some_and(|entry| entry.charged_at == at) {
            self.charged.remove(&key);
        }
    }

    fn queue(&mut self, window: RepeatWindow) -> &mut VecDeque<(Timestamp, u64)> {
        match window {
            RepeatWindow::SameRequestId => &mut self.by_request_id,
            RepeatWindow::NoRequestId => &mut self.without,
        }
    }
}

/// 64 of the hash's 128 bits: two of a million questions share them once in 10⁷ windows.
fn short(key: RepeatKey) -> u64 {
    key.0[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use RepeatWindow::{NoRequestId, SameRequestId};
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    #[test]
    fn five_repeats_are_free_and_the_sixth_is_charged() {
        let mut memory = RepeatMemory::new(10);
        let key = RepeatKey([1; 16]);
        assert!(!memory.is_repeat(key, NoRequestId, at(0)));
        memory.charged(key, NoRequestId, at(0));
        for n in 0..5 {
            assert!(memory.is_repeat(key, NoRequestId, at(n)));
            memory.repeated(key);
        }
        assert!(!memory.is_repeat(key, NoRequestId, at(6)));
        memory.charged(key, NoRequestId, at(6));
        assert!(memory.is_repeat(key, NoRequestId, at(66)));
        assert!(!memory.is_repeat(key, NoRequestId, at(67)));
    }

    #[test]
    fn a_request_id_makes_it_ten_minutes() {
        let mut memory = RepeatMemory::new(10);
        let key = RepeatKey([2; 16]);
        memory.charged(key, SameRequestId, at(0));
        assert!(memory.is_repeat(key, SameRequestId, at(600)));
        assert!(!memory.is_repeat(key, SameRequestId, at(601)));
    }

    #[test]
    fn a_transaction_sees_its_own_decisions_and_leaves_none_behind_when_it_fails() {
        let (mut memory, mut batch) = (RepeatMemory::new(10), RepeatBatch::default());
        let question = (RepeatKey([3; 16]), NoRequestId);
        let decide = |memory: &RepeatMemory, batch: &mut RepeatBatch, second: i64| {
            let is_repeat = memory.is_repeat_in(batch, question.0, question.1, at(second));
            memory.note(batch, question, at(second), if is_repeat { Outcome::Repeated } else { Outcome::Answered });
            is_repeat
        };
        assert!(!decide(&memory, &mut batch, 0));
        assert!(decide(&memory, &mut batch, 1));
        batch.clear();
        assert!(!memory.is_repeat(question.0, question.1, at(1)));
        let expected = [false, true, true, true, true, true, false, true];
        assert_eq!(expected.map(|_| decide(&memory, &mut batch, 2)), expected);
        memory.keep(&mut batch);
        // One of five free repeats of the second charge is used up.
        let expected = [true, true, true, true, false];
        assert_eq!(expected.map(|_| decide(&memory, &mut batch, 3)), expected);
    }

    #[test]
    fn it_forgets_what_has_passed_and_stays_bounded() {
        let mut memory = RepeatMemory::new(3);
        for n in 0..100u8 {
            memory.charged(RepeatKey([n; 16]), NoRequestId, at(i64::from(n)));
        }
        assert_eq!(memory.charged.len(), 3);
        memory.charged(RepeatKey([200; 16]), NoRequestId, at(1_000));
        assert_eq!(memory.charged.len(), 1);
        assert_eq!(memory.without.len(), 1);
    }

    #[test]
    fn a_full_memory_forgets_the_oldest_whatever_its_window() {
        let mut memory = RepeatMemory::new(2);
        let [old, newer, newest] = [1, 2, 3].map(|n| RepeatKey([n; 16]));
        memory.charged(old, SameRequestId, at(0));
        memory.charged(newer, NoRequestId, at(1));
        memory.charged(newest, NoRequestId, at(2));
        assert!(!memory.is_repeat(old, SameRequestId, at(2)));
        assert!(memory.is_repeat(newer, NoRequestId, at(2)));
        assert!(memory.is_repeat(newest, NoRequestId, at(2)));
    }

    #[test]
    fn a_reversed_charge_is_repeated_by_nothing() {
        let mut memory = RepeatMemory::new(10);
        let key = RepeatKey([1; 16]);
        memory.charged(key, SameRequestId, at(0));
        let mut batch = RepeatBatch::default();
        // Another charge of the same question is not the one that was reversed.
        memory.note_reversed(&mut batch, key, at(1));
        assert!(memory.is_repeat_in(&batch, key, SameRequestId, at(2)));
        memory.note_reversed(&mut batch, key, at(0));
        assert!(!memory.is_repeat_in(&batch, key, SameRequestId, at(2)));
        assert!(memory.is_repeat(key, SameRequestId, at(2)));
        // The same transaction charges the question anew.
        memory.note(&mut batch, (key, SameRequestId), at(2), Outcome::Answered);
        assert!(memory.is_repeat_in(&batch, key, SameRequestId, at(3)));
        memory.keep(&mut batch);
        assert!(memory.is_repeat(key, SameRequestId, at(3)));
        memory.note_reversed(&mut batch, key, at(2));
        memory.keep(&mut batch);
        assert!(!memory.is_repeat(key, SameRequestId, at(3)));
    }

    #[test]
    fn a_full_memory_keeps_what_was_charged_anew() {
        let mut memory = RepeatMemory::new(3);
        let [twice, second, third, fourth] = [1, 2, 3, 4].map(|n| RepeatKey([n; 16]));
        for (second, key) in (0..).zip([twice, second, twice, third, fourth]) {
            memory.charged(key, NoRequestId, at(second));
        }
        assert!(memory.is_repeat(twice, NoRequestId, at(4)));
        assert!(!memory.is_repeat(second, NoRequestId, at(4)));
    }

    /// Every charge that is remembered, oldest first.
    struct Model {
        charges: Vec<(u8, Timestamp, u8)>,
        capacity: usize,
    }

    /// A key belongs to one window, as the hash that it is made by sees to.
    fn window_of(key: u8) -> RepeatWindow {
        if key.is_multiple_of(2) { SameRequestId } else { NoRequestId }
    }

    impl Model {
        fn is_repeat(&self, key: u8, now: Timestamp) -> bool {
            let newest = self.charges.iter().rfind(|charge| charge.0 == key);
            newest.is_some_and(|(_, at, repeats)| {
                *repeats < Repeatable::FREE_REPEATS && now.duration_since(*at) <= window_of(key).length()
            })
        }

        fn ask(&mut self, key: u8, now: Timestamp) {
            if self.is_repeat(key, now) {
                let newest = self.charges.iter_mut().rfind(|charge| charge.0 == key);
                newest.unwrap().2 += 1;
                return;
            }
            self.charges.retain(|(key, at, _)| now.duration_since(*at) <= window_of(*key).length());
            let surplus = (self.charges.len() + 1).saturating_sub(self.capacity);
            self.charges.drain(..surplus);
            self.charges.push((key, now, 0));
        }
    }

    proptest! {
        #[test]
        fn it_remembers_what_a_list_of_charges_would(
            capacity in 1usize..8,
            questions in prop::collection::vec((0u8..10, 1i64..60), 1..200),
        ) {
            let mut memory = RepeatMemory::new(capacity);
            let mut model = Model { charges: Vec::new(), capacity };
            let mut second = 0;
            for (key, later) in questions {
                second += later;
                let (full_key, window) = (RepeatKey([key; 16]), window_of(key));
                let is_repeat = memory.is_repeat(full_key, window, at(second));
                prop_assert_eq!(is_repeat, model.is_repeat(key, at(second)), "key {} after {} s", key, second);
                if is_repeat {
                    memory.repeated(full_key);
                } else {
                    memory.charged(full_key, window, at(second));
                }
                model.ask(key, at(second));
                prop_assert!(memory.by_request_id.len() + memory.without.len() <= capacity);
                prop_assert!(memory.charged.len() <= capacity);
            }
        }
    }
}
