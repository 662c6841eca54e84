use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::{Currency, Money};
use laini_core::desk::{Judgement, Seen, Thresholds};
use laini_core::line::Msisdn;
use serde::{Deserialize, Serialize};

/// What the API told of one number, in the rules' own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The check's id, as the partner's other answers have it.
    pub check: String,
    /// The facts.
    pub seen: Seen,
    /// The SIM, as this partner sees it.
    pub sim: Option<String>,
    /// The instant up to which the registry is complete.
    pub as_of: Option<String>,
    /// What it cost.
    pub charge: Money,
}

/// What came of a look-up: everything but the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's id, as the partner's other answers have it.
    pub check: String,
    /// When it was asked.
    pub at: Timestamp,
    /// The verdict by the thresholds of that moment, with its reasons.
    pub judgement: Judgement,
    /// The SIM, as this partner sees it.
    pub sim: Option<String>,
    /// The instant up to which the registry is complete.
    pub as_of: Option<String>,
    charged_minor: i64,
    currency: String,
}

impl Finding {
    /// What was told, judged by a bank's thresholds on a day of the operator's zone.
    pub fn of(told: Told, at: Timestamp, today: Date, by: &Thresholds) -> Self {
        let judgement = Judgement::of(&told.seen, today, by);
        let (charged_minor, currency) = (told.charge.minor, told.charge.currency.as_str().to_owned());
        Self { check: told.check, at, judgement, sim: told.sim, as_of: told.as_of, charged_minor, currency }
    }

    /// What it cost; `None` where its currency cannot be read.
    pub fn charge(&self) -> Option<Money> {
        Currency::parse(&self.currency).ok().map(|currency| Money::new(self.charged_minor, currency))
    }
}

/// A number of which only the ends are shown.
pub fn masked(number: Msisdn) -> String {
    let digits = number.digits();
    let (start, rest) = digits.split_at(4.min(digits.len()));
    let (middle, end) = rest.split_at(rest.len().saturating_sub(3));
    format!("{start}{}{end}", "•".repeat(middle.len()))
}
