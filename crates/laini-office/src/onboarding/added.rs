//! How a partner came here: added by the operator's people, registered by itself, or made by the server.

use jiff::Timestamp;
use laini_core::partner::{Partner, PartnerId};
use laini_core::store::TrailQuery;

use super::begin;
use crate::agreements::add_with_standard;
use crate::people::named;
use crate::{Problem, Work, trail};

/// With what a partner begins that the operator's people add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// With the standard agreement, signed for both sides in this step.
    WithStandardAgreement,
    /// On the way to one.
    Onboarding,
}

impl Begins {
    /// The word in forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::WithStandardAgreement => "standard",
            Self::Onboarding => "none",
        }
    }

    /// The way of this word.
    pub fn parse(word: &str) -> Result<Self, Problem> {
        let found = [Self::WithStandardAgreement, Self::Onboarding].into_iter().find(|way| way.word() == word);
        found.ok_or(Problem::invalid("agreement", "expected standard or none"))
    }
}

/// Adds a partner of this name, which no other has in any case of letters.
pub fn add(work: &mut Work<'_>, name: &str, begins: Begins) -> Result<PartnerId, Problem> {
    let name = named(name)?;
    if work.read_book()?.partners.iter().any(|partner| partner.name.eq_ignore_ascii_case(&name)) {
        return Err(Problem::Taken("another partner has this name; choose another one".into()));
    }
    let id = PartnerId::from_random(work.office.entropy.next_u64());
    match begins {
        Begins::WithStandardAgreement => add_with_standard(work, Partner::new(id, name)).map(drop)?,
        Begins::Onboarding => begin(work, id, &name).map(drop)?,
    }
    Ok(id)
}

/// When a partner came, and how, as the audit trail has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// When.
    pub at: Timestamp,
    /// Who added it, as the trail tells whoever asks.
    pub by: String,
    /// How, in the trail's words.
    pub how: String,
}

/// How a partner came; `None` where the trail does not say.
pub fn beginning(work: &Work<'_>, partner: PartnerId) -> Result<Option<Beginning>, Problem> {
    let query = TrailQuery {
        partner: Some(partner),
        action: "partner.add".to_owned(),
        oldest_first: true,
        limit: 1,
        ..TrailQuery::default()
    };
    let entry = trail(work, query)?.pop().map(|row| row.entry);
    Ok(entry.map(|entry| Beginning { at: entry.at, by: entry.actor, how: entry.reason }))
}
