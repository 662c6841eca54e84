use std::fmt;

/// A phone number in full international form without the plus sign, e.g. `254722000000`.
///
/// Holds 5 to 15 digits (ITU-T E.164) that a [`NumberPlan`] accepted. It redacts itself in `Debug`
/// and has no `Display`: writing one out is always a decision ([`Msisdn::digits`], [`Msisdn::masked`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(u64);

impl Msisdn {
    /// The number as an integer, the form in which engines key lines.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// A number that an engine stored earlier; `None` outside 5 to 15 digits.
    pub fn from_stored(value: u64) -> Option<Self> {
        (10_000..1_000_000_000_000_000).contains(&value).then_some(Self(value))
    }

    /// The digits, as answers echo them.
    pub fn digits(self) -> String {
        self.0.to_string()
    }

    /// The digits with the middle hidden, for people: `254******000`.
    pub fn masked(self) -> String {
        let digits = self.digits();
        let shown = 3.min(digits.len() / 3);
        let hidden = digits.len() - 2 * shown;
        format!("{}{}{}", &digits[..shown], "*".repeat(hidden), &digits[digits.len() - shown..])
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Msisdn(redacted)")
    }
}

/// Why a text is no number of this plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MsisdnError {
    /// Nothing but spaces.
    #[error("the number is empty")]
    Empty,
    /// Something else than digits, or a length or form that the plan does not have.
    #[error("not a phone number of this operator's form")]
    Malformed {
        /// The number that was probably meant, where one can be guessed.
        suggestion: Option<Msisdn>,
    },
}

/// How numbers look at this operator: `+<country code><national number>` or `0<national number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberPlan {
    country_code: u64,
    national_digits: u32,
}

/// Why a number plan cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number plan has a country code of 1 to 3 digits and 4 to 12 national digits, 15 in all at most")]
pub struct NumberPlanError;

impl NumberPlan {
    /// Country code 254 and nine national digits (contract §1).
    pub const KENYA: Self = Self { country_code: 254, national_digits: 9 };

    /// A plan of `national_digits` (4 to 12) behind `country_code` (1 to 999).
    pub fn new(country_code: u16, national_digits: u32) -> Result<Self, NumberPlanError> {
        let code_digits = u64::from(country_code).checked_ilog10().ok_or(NumberPlanError)? + 1;
        if code_digits > 3 || !(4..=12).contains(&national_digits) || code_digits + national_digits > 15 {
            return Err(NumberPlanError);
        }
        Ok(Self { country_code: u64::from(country_code), national_digits })
    }

    /// The country code, e.g. 254.
    pub fn country_code(self) -> u64 {
        self.country_code
    }

    /// How many digits follow the country code.
    pub fn national_digits(self) -> u32 {
        self.national_digits
    }

    /// Reads a number in any accepted form: `254XXXXXXXXX`, `+254…`, `0…` or the bare national
    /// digits, surrounding spaces ignored. No prefix is refused: numbers are portable.
    pub fn parse(self, text: &str) -> Result<Msisdn, MsisdnError> {
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if trimmed.is_empty() {
            return Err(MsisdnError::Empty);
        }
        self.accept(trimmed).ok_or_else(|| MsisdnError::Malformed { suggestion: self.suggest(trimmed) })
    }

    /// As [`NumberPlan::parse`], with spaces inside the number ignored too, as extracts write them.
    pub fn parse_spaced(self, text: &str) -> Result<Msisdn, MsisdnError> {
        if text.trim_ascii().contains(' ') { self.parse(&text.replace(' ', "")) } else { self.parse(text) }
    }

    fn accept(self, text: &str) -> Option<Msisdn> {
        let (international, digits) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let length = u32::try_from(digits.len()).ok()?;
        if length > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let value: u64 = digits.parse().ok()?;
        let code_digits = self.country_code.ilog10() + 1;
        if length == code_digits + self.national_digits && value / self.scale() == self.country_code {
            return self.of_national(value % self.scale());
        }
        if international {
            return None;
        }
        let bare = length == self.national_digits;
        let trunk = length == self.national_digits + 1 && digits.starts_with('0');
        if bare || trunk { self.of_national(value) } else { None }
    }

