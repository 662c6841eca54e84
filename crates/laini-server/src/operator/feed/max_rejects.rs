use std::fmt;
use std::str::FromStr;

/// How much of a feed may be refused before nothing of it counts: a share (`1%`) or a number of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxRejects {
    /// Hundredths of a per cent.
    Share(u32),
    /// Rows.
    Rows(u64),
}

impl Default for MaxRejects {
    fn default() -> Self {
        Self::Share(100)
    }
}

impl MaxRejects {
    /// Whether `rejected` of `all` is too much.
    pub fn exceeded(self, rejected: u64, all: u64) -> bool {
        match self {
            Self::Share(share) => u128::from(rejected) * 10_000 > u128::from(all) * u128::from(share),
            Self::Rows(rows) => rejected > rows,
        }
    }
}

impl FromStr for MaxRejects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "expected a share such as 1% or 0.5%, or a number of rows".to_owned();
        let Some(share) = text.strip_suffix('%') else { return text.parse().map(Self::Rows).map_err(|_| wrong()) };
        let (whole, fraction) = share.split_once('.').unwrap_or((share, ""));
        if fraction.len() > 2 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let fraction: u32 = format!("{fraction:0<2}").parse().map_err(|_| wrong())?;
        if whole > 100 { Err(wrong()) } else { Ok(Self::Share(whole * 100 + fraction)) }
    }
}

impl fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{}.{:02}%", share / 100, share % 100),
            Self::Rows(rows) => write!(f, "{rows}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_rows_are_read() {
        assert_eq!("1%".parse(), Ok(MaxRejects::Share(100)));
        assert_eq!("0.25%".parse(), Ok(MaxRejects::Share(25)));
        assert_eq!("17".parse(), Ok(MaxRejects::Rows(17)));
        for bad in ["", "%", "x%", "0.125%", "-1", "101%", "1.%x"] {
            assert!(bad.parse::<MaxRejects>().is_err(), "{bad}");
        }
        assert!(!MaxRejects::default().exceeded(1, 100));
        assert!(MaxRejects::default().exceeded(2, 100));
        assert!(MaxRejects::Rows(0).exceeded(1, 1_000_000));
        assert!(!MaxRejects::default().exceeded(0, 0));
    }
}
