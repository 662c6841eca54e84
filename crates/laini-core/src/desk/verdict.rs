use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Thresholds;

/// What to do. Later ones outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Allow,
    /// Make sure in another way first.
    StepUp,
    /// Stop, and have somebody look.
    Hold,
}

impl Verdict {
    /// All of them, the lightest first.
    pub const ALL: [Self; 3] = [Self::Allow, Self::StepUp, Self::Hold];

    /// The word in exports and forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::StepUp => "step_up",
            Self::Hold => "hold",
        }
    }

    /// Reads [`Verdict::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

/// What was told about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Whether it is served here; otherwise nothing below was looked at.
    pub is_served: bool,
    /// Its last SIM change.
    pub swap: SwapSeen,
    /// Since when it is held.
    pub held: HeldSeen,
    /// Whether it still is the SIM that was enrolled.
    pub sim: SimSeen,
}

/// What was told about the last SIM change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapSeen {
    /// It was on this day.
    On(Date),
    /// There was none inside the window.
    None,
    /// Nobody can say.
    Unknown,
}

/// What was told about the holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldSeen {
    /// It began on this day.
    Since(Date),
    /// It began before the window.
    Longer,
    /// Nobody can say.
    Unknown,
}

/// What was told about the SIM that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimSeen {
    /// None was.
    NotExpected,
    /// It is that one.
    Same,
    /// It is another one.
    Changed,
    /// Nobody can say.
    Unknown,
}

/// Why a verdict is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The number is not served here.
    NotServed,
    /// Another SIM than the one that was enrolled.
    SimChanged,
    /// Whether it is the SIM that was enrolled is not known.
    SimUnknown,
    /// The SIM is the one that was enrolled.
    SimSame,
    /// The SIM was changed so many days ago.
    Swapped(u16),
    /// Whether it was is not known.
    SwapUnknown,
    /// It was not, inside the window.
    NotSwapped,
    /// The line is held for so many days.
    Held(u16),
    /// For how long is not known.
    AgeUnknown,
    /// For longer than the window.
    HeldLonger,
}

impl Reason {
    /// The word in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotServed => "not_served",
            Self::SimChanged => "sim_changed",
            Self::SimUnknown => "sim_unknown",
            Self::SimSame => "sim_same",
            Self::Swapped(_) => "swapped",
            Self::SwapUnknown => "swap_unknown",
            Self::NotSwapped => "not_swapped",
            Self::Held(_) => "held",
            Self::AgeUnknown => "age_unknown",
            Self::HeldLonger => "held_longer",
        }
    }

    /// Of how many days it speaks, where it does.
    pub fn days(self) -> Option<u16> {
        match self {
            Self::Swapped(days) | Self::Held(days) => Some(days),
            _ => None,
        }
    }
}

/// A verdict with all its reasons, the weightiest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// What to do.
    pub verdict: Verdict,
    /// Why, each with what it would mean alone.
    pub reasons: Vec<(Verdict, Reason)>,
}

impl Judgement {
    /// Judges what was told by a bank's own thresholds, on a day of the operator's zone.
    pub fn of(seen: &Seen, today: Date, by: &Thresholds) -> Self {
        let mut reasons = Vec::new();
        if seen.is_served {
            reasons.extend(sim(seen.sim, by));
            reasons.push(swap(seen.swap, today, by));
            reasons.push(held(seen.held, today, by));
        } else {
            reasons.push((by.not_served.max(Verdict::StepUp), Reason::NotServed));
        }
        reasons.sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
        let verdict = reasons.first().map_or(Verdict::Hold, |(verdict, _)| *verdict);
        Self { verdict, reasons }
    }
}

/// What an unknown means; thresholds that would allow it are not heard.
fn unknown(by: &Thresholds) -> Verdict {
    by.unknown.max(Verdict::StepUp)
}

fn sim(seen: SimSeen, by: &Thresholds) -> Option<(Verdict, Reason)> {
    match seen {
        SimSeen::NotExpected => None,
        SimSeen::Same => Some((Verdict::Allow, Reason::SimSame)),
        SimSeen::Changed => Some((Verdict::Hold, Reason::SimChanged)),
        SimSeen::Unknown => Some((unknown(by), Reason::SimUnknown)),
    }
}

