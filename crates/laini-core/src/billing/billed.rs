use std::iter;
use std::ops::Range;

use super::{InvoiceStatement, Line, LineKind, StatedPrice};

impl InvoiceStatement {
    /// Which of its product's units a line bills: those of the line's price version at these places among the units of
    /// the month, in the order of the ledger and from 0. A set-up fee is billed with the first unit. A minimum bills no
    /// unit, and what is taken back is none of the month: of both there are none.
    pub fn billed(&self, line: &Line) -> Vec<Range<u64>> {
        let is_of_line = |price: &&StatedPrice| (price.product, price.version) == (line.product, line.price_version);
        let price = self.prices.iter().find(is_of_line);
        let carried = self.carried_out.iter().find(|carried| carried.product == line.product);
        match (price, carried) {
            (Some(price), Some(carried)) => billed(line, price, carried.units_before),
            _ => Vec::new(),
        }
    }
}

/// The same, after so many units of the months before.
fn billed(line: &Line, price: &StatedPrice, before: u64) -> Vec<Range<u64>> {
    let left = if price.free_per_month { price.free_units } else { price.free_units.saturating_sub(before) };
    let mut from = left;
    let bands = price.bands.iter().map(|band| {
        let begins = from;
        from = band.up_to.map_or(u64::MAX, |last| left.saturating_add(last));
        (band.unit_minor, begins..from)
    });
    match line.kind {
        LineKind::SetUp => iter::once(0..1).collect(),
        LineKind::Free => iter::once(0..left).collect(),
        LineKind::Units => bands.filter(|(unit, _)| Some(*unit) == line.unit_minor).map(|(_, places)| places).collect(),
        LineKind::Minimum | LineKind::TakenBack => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::billing::{Band, Carried, Currency, FreeUnits, Money, Price, Run, allot};
    use crate::partner::Product;

    fn price(version: u32) -> impl Strategy<Value = Price> {
        (any::<bool>(), 0u64..12, 1u64..8, 1u64..8, 0i64..3, 0i64..3, 0i64..3).prop_map(
            move |(monthly, free, first, second, a, b, c)| Price {
                free: if monthly { FreeUnits::PerMonth(free) } else { FreeUnits::Once(free) },
                // Of few amounts, so that bands of one amount share a line.
                bands: vec![
                    Band { up_to: Some(first), unit_minor: a },
                    Band { up_to: Some(first + second), unit_minor: b },
                    Band { up_to: None, unit_minor: c },
                ],
                set_up_minor: 500,
                monthly_minimum_minor: 900,
                ..Price::flat(version, Money::new(0, Currency::KES))
            },
        )
    }

    proptest! {
        #[test]
        fn each_line_bills_as_many_units_as_it_says_and_each_unit_stands_on_one(
            prices in (price(1), price(2)),
            runs in prop::collection::vec((any::<bool>(), 0u64..9), 0..6),
            before in 0u64..20,
            is_set_up in any::<bool>(),
        ) {
            let carried = Carried { product: Product::Swap, units_before: 0, units: before, is_set_up };
            let of = |second: bool| if second { &prices.1 } else { &prices.0 };
            let units: Vec<u32> =
                runs.iter().flat_map(|(second, units)| (0..*units).map(|_| of(*second).version)).collect();
            let runs: Vec<Run<'_>> =
                runs.iter().map(|(second, units)| Run { price: of(*second), units: *units }).collect();
            let allotted = allot(&carried, &runs, &[], Some(&prices.0)).unwrap();
            let mut lines_of = vec![0; units.len()];
            for line in &allotted.lines {
                let price = StatedPrice::of(Product::Swap, of(line.price_version == 2), false);
                let places = billed(line, &price, allotted.carried.units_before);
                let is_billed = |(place, version): &(u64, &u32)| {
                    **version == line.price_version && places.iter().any(|range| range.contains(place))
                };
                let found: Vec<u64> = (0..).zip(&units).filter(is_billed).map(|(place, _)| place).collect();
                match line.kind {
                    LineKind::Minimum | LineKind::TakenBack => prop_assert_eq!(found, Vec::<u64>::new()),
                    LineKind::SetUp => prop_assert_eq!(found, vec![0]),
                    LineKind::Free | LineKind::Units => {
                        prop_assert_eq!(found.len() as u64, line.units);
                        for place in found {
                            lines_of[usize::try_from(place).unwrap()] += 1;
                        }
                    }
                }
            }
            prop_assert_eq!(lines_of, vec![1; units.len()]);
        }
    }
}
