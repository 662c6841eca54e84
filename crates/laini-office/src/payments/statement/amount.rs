use std::borrow::Cow;

use jiff::civil::Date;
use laini_core::billing::Currency;

/// The most digits before the point: everything below 2⁶³ minor units.
const DIGITS_MAX: usize = 16;

/// An amount as banks write it, in minor units, exactly: `1,234.50`, `1234.5`, `-10`, `KES 10`, `(10.00)`. Commas
/// stand between thousands alone; more than two decimals must be zeros.
pub(super) fn minor(text: &str, currency: Currency) -> Result<i64, Cow<'static, str>> {
    let expected = || Cow::from("an amount is written like 1234.50 or 1,234.50");
    let text = text.trim();
    let text = text.strip_prefix(currency.as_str()).or(text.strip_suffix(currency.as_str())).unwrap_or(text).trim();
    let (text, is_negative) = match text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => match text.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (text.strip_prefix('+').unwrap_or(text), false),
        },
    };
    let (units, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let units = if units.contains(',') { ungrouped(units).ok_or_else(expected)? } else { units.to_owned() };
    if units.is_empty() || !is_digits(&units) || !is_digits(decimals) || (text.ends_with('.')) {
        return Err(expected());
    }
    let (cents, rest) = decimals.split_at(decimals.len().min(2));
    if rest.bytes().any(|b| b != b'0') {
        return Err("an amount has no fractions of a cent".into());
    }
    let digits = format!("{}{cents:0<2}", units.trim_start_matches('0'));
    if digits.len() > DIGITS_MAX + 2 {
        return Err("the amount is too large".into());
    }
    let minor: i64 = digits.parse().map_err(|_| Cow::from("the amount is too large"))?;
    Ok(if is_negative { -minor } else { minor })
}

/// The digits of a number whose thousands have commas between them.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
    groups.try_fold(first.to_owned(), |digits, group| (group.len() == 3).then(|| digits + group))
}

/// A day as banks write it: `2026-11-22`, `22/11/2026`, `22-11-2026`, `22.11.2026`; a time after it is left out.
pub(super) fn day(text: &str) -> Result<Date, Cow<'static, str>> {
    let expected = "a date is written like 2026-11-22 or 22/11/2026";
    let text = text.trim();
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let [first, month, last] = parts[..] else { return Err(expected.into()) };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    let number = |text: &str, most: usize| -> Option<i16> {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fits { text.parse().ok() } else { None }
    };
    let small = |text: &str| number(text, 2).and_then(|n| i8::try_from(n).ok());
    let date = number(year, 4).filter(|_| year.len() == 4).zip(small(month)).zip(small(day));
    let date = date.and_then(|((year, month), day)| Date::new(year, month, day).ok());
    date.filter(|date| (2000..2200).contains(&date.year())).ok_or(expected.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_cent() {
        for (text, expected) in [
            ("1234.50", 123_450),
            ("1,234.50", 123_450),
            (" 1,234,567 ", 123_456_700),
            ("0.05", 5),
            ("12.5", 1_250),
            ("12.50000", 1_250),
            ("-10", -1_000),
            ("(10.00)", -1_000),
            ("+7", 700),
            ("KES 20.00", 2_000),
            ("20.00 KES", 2_000),
            ("007", 700),
            ("0", 0),
            ("9999999999999999.99", 999_999_999_999_999_999),
        ] {
            assert_eq!(minor(text, Currency::KES), Ok(expected), "{text}");
        }
        let wrong =
            ["", ".", "1.", ".5", "1.005", "1,23", "12,3456", "1,,000", "1 000", "1e3", "--1", "USD 1", "1.2.3"];
        for text in wrong.into_iter().chain(["12345678901234567", "٣", "-", "()", "1,234,56.00", "0x10", "NaN"]) {
            assert!(minor(text, Currency::KES).is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_read_in_the_forms_that_banks_use() {
        let expected = jiff::civil::date(2026, 11, 2);
        for text in
            ["2026-11-02", "02/11/2026", "2/11/2026", "02-11-2026 10:03:45", "2026-11-02T00:00:00Z", "02.11.2026"]
        {
            assert_eq!(day(text), Ok(expected), "{text}");
        }
        for text in ["", "2026-13-01", "31/02/2026", "11/02/26", "2026-11", "0000-01-01", "1999-12-31", "+2/11/2026"] {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
