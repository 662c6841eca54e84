/// The shortest password, in characters (NIST SP 800-63B §5.1.1.2).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// The longest one; a sentence fits.
pub const PASSWORD_CHARS_MAX: usize = 128;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Too few characters.
    #[error("shorter than {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// Too many.
    #[error("longer than {PASSWORD_CHARS_MAX} characters")]
    TooLong,
    /// What is guessed first.
    #[error("it is one of the first that are guessed; choose another, such as four words that do not belong together")]
    Common,
    /// What is known of whoever chose it.
    #[error("it is your name, your e-mail address or the name of this service; choose another")]
    Personal,
}

/// Judges a password that somebody chose: its length, and that it is not what is guessed first. There is no rule of
/// what it must be made of. `own` = what is known of them: their e-mail address, their name, the operator's name.
pub fn judge_password(password: &str, own: &[&str]) -> Result<(), PasswordProblem> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return Err(PasswordProblem::TooShort);
    }
    if chars > PASSWORD_CHARS_MAX {
        return Err(PasswordProblem::TooLong);
    }
    let core = essence(password);
    let local_parts = own.iter().filter_map(|text| text.split_once('@').map(|(local, _)| local));
    let mut personal = own.iter().copied().chain(local_parts).chain(PRODUCT_WORDS).map(essence);
    if !core.is_empty() && personal.any(|text| text == core) {
        return Err(PasswordProblem::Personal);
    }
    let lower = password.to_lowercase();
    if COMMON.iter().any(|common| *common == lower || *common == core) || is_run(&lower) || is_repeated(&lower) {
        return Err(PasswordProblem::Common);
    }
    Ok(())
}

/// The letters of a text in small, without what people put before and behind them to please a rule.
fn essence(text: &str) -> String {
    let trimmed = text.trim_matches(|c: char| !c.is_alphabetic());
    trimmed.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Neighbours on a keyboard, in the alphabet or among digits, in either direction.
fn is_run(text: &str) -> bool {
    const RUNS: [&str; 5] =
        ["01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "1qaz2wsx3edc4rfv5tgb"];
    let backwards: String = text.chars().rev().collect();
    RUNS.iter().any(|run| run.contains(text) || run.contains(&backwards))
}

/// Up to four characters again and again.
fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(one, next)| one == next))
}

const PRODUCT_WORDS: [&str; 6] = ["laini", "simswap", "sim swap", "imsi", "checkati", "sandbox"];

/// What people choose most, in small letters: those with 8 characters or more, and the words that become so with
/// digits behind them.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "pa$$word",
    "pa$$w0rd",
    "passwort",
    "motdepasse",
    "contraseña",
    "neno siri",
    "nenosiri",
    "secret",
    "changeme",
    "letmein",
    "welcome",
    "karibu",
    "hakuna",
    "hakunamatata",
    "iloveyou",
    "nakupenda",
    "admin",
    "administrator",
    "root",
    "toor",
    "user",
    "guest",
    "test",
    "testing",
    "default",
    "login",
    "master",
    "access",
    "qwerty",
    "qwertz",
    "azerty",
    "qwerty123",
    "qwertyui",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "q1w2e3r4",
    "zaq12wsx",
    "1qaz2wsx",
    "zxcvbnm",
    "asdfghjk",
    "abc",
    "abcd",
    "abcd1234",
    "abc12345",
    "a1b2c3d4",
    "aa123456",
    "a1234567",
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "11223344",
    "12344321",
    "12341234",
    "147258369",
    "123123123",
    "123454321",
    "0123456789",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "superman",
    "batman",
    "spiderman",
    "starwars",
    "pokemon",
    "sunshine",
    "princess",
    "charlie",
    "michael",
    "jordan",
    "liverpool",
    "arsenal",
    "chelsea",
    "manchester",
    "barcelona",
    "gormahia",
    "harambee",
    "nairobi",
    "mombasa",
    "kisumu",
    "kenya",
    "uganda",
    "tanzania",
    "africa",
    "jesus",
    "jesuschrist",
    "blessing",
    "blessed",
    "mungu",
    "computer",
    "internet",
    "samsung",
    "whatever",
    "trustno",
    "freedom",
    "shadow",
    "hunter",
    "killer",
    "summer",
    "winter",
    "spring",
    "autumn",
    "january",
    "february",
    "december",
    "monday",
    "friday",
    "money",
    "pesa",
    "mpesa",
    "bank",
    "banking",
    "mobile",
    "security",
    "correcthorsebatterystaple",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: [&str; 3] = ["a.person@bank.example", "Amina Person", "Test Mobile"];

    #[test]
    fn what_is_guessed_first_is_refused_and_the_rest_is_free() {
        use PasswordProblem as P;
        let (longest, too_long) = ("ä!".repeat(64), "ä!".repeat(64) + "x");
        let cases = [
            ("short", Err(P::TooShort)),
            ("äöüäöüä", Err(P::TooShort)),
            ("", Err(P::TooShort)),
            (&*too_long, Err(P::TooLong)),
            ("password", Err(P::Common)),
            ("Password1!", Err(P::Common)),
            ("QWERTYUIOP", Err(P::Common)),
            ("lkjhgfdsa", Err(P::Common)),
            ("12345678", Err(P::Common)),
            ("98765432", Err(P::Common)),
            ("aaaaaaaaaa", Err(P::Common)),
            ("abcabcabcabc", Err(P::Common)),
            ("Nairobi2026", Err(P::Common)),
            ("a.person@bank.example", Err(P::Personal)),
            ("A.Person2026", Err(P::Personal)),
            ("amina person", Err(P::Personal)),
            ("AminaPerson1", Err(P::Personal)),
            ("TestMobile!", Err(P::Personal)),
            ("Laini2026!", Err(P::Personal)),
            ("simswap99", Err(P::Personal)),
            ("four words walk home", Ok(())),
            ("only letters", Ok(())),
            ("48151623", Ok(())),
            ("amina likes tea", Ok(())),
            ("         x", Ok(())),
            ("\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}\u{1f605}\u{1f606}\u{1f607}", Ok(())),
        ];
        for (password, judged) in cases {
            assert_eq!(judge_password(password, &OWN), judged, "{password}");
        }
        assert_eq!(longest.chars().count(), PASSWORD_CHARS_MAX);
    }

    #[test]
    fn the_list_is_in_small_letters_for_it_is_compared_so() {
        for common in COMMON {
            assert_eq!(*common, common.to_lowercase());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_and_its_length_decides_first(text in "\\PC{0,140}") {
            let judged = judge_password(&text, &OWN);
            let chars = text.chars().count();
            prop_assert_eq!(judged == Err(PasswordProblem::TooShort), chars < PASSWORD_CHARS_MIN);
            prop_assert_eq!(judged == Err(PasswordProblem::TooLong), chars > PASSWORD_CHARS_MAX);
        }
    }
}
