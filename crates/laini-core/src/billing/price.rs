use super::{Currency, Money, MoneyError};

/// What a product costs a partner, before tax (contract §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Grows by one with every change; frozen into each ledger row.
    pub version: u32,
    /// The currency of every amount here.
    pub currency: Currency,
    /// Charged once, in the month of a partner's first paid or free unit.
    pub set_up_minor: i64,
    /// Units that cost nothing.
    pub free: FreeUnits,
    /// Graduated bands over the paid units of a month; the last one is open.
    pub bands: Vec<Band>,
    /// The least that a month costs.
    pub monthly_minimum_minor: i64,
}

/// Units that cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeUnits {
    /// So many over the agreement's whole life.
    Once(u64),
    /// So many in every month.
    PerMonth(u64),
}

/// A band of graduated prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// The last unit that the band covers; `None` = no end.
    pub up_to: Option<u64>,
    /// The price of each unit in it, in minor units.
    pub unit_minor: i64,
}

/// The part of a price that a ledger row freezes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceStamp {
    /// [`Price::version`].
    pub version: u32,
    /// What one unit costs at most.
    pub list: Money,
    /// Whether the list price is the final word, or free units and bands decide at month's end.
    pub exact: bool,
}

/// A price that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected at most 20 bands that grow and end with an open one, and no amount that is negative or 2^63 and more"
)]
pub struct PriceError;

impl Price {
    /// The most bands that a price has.
    pub const BANDS_MAX: usize = 20;

    /// One amount for every unit.
    pub fn flat(version: u32, unit: Money) -> Self {
        Self {
            version,
            currency: unit.currency,
            set_up_minor: 0,
            free: FreeUnits::Once(0),
            bands: vec![Band { up_to: None, unit_minor: unit.minor }],
            monthly_minimum_minor: 0,
        }
    }

    /// Checks that bands are few, grow and end open, and that nothing is negative or beyond what engines keep.
    pub fn check(&self) -> Result<(), PriceError> {
        let ends: Vec<u64> = self.bands.iter().map(|band| band.up_to.unwrap_or(u64::MAX)).collect();
        let grow = ends.windows(2).all(|pair| pair[0] < pair[1]);
        let few = self.bands.len() <= Self::BANDS_MAX;
        let open = self.bands.last().is_some_and(|band| band.up_to.is_none());
        let positive = self.bands.iter().all(|band| band.unit_minor >= 0)
            && self.set_up_minor >= 0
            && self.monthly_minimum_minor >= 0;
        // As engines keep numbers.
        let (FreeUnits::Once(free) | FreeUnits::PerMonth(free)) = self.free;
        let ends = self.bands.iter().filter_map(|band| band.up_to);
        let countable = ends.chain([free]).all(|units| i64::try_from(units).is_ok());
        (few && grow && open && positive && countable).then_some(()).ok_or(PriceError)
    }

    /// What a ledger row freezes: the version, and the dearest band as list price.
    pub fn stamp(&self) -> PriceStamp {
        PriceStamp {
            version: self.version,
            list: Money::new(self.dearest_minor(), self.currency),
            exact: self.bands.len() == 1 && matches!(self.free, FreeUnits::Once(0) | FreeUnits::PerMonth(0)),
        }
    }

    /// What `units` more cost in a month that has seen `before_in_month` already, in an agreement that
    /// has seen `before_in_all`: free units first, then bands.
    pub fn cost(&self, before_in_all: u64, before_in_month: u64, units: u64) -> Result<Money, MoneyError> {
        let allotted = self.allot(before_in_all, before_in_month, units);
        let none = Money::new(0, self.currency);
        self.bands
            .iter()
            .zip(&allotted.in_bands)
            .try_fold(none, |sum, (band, units)| sum.plus(Money::new(band.unit_minor, self.currency).times(*units)?))
    }

