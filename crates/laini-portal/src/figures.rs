use laini_core::billing::{AmountError, Currency, Money};
use laini_core::support::CALL_TIME_BOUNDS;
use laini_office::Problem;
use laini_office::payments::statement::ungrouped;

/// A count as people read it: `1,234,567`.
pub(crate) fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// An amount as people read it: `KES 1,234.50`.
pub(crate) fn money(money: Money) -> String {
    let shown = money.to_string();
    let (currency, amount) = shown.split_once(' ').unwrap_or(("", &shown));
    let (sign, amount) = amount.strip_prefix('-').map_or(("", amount), |amount| ("-", amount));
    let (units, cents) = amount.split_once('.').unwrap_or((amount, "00"));
    format!("{currency} {sign}{}.{cents}", grouped(units))
}

/// An amount of a currency that was kept as text.
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    money(Money::new(minor, Currency::parse(currency).unwrap_or(Currency::KES)))
}

/// An amount as people type it into the field `amount`: `1234.5`, `1,234.50`. Commas stand between thousands alone.
pub(crate) fn typed(text: &str, currency: Currency) -> Result<Money, Problem> {
    let amount = ungrouped(text).ok_or(AmountError).and_then(|plain| Money::parse_amount(&plain, currency));
    amount.map_err(|error| Problem::invalid("amount", error.to_string()))
}

/// The same, of something that is more than nothing.
pub(crate) fn typed_above_zero(text: &str, currency: Currency) -> Result<Money, Problem> {
    let amount = typed(text, currency)?;
    if amount.minor > 0 {
        return Ok(amount);
    }
    Err(Problem::invalid("amount", format!("expected an amount above zero, in {}", currency.as_str())))
}

/// How long something took at most, in microseconds, as people read it: `250 µs`, `2.5 ms`, `1 s`; `None` = longer than
/// the histogram tells apart.
pub(crate) fn took(micros: Option<u64>) -> String {
    match micros {
        None => format!("> {}", took(CALL_TIME_BOUNDS.last().copied())),
        Some(micros @ 0..1_000) => format!("{micros} µs"),
        Some(micros @ 1_000..1_000_000) => format!("{} ms", decimal(micros, 1_000)),
        Some(micros) => format!("{} s", decimal(micros, 1_000_000)),
    }
}

/// `value / unit`, with as many decimals as it has; `unit` is a power of ten.
fn decimal(value: u64, unit: u64) -> String {
    let width = unit.ilog10() as usize;
    let text = format!("{}.{:0width$}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_by_thousands() {
        for (value, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(value), text);
        }
        for (minor, text) in [(5, "KES 0.05"), (-123_456_789, "KES -1,234,567.89"), (100_000, "KES 1,000.00")] {
            assert_eq!(amount(minor, "KES"), text);
        }
    }

    #[test]
    fn a_duration_is_in_the_unit_that_fits() {
        for (micros, text) in [
            (Some(0), "0 µs"),
            (Some(999), "999 µs"),
            (Some(1_000), "1 ms"),
            (Some(2_500), "2.5 ms"),
            (Some(10_040), "10.04 ms"),
            (Some(250_000), "250 ms"),
            (Some(1_000_000), "1 s"),
            (Some(2_500_000), "2.5 s"),
            (Some(10_000_000), "10 s"),
            (None, "> 10 s"),
        ] {
            assert_eq!(took(micros), text);
        }
    }

    #[test]
    fn a_typed_amount_has_commas_between_its_thousands_alone() {
        for (text, minor) in [("1160", 116_000), ("1,160.5", 116_050), ("1,234,567.89", 123_456_789), ("0.05", 5)] {
            assert_eq!(typed(text, Currency::KES), Ok(Money::new(minor, Currency::KES)), "{text}");
        }
        for text in ["", ",", "1160,50", "1,16", "1.160,50", "1.1,600", "1,,160", ",160", "1234,567", "-1", "1.200"] {
            assert!(matches!(typed(text, Currency::KES), Err(Problem::Invalid { field: "amount", .. })), "{text}");
        }
    }

    #[test]
    fn an_amount_of_nothing_is_refused_in_the_unit_that_it_is_typed_in() {
        assert_eq!(typed_above_zero("0.01", Currency::KES), Ok(Money::new(1, Currency::KES)));
        for text in ["0", "0.00", "-1", ""] {
            let Err(Problem::Invalid { field, reason }) = typed_above_zero(text, Currency::KES) else {
                panic!("{text} is taken");
            };
            assert_eq!(field, "amount", "{text}");
            assert!(!reason.contains("minor"), "{text}: {reason}");
        }
        let told = Problem::invalid("amount", "expected an amount above zero, in KES");
        assert_eq!(typed_above_zero("0", Currency::KES), Err(told));
    }
}
