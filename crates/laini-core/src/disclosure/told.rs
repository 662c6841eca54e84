use std::fmt::{self, Write as _};

use jiff::Timestamp;

use super::{Decision, Facts, RegistrationFact, SwapFact, UnknownReason, Window, Windows};
use crate::line::{LineStatus, Swap, SwapCause};
use crate::partner::Product;

/// Which facts are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FactSet(u8);

impl FactSet {
    /// No fact.
    pub const NONE: Self = Self(0);
    /// Whether and when the SIM changed.
    pub const SWAP: Self = Self(1);
    /// Since when the present holding exists.
    pub const REGISTRATION: Self = Self(2);
    /// The pseudonym of the SIM.
    pub const SIM: Self = Self(4);
    /// Every fact with its word.
    pub const WORDS: [(Self, &'static str); 3] =
        [(Self::SWAP, "swap"), (Self::REGISTRATION, "registration"), (Self::SIM, "sim")];

    /// The facts that a product answers on its published path.
    pub fn of(product: Product) -> Self {
        match product {
            Product::Imsi => Self(7),
            Product::Swap => Self::SWAP,
            Product::Age => Self::REGISTRATION,
        }
    }

    /// The product that is charged for these facts (contract §3); `None` for no fact at all.
    pub fn product(self) -> Option<Product> {
        match self {
            Self::NONE => None,
            Self::SWAP => Some(Product::Swap),
            Self::REGISTRATION => Some(Product::Age),
            _ => Some(Product::Imsi),
        }
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it holds all of `other`.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse_all(words: &str) -> Option<Self> {
        words.split(',').try_fold(Self::NONE, |facts, word| Some(facts.with(Self::parse(word)?)))
    }

    /// The fact of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(fact, _)| *fact)
    }
}

impl fmt::Display for FactSet {
    /// The words of its facts, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<&str> =
            Self::WORDS.iter().filter(|(fact, _)| self.contains(*fact)).map(|(_, word)| *word).collect();
        f.write_str(&held.join(","))
    }
}

impl fmt::Debug for FactSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Self::WORDS.iter().filter(|(fact, _)| self.contains(*fact)).map(|(_, word)| *word);
        f.debug_set().entries(held).finish()
    }
}

/// The SIM as one partner sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct PartnerSim {
    /// The pseudonym, or the operator's own hash where the agreement passes that through.
    pub pseudonym: String,
    /// How it compares to the one that the caller held.
    pub compared: Option<Compared>,
}

impl fmt::Debug for PartnerSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartnerSim(…, {:?})", self.compared)
    }
}

/// Whether the SIM is the one that the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// It is.
    Same,
    /// It is another one.
    Changed,
    /// The registry is too old to reassure.
    Unknown,
}

impl Compared {
    const ALL: [Self; 3] = [Self::Same, Self::Changed, Self::Unknown];

    /// The word in `/v1/checks`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}

/// Everything that a check told its caller, as it is sealed beside the ledger's row: for disputes, and
/// for the same answer again within a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What was decided.
    pub decision: Decision,
    /// Which of its facts were told.
    pub facts: FactSet,
    /// How far back.
    pub windows: Windows,
    /// The SIM, where it was asked for and could be told.
    pub sim: Option<PartnerSim>,
}

impl Told {
    /// One line of text: instants in seconds of UTC, only the facts that were told.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(96);
        let _ = match self.decision {
            Decision::NotServed => write!(text, "not_served"),
            Decision::Withheld => write!(text, "withheld"),
            Decision::Unknown(reason) => write!(text, "unknown={}", reason.word()),
            Decision::Facts(facts) => write!(text, "{}", facts.status.word()),
        };
        let facts = if let Decision::Facts(facts) = self.decision { Some(facts) } else { None };
        if self.facts.contains(FactSet::SWAP) {
            let _ = match facts.map(|facts| facts.swap) {
                None => write!(text, " swap"),
                Some(SwapFact::Swapped(swap)) => write!(text, " swap={}@{}", swap.cause.word(), swap.at.as_second()),
                Some(SwapFact::NotSwapped) => write!(text, " swap=none"),
                Some(SwapFact::Unknown(reason)) => write!(text, " swap=?{}", reason.word()),
            };
        }
        if self.facts.contains(FactSet::REGISTRATION) {
            let _ = match facts.map(|facts| facts.registration) {
                None => write!(text, " registration"),
                Some(RegistrationFact::Within(at)) => write!(text, " registration={}", at.as_second()),
                Some(RegistrationFact::Older) => write!(text, " registration=older"),
                Some(RegistrationFact::Unknown(reason)) => write!(text, " registration=?{}", reason.word()),
            };
        }
        if self.facts.contains(FactSet::SIM) {
            text.push_str(" sim");
            if let Some(sim) = &self.sim {
                let _ = write!(text, "={}", sim.pseudonym);
                if let Some(compared) = sim.compared {
                    let _ = write!(text, "/{}", compared.word());
                }
            }
        }
        let _ = write!(text, " windows={},{}", self.windows.swap.as_months(), self.windows.registration.as_months());
        text
    }

    /// Reads [`Told::to_text`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let head = words.next()?;
        let (mut swap, mut registration, mut sim, mut windows) = (None, None, None, None);
        let mut facts = FactSet::NONE;
        for word in words {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            match name {
                "windows" => windows = Some(read_windows(value?)?),
                "swap" => swap = value.map(|value| read_swap(value).ok_or(())).transpose().ok()?,
                "registration" => {
                    registration = value.map(|value| read_registration(value).ok_or(())).transpose().ok()?;
                }
                "sim" => sim = value.map(|value| read_sim(value).ok_or(())).transpose().ok()?,
                _ => return None,
            }
            facts = facts.with(FactSet::parse(name).unwrap_or(FactSet::NONE));
        }
        let decision = match head {
            "not_served" => Decision::NotServed,
            "withheld" => Decision::Withheld,
            _ if head.starts_with("unknown=") => Decision::Unknown(UnknownReason::parse(&head[8..])?),
            _ => Decision::Facts(Facts {
                status: LineStatus::parse(head)?,
                // What was not told is not known from here.
                swap: swap.unwrap_or(SwapFact::Unknown(UnknownReason::NoHistory)),
                registration: registration.unwrap_or(RegistrationFact::Unknown(UnknownReason::NoHistory)),
            }),
        };
        Some(Self { decision, facts, windows: windows?, sim })
    }
}

