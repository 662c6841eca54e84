use std::fmt;

/// An ISO 4217 currency whose minor unit is a hundredth (KES, UGX amounts are kept so too).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

/// A text that is not three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters (ISO 4217), e.g. KES")]
pub struct CurrencyError;

impl Currency {
    /// The Kenyan shilling, the default.
    pub const KES: Self = Self(*b"KES");

    /// Reads three capital letters.
    pub fn parse(text: &str) -> Result<Self, CurrencyError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(CurrencyError),
        }
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (cents) of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Hundredths of the currency's unit; negative for credits.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is a number with at most two decimals, without sign or separators: 50000 or 19.50")]
pub struct AmountError;

/// Why two amounts could not be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies.
    #[error("amounts of different currencies cannot be added")]
    Currencies,
    /// More than 2⁶³ cents.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// An amount in minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads an amount as people write it, in the currency's unit: `50000`, `19.5`, `0.05`. No sign, no
    /// more than two decimals.
    pub fn parse_amount(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let (units, cents) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most: usize| {
            let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if fits { text.parse::<i64>().map_err(|_| AmountError) } else { Err(AmountError) }
        };
        let tens = if cents.len() == 1 { 10 } else { 1 };
        let minor = digits(units, 19)?.checked_mul(100).zip(Some(digits(cents, 2)? * tens));
        let minor = minor.and_then(|(units, cents)| units.checked_add(cents)).ok_or(AmountError)?;
        Ok(Self { minor, currency })
    }

    /// The sum, checked.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies);
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// This amount for each of `units`, checked.
    pub fn times(self, units: u64) -> Result<Self, MoneyError> {
        let units = i64::try_from(units).map_err(|_| MoneyError::Overflow)?;
        let minor = self.minor.checked_mul(units).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The part of this amount that is not tax, where it includes tax of `basis_points` hundredths of a per cent, and
    /// the tax; rounded once, half up, so that both come to this amount.
    pub fn without_tax(self, basis_points: u32) -> (Self, Self) {
        let whole = 10_000 + i128::from(basis_points);
        let doubled = i128::from(self.minor) * 20_000 + if self.minor < 0 { -whole } else { whole };
        // Not more than the amount itself.
        let net = i64::try_from(doubled / (2 * whole)).unwrap_or(self.minor);
        (Self { minor: net, ..self }, Self { minor: self.minor - net, ..self })
    }

    /// `basis_points` hundredths of a per cent of this amount, rounded half up (away from zero).
    pub fn share(self, basis_points: u32) -> Result<Self, MoneyError> {
        let exact = i128::from(self.minor) * i128::from(basis_points);
        let half = if exact < 0 { -5_000 } else { 5_000 };
        let minor = i64::try_from((exact + half) / 10_000).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

impl fmt::Display for Money {
    /// As headers, pages and invoices show it: `KES 20.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let cents = self.minor.unsigned_abs();
        write!(f, "{} {sign}{}.{:02}", self.currency.as_str(), cents / 100, cents % 100)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kes(minor: i64) -> Money {
        Money::new(minor, Currency::KES)
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let table = [("0", 0), ("50000", 5_000_000), ("19.5", 1_950), ("19.05", 1_905), ("007.10", 710)];
        for (text, minor) in table {
            assert_eq!(Money::parse_amount(text, Currency::KES), Ok(kes(minor)), "{text}");
        }
        let most = "92233720368547758.07";
        assert_eq!(Money::parse_amount(most, Currency::KES), Ok(kes(i64::MAX)));
        let too_much = "92233720368547758.08";
        for text in ["", ".", "1.", ".5", "1.005", "-1", "+1", "1,000", "1 000", "1e3", "none", too_much] {
            assert_eq!(Money::parse_amount(text, Currency::KES), Err(AmountError), "{text}");
        }
    }

    #[test]
    fn amounts_show_two_decimals() {
        assert_eq!(kes(2_000).to_string(), "KES 20.00");
        assert_eq!(kes(-5).to_string(), "KES -0.05");
        assert_eq!(kes(i64::MIN).to_string(), "KES -92233720368547758.08");
    }

    #[test]
    fn shares_round_half_away_from_zero_once() {
        assert_eq!(kes(2_000).share(1_600), Ok(kes(320)));
        assert_eq!(kes(3).share(5_000), Ok(kes(2)));
        assert_eq!(kes(-3).share(5_000), Ok(kes(-2)));
    }

    #[test]
    fn an_amount_is_split_into_net_and_tax() {
        for (gross, basis_points, net) in [(116, 1_600, 100), (11_600, 1_600, 10_000), (1, 1_600, 1), (100, 1_600, 86)]
        {
            assert_eq!(kes(gross).without_tax(basis_points), (kes(net), kes(gross - net)), "{gross}");
        }
        assert_eq!(kes(i64::MAX).without_tax(0), (kes(i64::MAX), kes(0)));
        assert_eq!(kes(-116).without_tax(1_600), (kes(-100), kes(-16)));
    }

    #[test]
    fn currencies_do_not_mix() {
        let usd = Money::new(1, Currency::parse("USD").unwrap());
        assert_eq!(kes(1).plus(usd), Err(MoneyError::Currencies));
        assert_eq!(kes(i64::MAX).plus(kes(1)), Err(MoneyError::Overflow));
        assert_eq!(Currency::parse("kes"), Err(CurrencyError));
    }

    proptest! {
        #[test]
        fn times_is_repeated_addition(minor in -10_000i64..10_000, units in 0u64..50) {
            let mut sum = kes(0);
            for _ in 0..units {
                sum = sum.plus(kes(minor)).unwrap();
            }
            prop_assert_eq!(kes(minor).times(units), Ok(sum));
        }
    }
}
