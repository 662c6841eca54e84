use jiff::Timestamp;

use super::{AgreementId, PartnerId, Product, Purpose};
use crate::billing::Price;
use crate::disclosure::Windows;

/// What a partner agreed to, as far as its checks are concerned: one version, whose terms never change.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// Whose it is.
    pub partner: PartnerId,
    /// From when on it is in force, until a version that begins later takes over.
    pub valid_from: Timestamp,
    /// When it is over; `None` = not of itself.
    pub valid_until: Option<Timestamp>,
    /// How far back facts are disclosed under it.
    pub windows: Windows,
    /// The price of each product that it covers.
    pub prices: Vec<(Product, Price)>,
    /// Whether the operator's own hash, where the feed carries one, is answered instead of ours.
    pub pass_hashed_imsi: bool,
    /// For which purposes it may ask.
    pub purposes: Vec<Purpose>,
    /// Whether `/v1/checks` answers instants where it would answer days.
    pub exact_times: bool,
}

/// All agreements of one partner. The one in force is the last that has begun, unless it is over: one that was
/// replaced never comes back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Agreements(Vec<Agreement>);

/// Why no agreement is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAgreement {
    /// There is none.
    #[error("there is no agreement")]
    Never,
    /// The first begins then.
    #[error("the agreement begins at {0:.0}")]
    NotBegun(Timestamp),
    /// It was over then.
    #[error("the agreement ended at {0:.0}")]
    Ended(Timestamp),
}

impl Agreements {
    /// Of one partner, in any order.
    pub fn new(mut agreements: Vec<Agreement>) -> Self {
        agreements.sort_by_key(|agreement| (agreement.valid_from, agreement.id));
        Self(agreements)
    }

    /// The one in force at an instant. Takes as many steps as there are versions to come.
    pub fn at(&self, at: Timestamp) -> Result<&Agreement, NoAgreement> {
        let begun = self.0.iter().rev().find(|agreement| agreement.valid_from <= at);
        match (begun, self.0.first()) {
            (Some(Agreement { valid_until: Some(end), .. }), _) if *end <= at => Err(NoAgreement::Ended(*end)),
            (Some(agreement), _) => Ok(agreement),
            (None, Some(first)) => Err(NoAgreement::NotBegun(first.valid_from)),
            (None, None) => Err(NoAgreement::Never),
        }
    }

    /// Every version, in the order in which they begin.
    pub fn versions(&self) -> &[Agreement] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agreement(number: u64, from: i64, until: Option<i64>) -> Agreement {
        let at = |second| Timestamp::from_second(second).unwrap();
        Agreement {
            id: AgreementId::from_stored(number),
            partner: PartnerId::from_stored(1),
            valid_from: at(from),
            valid_until: until.map(at),
            windows: Windows::default(),
            prices: Vec::new(),
            pass_hashed_imsi: false,
            purposes: Vec::new(),
            exact_times: false,
        }
    }

    fn found(agreements: &Agreements, second: i64) -> Result<u64, NoAgreement> {
        agreements.at(Timestamp::from_second(second).unwrap()).map(|agreement| agreement.id.as_u64())
    }

    #[test]
    fn the_last_one_that_has_begun_is_in_force_until_it_is_over() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(found(&Agreements::default(), 0), Err(NoAgreement::Never));
        let agreements =
            Agreements::new(vec![agreement(3, 40, None), agreement(1, 10, None), agreement(2, 20, Some(30))]);
        let table = [
            (9, Err(NoAgreement::NotBegun(at(10)))),
            (10, Ok(1)),
            (19, Ok(1)),
            (20, Ok(2)),
            (29, Ok(2)),
            // The first had no end, but was replaced: it does not come back.
            (30, Err(NoAgreement::Ended(at(30)))),
            (39, Err(NoAgreement::Ended(at(30)))),
            (40, Ok(3)),
            (4_000, Ok(3)),
        ];
        for (second, expected) in table {
            assert_eq!(found(&agreements, second), expected, "at {second}");
        }
        assert_eq!(found(&Agreements::new(vec![agreement(1, 10, Some(5))]), 10), Err(NoAgreement::Ended(at(5))));
    }

    proptest! {
        #[test]
        fn it_is_what_a_search_of_all_versions_finds(
            versions in prop::collection::vec((0i64..50, prop::option::of(0i64..60)), 0..8), second in 0i64..60,
        ) {
            let all: Vec<_> = (0u64..).zip(&versions).map(|(n, (from, until))| agreement(n, *from, *until)).collect();
            let at = Timestamp::from_second(second).unwrap();
            let begun = all.iter().filter(|one| one.valid_from <= at).max_by_key(|one| (one.valid_from, one.id));
            let expected = begun.filter(|one| one.valid_until.is_none_or(|end| at < end)).map(|one| one.id.as_u64());
            prop_assert_eq!(found(&Agreements::new(all.clone()), second).ok(), expected);
        }
    }
}