fn read_windows(text: &str) -> Option<Windows> {
    let (swap, registration) = text.split_once(',')?;
    let window = |months: &str| Window::months(months.parse().ok()?).ok();
    Some(Windows { swap: window(swap)?, registration: window(registration)? })
}

fn read_instant(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.parse().ok()?).ok()
}

fn read_swap(text: &str) -> Option<SwapFact> {
    if let Some(reason) = text.strip_prefix('?') {
        return UnknownReason::parse(reason).map(SwapFact::Unknown);
    }
    let Some((cause, at)) = text.split_once('@') else {
        return (text == "none").then_some(SwapFact::NotSwapped);
    };
    Some(SwapFact::Swapped(Swap { at: read_instant(at)?, cause: SwapCause::parse(cause)? }))
}

fn read_registration(text: &str) -> Option<RegistrationFact> {
    if let Some(reason) = text.strip_prefix('?') {
        return UnknownReason::parse(reason).map(RegistrationFact::Unknown);
    }
    if text == "older" { Some(RegistrationFact::Older) } else { read_instant(text).map(RegistrationFact::Within) }
}

fn read_sim(text: &str) -> Option<PartnerSim> {
    let (pseudonym, compared) = text.split_once('/').map_or((text, None), |(sim, word)| (sim, Some(word)));
    let compared = match compared {
        None => None,
        Some(word) => Some(Compared::ALL.into_iter().find(|compared| compared.word() == word)?),
    };
    Some(PartnerSim { pseudonym: pseudonym.to_owned(), compared })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::constant(1_795_000_000, 0);

    fn every_fact() -> Vec<Decision> {
        let swaps = [
            SwapFact::NotSwapped,
            SwapFact::Unknown(UnknownReason::StaleFeed),
            SwapFact::Swapped(Swap { at: AT, cause: SwapCause::NewHolder }),
        ];
        let registrations = [
            RegistrationFact::Older,
            RegistrationFact::Within(AT),
            RegistrationFact::Unknown(UnknownReason::SourceRejected),
        ];
        let pairs = swaps.into_iter().flat_map(|swap| registrations.map(|registration| (swap, registration)));
        let facts = pairs
            .map(|(swap, registration)| Decision::Facts(Facts { status: LineStatus::Suspended, swap, registration }));
        facts.chain([Decision::NotServed, Decision::Withheld, Decision::Unknown(UnknownReason::NoHistory)]).collect()
    }

    #[test]
    fn what_was_told_is_read_back_and_nothing_else_is() {
        let compared = [None, Some(Compared::Same), Some(Compared::Changed), Some(Compared::Unknown)];
        for decision in every_fact() {
            for compared in compared {
                let sim = Some(PartnerSim { pseudonym: "9233817055099406".to_owned(), compared });
                let told = Told { decision, facts: FactSet::of(Product::Imsi), windows: Windows::default(), sim };
                assert_eq!(Told::parse(&told.to_text()), Some(told.clone()), "{}", told.to_text());
            }
        }
        for text in [
            "",
            "active",
            "active swap=none",
            "lost windows=3,12",
            "active swap=x windows=3,12",
            "unknown= windows=1,1",
        ] {
            assert_eq!(Told::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_facts_that_were_asked_for_are_kept() {
        let decision = every_fact().swap_remove(2);
        let told = Told { decision, facts: FactSet::SWAP, windows: Windows::default(), sim: None };
        assert_eq!(told.to_text(), "suspended swap=none windows=3,12");
        let told = Told { facts: FactSet::REGISTRATION, ..told };
        assert_eq!(told.to_text(), "suspended registration=?source_rejected windows=3,12");
        assert_eq!(Told::parse(&told.to_text()).unwrap().facts, FactSet::REGISTRATION);
    }

    #[test]
    fn one_fact_is_charged_as_itself_and_several_as_imsi() {
        let table = [
            (FactSet::NONE, None),
            (FactSet::SWAP, Some(Product::Swap)),
            (FactSet::REGISTRATION, Some(Product::Age)),
            (FactSet::SIM, Some(Product::Imsi)),
            (FactSet::SWAP.with(FactSet::REGISTRATION), Some(Product::Imsi)),
            (FactSet::SWAP.with(FactSet::SIM), Some(Product::Imsi)),
        ];
        for (facts, product) in table {
            assert_eq!(facts.product(), product, "{facts:?}");
        }
    }
}
