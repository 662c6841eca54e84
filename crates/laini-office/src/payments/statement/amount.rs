use std::borrow::Cow;

use jiff::civil::Date;
use laini_core::billing::Currency;

/// The most digits before the point: everything below 2⁶³ minor units.
const DIGITS_MAX: usize = 16;

/// An amount as banks write it, in minor units, exactly: `1,234.50`, `1234.5`, `-10`, `KES 10`, `(10.00)`. Commas
/// stand between thousands alone. More than two decimals are refused, zeros too: `1.200` may mean 1,200.
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
    let plain = ungrouped(text).ok_or_else(expected)?;
    let (units, cents) = plain.split_once('.').unwrap_or((&plain, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if units.is_empty() || !is_digits(units) || !is_digits(cents) || text.ends_with('.') {
        return Err(expected());
    }
    if cents.len() > 2 {
        return Err("an amount has at most two decimals, and commas between its thousands: 1,234.50".into());
    }
    let digits = format!("{}{cents:0<2}", units.trim_start_matches('0'));
    if digits.len() > DIGITS_MAX + 2 {
        return Err("the amount is too large".into());
    }
    let minor: i64 = digits.parse().map_err(|_| Cow::from("the amount is too large"))?;
    Ok(if is_negative { -minor } else { minor })
}

/// An amount without the commas between its thousands: `1234.50` of `1,234.50`. `None` where a comma stands elsewhere;
/// whether the rest is an amount, this does not say.
pub fn ungrouped(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let units = text.split_once('.').map_or(text, |(units, _)| units);
    let decimals = &text[units.len()..];
    let mut groups = units.split(',');
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && !decimals.contains(','))?;
    let units = groups.try_fold(first.to_owned(), |digits, group| (group.len() == 3).then(|| digits + group))?;
    Some(units + decimals)
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
        let wrong = [
            "", ".", "1.", ".5", "1.005", "1.200", "12.50000", "1.200,50", "1160,50", "1,23", "12,3456", "1,,000",
            "1 000", "1e3", "--1", "USD 1", "1.2.3",
        ];
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
