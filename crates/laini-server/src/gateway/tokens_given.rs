use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use laini_core::access::TOKEN_LIFETIME;
use laini_core::partner::AppId;

/// Tokens are counted by the minute: so exact is what people see.
const MINUTE_S: i64 = 60;

/// How many tokens this server gave to each app that are good still, for pages. It is no record of anything: a restart
/// begins anew, other nodes count their own, and what pages ask by for a minute is not among them. Holds a count of each
/// minute of a token's lifetime for each app that takes tokens.
#[derive(Debug, Default)]
pub struct TokensGiven(Mutex<HashMap<AppId, Given>>);

/// Those of one app.
#[derive(Debug)]
struct Given {
    /// Under which epoch: a later one has ended them.
    epoch: u32,
    /// Each minute with how many, oldest first.
    minutes: VecDeque<(i64, u64)>,
}

impl TokensGiven {
    /// An app got a token under this epoch.
    pub(super) fn note(&self, app: AppId, epoch: u32, at: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given = all.entry(app).or_insert_with(|| Given { epoch, minutes: VecDeque::new() });
        if given.epoch > epoch {
            return;
        }
        if given.epoch < epoch {
            *given = Given { epoch, minutes: VecDeque::new() };
        }
        while given.minutes.front().is_some_and(|(minute, _)| !is_good(*minute, at)) {
            given.minutes.pop_front();
        }
        let minute = at.as_second().div_euclid(MINUTE_S);
        match given.minutes.iter_mut().find(|(known, _)| *known == minute) {
            Some((_, count)) => *count += 1,
            None => given.minutes.push_back((minute, 1)),
        }
    }

    /// How many tokens that this server gave to an app are good at an instant, under the epoch that it has now.
    pub fn good(&self, app: AppId, epoch: u32, at: Timestamp) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given = all.get(&app).filter(|given| given.epoch == epoch);
        let minutes = given.iter().flat_map(|given| &given.minutes);
        minutes.filter(|(minute, _)| is_good(*minute, at)).map(|(_, count)| count).sum()
    }
}

/// Whether tokens of a minute are good at an instant.
fn is_good(minute: i64, at: Timestamp) -> bool {
    minute.saturating_add(1).saturating_mul(MINUTE_S).saturating_add(TOKEN_LIFETIME.as_secs()) > at.as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: AppId = AppId::from_stored(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_338_000 + second).unwrap()
    }

    #[test]
    fn tokens_are_counted_for_as_long_as_they_are_good() {
        let given = TokensGiven::default();
        assert_eq!(given.good(APP, 0, at(0)), 0);
        for second in [0, 1, 59, 60, 3_000] {
            given.note(APP, 0, at(second));
        }
        given.note(AppId::from_stored(2), 0, at(1));
        assert_eq!(given.good(APP, 0, at(3_000)), 5);
        // The first minute has passed.
        assert_eq!(given.good(APP, 0, at(3_700)), 2);
        assert_eq!(given.good(APP, 0, at(6_900)), 0);
        assert_eq!(given.good(AppId::from_stored(2), 0, at(2)), 1);
        // What has passed is not held any more.
        given.note(APP, 0, at(20_000));
        assert_eq!(given.0.lock().unwrap().get(&APP).unwrap().minutes.len(), 1);
    }

    #[test]
    fn an_epoch_ends_those_before() {
        let given = TokensGiven::default();
        given.note(APP, 1, at(0));
        given.note(APP, 1, at(1));
        assert_eq!((given.good(APP, 1, at(2)), given.good(APP, 2, at(2))), (2, 0), "ended, and none since");
        given.note(APP, 2, at(3));
        // By a picture of the accounts that was older.
        given.note(APP, 1, at(4));
        assert_eq!((given.good(APP, 1, at(5)), given.good(APP, 2, at(5))), (0, 1));
    }
}
