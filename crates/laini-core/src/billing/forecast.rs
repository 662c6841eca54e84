/// So many days before today are averaged: two of each day of the week.
pub const AVERAGED_DAYS: usize = 14;

/// How many units a month comes to, going on as before: what there was so far, the rest of a day like the average one for
/// today, and such a day for each that is left.
///
/// `so_far` = units of the month with today's, `today` = those of today alone, `before` = those of the days before it, at
/// most [`AVERAGED_DAYS`] of them; where there is none, today is the average.
pub fn forecast(so_far: u64, today: u64, before: &[u64], days_left: u64) -> u64 {
    let sum: u128 = before.iter().map(|units| u128::from(*units)).sum();
    let (sum, days) = match u128::try_from(before.len()) {
        Ok(days) if days > 0 => (sum, days),
        _ => (u128::from(today), 1),
    };
    // Rounded up, once: a forecast that is one too low is a budget that is too small.
    let rest_of_today = sum.div_ceil(days).saturating_sub(u128::from(today));
    let later = (sum * u128::from(days_left)).div_ceil(days);
    u64::try_from(u128::from(so_far) + rest_of_today + later).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_month_goes_on_like_the_average_day() {
        for (so_far, today, before, days_left, expected) in [
            (0, 0, &[][..], 30, 0),
            (5, 5, &[], 2, 15),
            (100, 0, &[10, 20], 3, 100 + 15 + 45),
            (100, 20, &[10, 20], 0, 100),
            (100, 20, &[10, 20], 1, 115),
            (1, 0, &[0, 0, 1], 2, 1 + 1 + 1),
            (u64::MAX, 1, &[u64::MAX], 9, u64::MAX),
        ] {
            assert_eq!(forecast(so_far, today, before, days_left), expected, "{so_far} {today} {before:?} {days_left}");
        }
    }

    proptest! {
        #[test]
        fn a_month_never_comes_to_less_than_there_was(
            so_far in 0u64..1_000_000, today in 0u64..1_000, before in proptest::collection::vec(0u64..5_000, 0..14),
            days_left in 0u64..31,
        ) {
            prop_assert!(forecast(so_far, today, &before, days_left) >= so_far);
            prop_assert!(forecast(so_far, today, &before, days_left + 1) >= forecast(so_far, today, &before, days_left));
        }
    }
}
