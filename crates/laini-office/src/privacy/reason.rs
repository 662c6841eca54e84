use crate::Problem;

/// The longest reason.
const REASON_CHARS_MAX: usize = 500;
/// So many digits in a row, whatever stands between them, are taken for a number of somebody.
const NUMBER_DIGITS: usize = 9;

/// A reason as it goes into records and the audit trail: 1 to 500 characters, and no phone number.
pub fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(Problem::invalid("reason", "expected 1 to 500 characters on one line"));
    }
    let mut digits = 0;
    for c in text.chars() {
        match c {
            '0'..='9' => digits += 1,
            ' ' | '-' | '.' | '(' | ')' | '+' => {}
            _ => digits = 0,
        }
        if digits >= NUMBER_DIGITS {
            return Err(Problem::invalid("reason", "it is kept for years: leave phone numbers out of it"));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_holds_no_phone_number() {
        for good in ["asked at the shop in Kisumu", " ticket 2026-1187 ", "letter of 22 November", &"a".repeat(500)] {
            assert_eq!(reason(good), Ok(good.trim().to_owned()));
        }
        let number = ["254722000000", "about 0722 000 000", "+254 (722) 000-000", "call 722.000.000."];
        for bad in number.into_iter().chain(["", "  ", "a\nb", &"a".repeat(501)]) {
            assert!(reason(bad).is_err(), "{bad}");
        }
    }
}