    /// The country code before a national number that has all its digits (so none starts with 0).
    fn of_national(self, national: u64) -> Option<Msisdn> {
        let full = national >= self.scale() / 10 && national < self.scale();
        full.then(|| Msisdn(self.country_code * self.scale() + national))
    }

    fn scale(self) -> u64 {
        10u64.pow(self.national_digits)
    }

    /// What was probably meant: separators dropped, `00` for `+`, a trunk zero after the code.
    fn suggest(self, text: &str) -> Option<Msisdn> {
        if text.len() > 40 {
            return None;
        }
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '+')).collect();
        let digits = digits.strip_prefix("00").unwrap_or(&digits);
        let code = self.country_code.to_string();
        let without_trunk = digits
            .strip_prefix(&code)
            .and_then(|rest| rest.strip_prefix('0'))
            .map(|national| format!("{code}{national}"));
        self.accept(digits).or_else(|| self.accept(&without_trunk?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAN: NumberPlan = NumberPlan::KENYA;

    #[test]
    fn every_accepted_form_is_the_same_number() {
        for form in ["254722000000", "+254722000000", "0722000000", "722000000", "  254722000000 ", "\t0722000000\r\n"]
        {
            assert_eq!(PLAN.parse(form).map(Msisdn::as_u64), Ok(254_722_000_000), "{form:?}");
        }
        assert_eq!(PLAN.parse("0110000001").map(Msisdn::as_u64), Ok(254_110_000_001));
        assert_eq!(PLAN.parse_spaced("+254 722 000 000").map(Msisdn::as_u64), Ok(254_722_000_000));
    }

    #[test]
    fn malformed_numbers_are_refused_with_a_guess_where_one_helps() {
        let guess = |text: &str| match PLAN.parse(text) {
            Err(MsisdnError::Malformed { suggestion }) => suggestion.map(Msisdn::as_u64),
            other => panic!("{text:?} gave {other:?}"),
        };
        for text in ["254 722 000 000", "0722-000-000", "00254722000000", "2540722000000", "+254(0)722000000"] {
            assert_eq!(guess(text), Some(254_722_000_000), "{text:?}");
        }
        for text in [
            "12",
            "2547220000001234567",
            "2547ABC00000",
            "254022000000",
            "022000000",
            "++254722000000x",
            "２５４７２２０００００００",
        ] {
            assert_eq!(guess(text), None, "{text:?}");
        }
        assert_eq!(PLAN.parse("   "), Err(MsisdnError::Empty));
    }

    #[test]
    fn another_country_is_a_setting() {
        let plan = NumberPlan::new(1, 10).unwrap();
        for form in ["+12025550123", "12025550123", "02025550123", "2025550123"] {
            assert_eq!(plan.parse(form).map(Msisdn::as_u64), Ok(12_025_550_123), "{form}");
        }
        assert!(NumberPlan::new(0, 9).is_err());
        assert!(NumberPlan::new(1000, 9).is_err());
        assert!(NumberPlan::new(254, 13).is_err());
    }

    #[test]
    fn a_number_never_shows_itself() {
        let number = PLAN.parse("254722000000").unwrap();
        assert_eq!(format!("{number:?}"), "Msisdn(redacted)");
        assert_eq!(number.masked(), "254******000");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_text_is_a_number_or_a_clear_error(text in "\\PC{0,24}|[0-9+ ()-]{0,18}") {
            if let Ok(number) = PLAN.parse(&text) {
                prop_assert_eq!(number.digits().len(), 12);
                prop_assert_eq!(PLAN.parse(&number.digits()), Ok(number));
            }
        }

        #[test]
        fn forms_agree(national in 100_000_000u64..1_000_000_000) {
            let expected = Ok(Msisdn(254_000_000_000 + national));
            prop_assert_eq!(PLAN.parse(&format!("254{national}")), expected.clone());
            prop_assert_eq!(PLAN.parse(&format!("+254{national}")), expected.clone());
            prop_assert_eq!(PLAN.parse(&format!("0{national}")), expected.clone());
            prop_assert_eq!(PLAN.parse(&national.to_string()), expected);
        }
    }
}
