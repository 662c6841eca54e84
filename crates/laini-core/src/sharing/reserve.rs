use jiff::Timestamp;

use crate::store::{Grant, SharesError};

/// A reserve that nobody used for so many ticks is given back.
const IDLE_TICKS_MAX: u32 = 3;
/// How many ticks' use is kept ready.
const TICKS_READY: i64 = 2;
/// A reserve so many times of what should be ready is too much.
const SURPLUS_TIMES: i64 = 4;

/// What one node reserved of an allowance and did not use yet. Knows no clock: its node ticks, about
/// once a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// In force, as of the newest look.
    limit: Option<i64>,
    /// Since when something is limited: what was used before is not given back into it.
    since: Timestamp,
    /// Below zero where something had to be used without asking.
    here: i64,
    /// To be given back.
    returning: i64,
    /// What requests wait for.
    needed: i64,
    /// What nobody has reserved, heard since the newest tick.
    left: Option<i64>,
    /// The same as it was heard last.
    left_last: Option<i64>,
    /// Below that, more is asked for before it is needed.
    low: i64,
    used: i64,
    per_tick: i64,
    idle_ticks: u32,
    /// Given back by the exchange that is under way.
    under_way: Option<i64>,
}

/// Whether there is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// There is.
    Enough,
    /// There is, and more should be reserved meanwhile.
    Low,
    /// Not before more was reserved.
    Lacking,
    /// No node could reserve that much.
    Exhausted,
}

/// What is to be reserved and given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Of so much in all.
    pub limit: i64,
    /// See [`crate::store::Want`].
    pub need: i64,
    /// See [`crate::store::Want`].
    pub wish: i64,
    /// See [`crate::store::Want`].
    pub back: i64,
}

impl Default for Reserve {
    fn default() -> Self {
        Self {
            limit: None,
            since: Timestamp::MIN,
            here: 0,
            returning: 0,
            needed: 0,
            left: None,
            left_last: None,
            low: 0,
            used: 0,
            per_tick: 0,
            idle_ticks: 0,
            under_way: None,
        }
    }
}

impl Reserve {
    /// Whether `wanted` can be used of `limit`, which is then to be taken at once; what is lacking is asked
    /// for next. What was reserved under another limit is given back.
    pub fn look(&mut self, wanted: i64, limit: Option<i64>, at: Timestamp) -> Stock {
        if self.limit != limit {
            self.since = if self.limit.is_none() { at } else { self.since };
            self.limit = limit;
            self.returning = self.returning.saturating_add(self.here.max(0));
            self.here = self.here.min(0);
            self.left = None;
        }
        if limit.is_none() {
            return Stock::Enough;
        }
        if self.here >= wanted {
            let is_low = self.here - wanted < self.low && self.under_way.is_none();
            return if is_low { Stock::Low } else { Stock::Enough };
        }
        if self.left.is_some_and(|left| self.here.saturating_add(left) < wanted) && self.under_way.is_none() {
            return Stock::Exhausted;
        }
        self.needed = self.needed.saturating_add(wanted);
        Stock::Lacking
    }

    /// Uses up what was looked for, or what cannot be refused any more.
    pub fn take(&mut self, amount: i64) {
        if self.limit.is_some() {
            self.here = self.here.saturating_sub(amount);
            self.used = self.used.saturating_add(amount);
        }
    }

    /// Takes back what was used at `at` and turned out not to be.
    pub fn give_back(&mut self, amount: i64, at: Timestamp) {
        if self.limit.is_some() && at >= self.since {
            self.here = self.here.saturating_add(amount);
        }
    }

    /// Begins an exchange, where there is anything to exchange; [`Reserve::answered`] ends it.
    pub fn ask(&mut self) -> Option<Asked> {
        if self.under_way.is_some() {
            return None;
        }
        let (demand, limit) = (self.demand(), self.limit.unwrap_or(0));
        let ready = demand.saturating_mul(TICKS_READY);
        let is_limited = self.limit.is_some();
        let need = if is_limited { self.needed.saturating_sub(self.here).max(0) } else { 0 };
        let wants_more = is_limited && (self.needed > 0 || (self.used > 0 && self.here < demand));
        let wish = if wants_more { ready.saturating_sub(self.here).max(need) } else { need };
        let kept = if self.idle_ticks >= IDLE_TICKS_MAX && self.needed == 0 { 0 } else { ready };
        let is_surplus = self.here > kept.saturating_mul(SURPLUS_TIMES);
        let surplus = if is_surplus { self.here - kept.max(self.needed) } else { 0 }.max(0);
        let back = self.returning.saturating_add(surplus);
        self.needed = 0;
        if need == 0 && wish == 0 && back == 0 {
            return None;
        }
        self.here -= surplus;
        self.returning = 0;
        self.under_way = Some(back);
        Some(Asked { limit, need, wish, back })
    }

    /// Ends an exchange.
    pub fn answered(&mut self, answer: Result<Grant, &SharesError>) {
        let back = self.under_way.take().unwrap_or(0);
        match answer {
            Ok(grant) => {
                self.here = self.here.saturating_add(grant.given);
                (self.left, self.left_last) = (Some(grant.left), Some(grant.left));
                // Where little was given, little by little: not an exchange for each number.
                self.low = self.demand().min(self.here / 2);
            }
            Err(SharesError::Unavailable(_)) => self.returning = self.returning.saturating_add(back),
            // Given back twice it would be used twice; lost, it is lost until its window is over.
            Err(SharesError::Unknown(_)) => {}
        }
    }

    /// Another second is over.
    pub fn tick(&mut self) {
        self.idle_ticks = if self.used == 0 { self.idle_ticks.saturating_add(1) } else { 0 };
        self.per_tick = i64::midpoint(self.per_tick, self.used);
        self.used = 0;
        self.left = None;
    }

    /// Gives everything back with the next exchange; the answer of one under way is not waited for.
    pub fn close(&mut self) {
        self.returning = self.returning.saturating_add(self.here.max(0));
        self.here = self.here.min(0);
        (self.needed, self.used, self.per_tick, self.under_way) = (0, 0, 0, None);
    }

    /// What is left of the limit, here and elsewhere, as far as is known; `None` where nobody was asked.
    pub fn remaining(&self) -> Option<u64> {
        self.left_last.map(|left| self.here.saturating_add(left).max(0).unsigned_abs())
    }

    /// What is used in a tick.
    fn demand(&self) -> i64 {
        self.per_tick.max(self.used)
    }
}

#[cfg(test)]
mod tests;
