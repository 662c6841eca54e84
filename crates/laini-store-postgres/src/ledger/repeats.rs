use std::collections::HashMap;

use laini_core::partner::PartnerId;
use laini_core::store::{RepeatKey, RepeatWindow, Repeatable};

/// A question, and who asked it.
pub(super) type Question = (PartnerId, RepeatKey);

/// What this node knows of the table `repeatable`: enough to guess right nearly always. The table has
/// the last word: a commit that guessed wrong changes nothing.
#[derive(Debug)]
pub(super) struct Repeats {
    known: HashMap<Question, Repeatable>,
    capacity: usize,
}

impl Repeats {
    pub(super) fn new(capacity: usize) -> Self {
        Self { known: HashMap::new(), capacity }
    }

    pub(super) fn get(&self, question: Question) -> Option<Repeatable> {
        self.known.get(&question).copied()
    }

    pub(super) fn set(&mut self, question: Question, now: Option<Repeatable>) {
        let Some(now) = now else {
            self.known.remove(&question);
            return;
        };
        if self.known.len() >= self.capacity && !self.known.contains_key(&question) {
            self.make_room(now);
        }
        self.known.insert(question, now);
    }

    /// Forgets what nothing can repeat any more, or where that is too little, everything.
    fn make_room(&mut self, now: Repeatable) {
        let oldest = now.charged_at - RepeatWindow::LONGEST;
        self.known.retain(|_, one| one.charged_at >= oldest);
        if self.known.len() >= self.capacity.saturating_sub(self.capacity / 4) {
            self.known.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

/// What one commit changes of a question, and what it takes for granted about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) window: RepeatWindow,
    pub(super) was: Option<Repeatable>,
    pub(super) now: Repeatable,
}