    /// Which of `units` more are free, and in which bands the others stand; for what came before see
    /// [`Price::cost`].
    pub fn allot(&self, before_in_all: u64, before_in_month: u64, units: u64) -> Allotted {
        let (free, seen) = match self.free {
            FreeUnits::Once(free) => (free, before_in_all),
            FreeUnits::PerMonth(free) => (free, before_in_month),
        };
        let after = seen.saturating_add(units);
        let paid_units = after.saturating_sub(free.max(seen));
        // Bands count the month's paid units: those of this month that free units did not cover.
        let month_start = seen.saturating_sub(before_in_month);
        let paid_before = seen.saturating_sub(free.max(month_start));
        let (mut from, to) = (paid_before, paid_before.saturating_add(paid_units));
        let in_bands = self.bands.iter().map(|band| {
            let end = band.up_to.unwrap_or(u64::MAX).min(to);
            let inside = end.saturating_sub(from);
            from = from.max(end);
            inside
        });
        Allotted { free: units.saturating_sub(paid_units), in_bands: in_bands.collect() }
    }

    /// The dearest unit that it knows.
    pub fn dearest_minor(&self) -> i64 {
        self.bands.iter().map(|band| band.unit_minor).max().unwrap_or(0)
    }
}

/// How units are paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotted {
    /// So many are free.
    pub free: u64,
    /// So many stand in each band of the price.
    pub in_bands: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn swap_price() -> Price {
        Price {
            free: FreeUnits::Once(200_000),
            set_up_minor: 5_000_000,
            ..Price::flat(1, Money::new(100, Currency::KES))
        }
    }

    #[test]
    fn a_flat_price_is_exact() {
        let price = Price::flat(3, Money::new(2_000, Currency::KES));
        assert_eq!(price.stamp(), PriceStamp { version: 3, list: Money::new(2_000, Currency::KES), exact: true });
        assert_eq!(price.cost(0, 0, 7).map(|m| m.minor), Ok(14_000));
        assert!(!swap_price().stamp().exact);
    }

    #[test]
    fn free_units_once_span_months() {
        let price = swap_price();
        assert_eq!(price.cost(199_999, 10, 2).map(|m| m.minor), Ok(100));
        assert_eq!(price.cost(500_000, 0, 3).map(|m| m.minor), Ok(300));
    }

    #[test]
    fn bands_are_graduated() {
        let bands = vec![Band { up_to: Some(10), unit_minor: 100 }, Band { up_to: None, unit_minor: 50 }];
        let price = Price { bands, free: FreeUnits::PerMonth(5), ..swap_price() };
        assert_eq!(price.check(), Ok(()));
        assert_eq!(price.cost(0, 0, 20).map(|m| m.minor), Ok(10 * 100 + 5 * 50));
        let banded = |count: u64| {
            let ends = (1..count).map(Some).chain([None]);
            Price { bands: ends.map(|up_to| Band { up_to, unit_minor: 1 }).collect(), ..price.clone() }
        };
        assert_eq!([20, 21].map(|count| banded(count).check().is_ok()), [true, false]);
        let unordered =
            Price { bands: vec![Band { up_to: None, unit_minor: 1 }, Band { up_to: Some(1), unit_minor: 1 }], ..price };
        assert_eq!(unordered.check(), Err(PriceError));
    }

    proptest! {
        #[test]
        fn one_by_one_costs_what_all_at_once_does(
            free in 0u64..30, monthly in any::<bool>(), first in 1u64..20, a in 0i64..500, b in 0i64..500,
            earlier in 0u64..40, units in 0u64..60,
        ) {
            let price = Price {
                free: if monthly { FreeUnits::PerMonth(free) } else { FreeUnits::Once(free) },
                bands: vec![Band { up_to: Some(first), unit_minor: a }, Band { up_to: None, unit_minor: b }],
                ..swap_price()
            };
            let mut sum = 0;
            for n in 0..units {
                sum += price.cost(earlier + n, n, 1).unwrap().minor;
            }
            prop_assert_eq!(price.cost(earlier, 0, units).unwrap().minor, sum);
        }
    }
}