fn swap(seen: SwapSeen, today: Date, by: &Thresholds) -> (Verdict, Reason) {
    match seen {
        SwapSeen::On(day) => {
            let days = days_ago(day, today);
            (within(days, by.swap_hold_days, by.swap_step_up_days), Reason::Swapped(days))
        }
        SwapSeen::None => (Verdict::Allow, Reason::NotSwapped),
        SwapSeen::Unknown => (unknown(by), Reason::SwapUnknown),
    }
}

fn held(seen: HeldSeen, today: Date, by: &Thresholds) -> (Verdict, Reason) {
    match seen {
        HeldSeen::Since(day) => {
            let days = days_ago(day, today);
            (within(days, by.age_hold_days, by.age_step_up_days), Reason::Held(days))
        }
        HeldSeen::Longer => (Verdict::Allow, Reason::HeldLonger),
        HeldSeen::Unknown => (unknown(by), Reason::AgeUnknown),
    }
}

fn within(days: u16, hold: u16, step_up: u16) -> Verdict {
    match days {
        _ if days <= hold => Verdict::Hold,
        _ if days <= step_up => Verdict::StepUp,
        _ => Verdict::Allow,
    }
}

/// A day that lies ahead counts as today.
fn days_ago(day: Date, today: Date) -> u16 {
    u16::try_from((today - day).get_days().max(0)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2026, 11, 28);

    fn seen(swap: SwapSeen, held: HeldSeen) -> Seen {
        Seen { is_served: true, swap, held, sim: SimSeen::NotExpected }
    }

    fn verdict(seen: &Seen) -> Verdict {
        Judgement::of(seen, TODAY, &Thresholds::default()).verdict
    }

    #[test]
    fn the_days_decide_and_the_weightiest_reason_leads() {
        let ago = |days: i64| TODAY.checked_sub(days.days()).unwrap();
        for (days, expected) in [
            (-1, Verdict::Hold),
            (0, Verdict::Hold),
            (7, Verdict::Hold),
            (8, Verdict::StepUp),
            (31, Verdict::StepUp),
            (32, Verdict::Allow),
        ] {
            assert_eq!(verdict(&seen(SwapSeen::On(ago(days)), HeldSeen::Longer)), expected, "{days} days");
        }
        for (days, expected) in [(7, Verdict::Hold), (8, Verdict::StepUp), (90, Verdict::StepUp), (91, Verdict::Allow)]
        {
            assert_eq!(verdict(&seen(SwapSeen::None, HeldSeen::Since(ago(days)))), expected, "{days} days");
        }
        let both = Judgement::of(&seen(SwapSeen::On(ago(20)), HeldSeen::Since(ago(3))), TODAY, &Thresholds::default());
        assert_eq!(both.reasons, [(Verdict::Hold, Reason::Held(3)), (Verdict::StepUp, Reason::Swapped(20))]);
    }

    #[test]
    fn another_sim_than_the_enrolled_one_is_held_whatever_the_days_say() {
        let other = Seen { sim: SimSeen::Changed, ..seen(SwapSeen::None, HeldSeen::Longer) };
        assert_eq!(verdict(&other), Verdict::Hold);
        let same = Seen { sim: SimSeen::Same, ..seen(SwapSeen::None, HeldSeen::Longer) };
        assert_eq!(verdict(&same), Verdict::Allow);
    }

    proptest! {
        #[test]
        fn what_is_not_known_is_never_allowed(which in 0..4_u8, hold in 0..400_u16, word in 0..3_usize) {
            let by = Thresholds {
                swap_hold_days: hold, swap_step_up_days: hold, age_hold_days: hold, age_step_up_days: hold,
                unknown: Verdict::ALL[word], not_served: Verdict::ALL[word],
            };
            let mut seen = seen(SwapSeen::None, HeldSeen::Longer);
            match which {
                0 => seen.swap = SwapSeen::Unknown,
                1 => seen.held = HeldSeen::Unknown,
                2 => seen.sim = SimSeen::Unknown,
                _ => seen.is_served = false,
            }
            prop_assert!(Judgement::of(&seen, TODAY, &by).verdict > Verdict::Allow);
        }
    }
}
