use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::{SignedDuration, Timestamp};
use laini_core::desk::{Reason, Verdict};
use laini_core::partner::{Environment, PersonId, Purpose};
use laini_office::desk::batch::{BatchRow, Came, DeskBatch};
use laini_office::desk::{DeskCheck, Finding};
use laini_office::people::Person;
use laini_office::{Problem, Work};

use crate::portal::Portal;
use crate::words::{DeskWords, Words};

/// A verdict as it is drawn: a word, a shape and a colour, each enough by itself.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) word: &'static str,
    pub(super) shape: &'static str,
    /// Of the large box,
    pub(super) class: &'static str,
    /// and of a tag.
    pub(super) tag: &'static str,
}

impl Shown {
    pub(super) fn of(verdict: Verdict, words: &DeskWords) -> Self {
        match verdict {
            Verdict::Allow => Self { word: words.allow, shape: "●", class: "allow", tag: "go" },
            Verdict::StepUp => Self { word: words.step_up, shape: "▲", class: "step-up", tag: "care" },
            Verdict::Hold => Self { word: words.hold, shape: "■", class: "hold", tag: "stop" },
        }
    }
}

/// What a clerk keeps of a check: everything but the number.
pub(super) struct Receipt {
    pub(super) verdict: Shown,
    pub(super) reasons: Vec<(Shown, String)>,
    pub(super) masked: String,
    /// The whole number, where somebody uncovered it just now.
    pub(super) number: Option<String>,
    pub(super) id: String,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) purpose: &'static str,
    pub(super) reference: String,
    pub(super) sim: Option<String>,
    /// Up to when the network's data is complete, as people read it,
    pub(super) as_of: Option<String>,
    /// and how old it was when it was asked.
    pub(super) data_age: Option<String>,
    pub(super) charge: String,
    pub(super) is_sandbox: bool,
}

impl Receipt {
    pub(super) fn of_check(portal: &Portal, words: &Words, check: &DeskCheck, by: String) -> Self {
        let reference = check.reference(&portal.office);
        let about = (check.purpose, reference, check.environment);
        Self::of(portal, words, &check.finding, (check.masked.clone(), by), about)
    }

    /// Of a row of a batch; `None` = it has no answer.
    pub(super) fn of_row(
        portal: &Portal,
        words: &Words,
        (batch, reference, by): (&DeskBatch, &str, String),
        row: &BatchRow,
    ) -> Option<Self> {
        let Some(Came::Found(finding)) = &row.came else { return None };
        let reference = if row.reference.is_empty() { reference } else { &row.reference };
        let about = (batch.purpose.unwrap_or_default(), reference.to_owned(), batch.environment);
        Some(Self::of(portal, words, finding, (masked(portal, &row.number), by), about))
    }

    fn of(
        portal: &Portal,
        words: &Words,
        finding: &Finding,
        (masked, by): (String, String),
        (purpose, reference, environment): (Purpose, String, Environment),
    ) -> Self {
        let words = &words.desk;
        let reasons = finding.judgement.reasons.iter();
        let as_of = finding.as_of.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        Self {
            verdict: Shown::of(finding.judgement.verdict, words),
            reasons: reasons.map(|(verdict, why)| (Shown::of(*verdict, words), words.reason(*why))).collect(),
            masked,
            number: None,
            id: finding.check.clone(),
            at: portal.shown(finding.at),
            by,
            purpose: words.purpose_of(purpose),
            reference,
            sim: finding.sim.clone(),
            as_of: as_of.map(|as_of| portal.shown_to_second(as_of)),
            data_age: as_of.map(|as_of| words.data_age(finding.at.duration_since(as_of))),
            charge: finding.charge().map(|charge| charge.to_string()).unwrap_or_default(),
            is_sandbox: environment == Environment::Sandbox,
        }
    }
}

/// The ends of a number that is kept as digits.
pub(super) fn masked(portal: &Portal, number: &str) -> String {
    portal.office.settings.plan.parse(number).map(laini_office::desk::masked).unwrap_or_default()
}

/// What people are called; somebody who is no longer there has no name.
pub(super) fn names(
    work: &mut Work<'_>,
    people: impl IntoIterator<Item = PersonId>,
) -> Result<HashMap<PersonId, String>, Problem> {
    let mut names = HashMap::new();
    for person in people {
        if let Entry::Vacant(place) = names.entry(person) {
            let found = work.look::<Person>(person)?;
            place.insert(found.map(|person| person.name).unwrap_or_default());
        }
    }
    Ok(names)
}

impl DeskWords {
    /// A purpose, as forms have it.
    pub(super) fn purpose_of(&self, purpose: Purpose) -> &'static str {
        self.purposes[Purpose::ALL.iter().position(|of| *of == purpose).unwrap_or(0)]
    }

    /// How old data is, in a sentence.
    fn data_age(&self, age: SignedDuration) -> String {
        let [moment, minutes, hours, days] = self.data_age;
        let (sentence, count) = match age.as_mins() {
            ..1 => (moment, 0),
            old @ 1..120 => (minutes, old),
            old @ 120..2_880 => (hours, old / 60),
            old => (days, old / 1_440),
        };
        sentence.replace("{}", &count.to_string())
    }

    /// A reason in a sentence.
    pub(super) fn reason(&self, reason: Reason) -> String {
        let days = |days: u16, of: [&str; 3]| match days {
            0 => of[0].to_owned(),
            1 => of[1].to_owned(),
            more => of[2].replace("{}", &more.to_string()),
        };
        match reason {
            Reason::NotServed => self.not_served.to_owned(),
            Reason::SimChanged => self.sim_changed.to_owned(),
            Reason::SimUnknown => self.sim_unknown.to_owned(),
            Reason::SimSame => self.sim_same.to_owned(),
            Reason::Swapped(ago) => days(ago, self.swapped),
            Reason::SwapUnknown => self.swap_unknown.to_owned(),
            Reason::NotSwapped => self.not_swapped.to_owned(),
            Reason::Held(held) => days(held, self.held),
            Reason::AgeUnknown => self.age_unknown.to_owned(),
            Reason::HeldLonger => self.held_longer.to_owned(),
        }
    }
}
