use jiff::Timestamp;
use laini_core::partner::{EmailAddress, MemberRole, PartnerId, PersonId, StaffRole};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::invitation::{admit_letter, has_come_in, holds_address, let_go};
use super::notice::send_token;
use super::once_token::{issue, withdraw};
use super::session::end_sessions;
use super::{Issued, Person, Proof, Purpose, Seat};
use crate::trail::one_line;
use crate::{Kept, Page, PageRequest, Problem, Work};

/// The longest name,
const NAME_CHARS_MAX: usize = 100;
/// and the longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

/// Who acts for one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roster {
    /// The operator's staff.
    Staff,
    /// The members of a partner.
    Partner(PartnerId),
}

impl Roster {
    /// The roster that a seat is on.
    pub fn of(seat: Seat) -> Self {
        seat.partner().map_or(Self::Staff, Self::Partner)
    }

    fn partner(self) -> Option<PartnerId> {
        match self {
            Self::Staff => None,
            Self::Partner(partner) => Some(partner),
        }
    }

    fn index(self) -> (&'static str, String) {
        match self {
            Self::Staff => ("staff", "all".to_owned()),
            Self::Partner(partner) => ("partner", partner.to_string()),
        }
    }
}

impl Seat {
    /// Whether it is one of those that decide who else may do what: there is always somebody on one.
    pub fn is_head(self) -> bool {
        matches!(self, Self::Staff { role: StaffRole::Admin } | Self::Member { role: MemberRole::Owner, .. })
    }
}

/// Somebody as a roster shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub person: Person,
    /// Whether they have come in at least once.
    pub has_come_in: bool,
    /// Whether they have a second factor.
    pub has_factor: bool,
    /// When they signed in last, as far as it is known.
    pub signed_in: Option<Timestamp>,
}

impl Entry {
    /// `invited` (has not come in yet), `active` or `disabled`.
    pub fn status(&self) -> &'static str {
        match (self.person.is_disabled, self.has_come_in) {
            (true, _) => "disabled",
            (false, true) => "active",
            (false, false) => "invited",
        }
    }
}

/// Grows with every change of who may what, so that two changes at once are seen: two owners who remove each other
/// must not both succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Changes {
    id: u64,
    count: u64,
}

impl Kept for Changes {
    const KIND: RecordKind = RecordKind("roster");
    const NOUN: &'static str = "roster";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

/// The people of a roster, oldest first.
pub fn list_people(work: &mut Work<'_>, roster: Roster, page: PageRequest) -> Result<Page<Entry>, Problem> {
    let (index, value) = roster.index();
    let found = work.find::<Person>(index, value, false, page)?;
    let items = found.items.into_iter().map(|person| entry(work, person)).collect::<Result<_, _>>()?;
    Ok(Page { items, next: found.next })
}

/// Invites somebody to a seat; the token, which goes by letter where `by_letter`. An address that somebody was invited by
/// who has not come in is free again after seven days, or as soon as that invitation is withdrawn.
pub fn invite(
    work: &mut Work<'_>,
    seat: Seat,
    email: &str,
    name: &str,
    by_letter: bool,
) -> Result<(Person, Issued), Problem> {
    let email = EmailAddress::parse(email).map_err(|error| Problem::invalid("email", error.to_string()))?;
    let name = named(name)?;
    if let Some(partner) = seat.partner()
        && !work.book()?.partners.iter().any(|known| known.id == partner)
    {
        return Err(Problem::NotFound("partner"));
    }
    if let Some(known) = work.the::<Person>("email", email.as_str())? {
        if has_come_in(work, known.id)? || holds_address(work, &known)? {
            return Err(Problem::Taken("somebody with this e-mail address is there already".into()));
        }
        let_go(work, &known)?;
    }
    let id = PersonId::from_random(work.office.entropy.next_u64());
    let person = Person { id, email: email.as_str().to_owned(), name, seat, created: work.at, is_disabled: false };
    admit_letter(work, &person)?;
    work.put(&person)?;
    let issued = issue(work, id, Purpose::Invitation)?;
    if by_letter {
        send_token(work, &person, &issued)?;
    }
    work.note("person.invite", seat.partner(), id, seat.role_word());
    Ok((person, issued))
}

/// Gives somebody another role on the same roster. Nobody changes their own, and somebody stays who decides.
pub fn set_role(work: &mut Work<'_>, roster: Roster, id: PersonId, seat: Seat) -> Result<Entry, Problem> {
    let mut person = of_roster(work, roster, id)?;
    not_oneself(work, id)?;
    if Roster::of(seat) != roster {
        return Err(Problem::invalid("role", "it is one of another side"));
    }
    if person.seat != seat {
        keep_a_head(work, roster, &person, seat.is_head())?;
        person.seat = seat;
        work.put(&person)?;
        work.note("person.role", roster.partner(), id, seat.role_word());
    }
    entry(work, person)
}

/// Lets somebody not sign in any more, ends their sessions and withdraws what they were sent. The reason, if any, has 500
/// characters at most, on one line.
pub fn disable(work: &mut Work<'_>, roster: Roster, id: PersonId, reason: &str) -> Result<Entry, Problem> {
    one_line("reason", reason, REASON_CHARS_MAX)?;
    let mut person = of_roster(work, roster, id)?;
    not_oneself(work, id)?;
    if !person.is_disabled {
        keep_a_head(work, roster, &person, false)?;
        person.is_disabled = true;
        work.put(&person)?;
        end_sessions(work, id, None)?;
        withdraw(work, id)?;
        work.note("person.disable", roster.partner(), id, reason);
    }
    entry(work, person)
}

/// Lets somebody sign in again, for a reason like that of [`disable`].
pub fn enable(work: &mut Work<'_>, roster: Roster, id: PersonId, reason: &str) -> Result<Entry, Problem> {
    one_line("reason", reason, REASON_CHARS_MAX)?;
    let mut person = of_roster(work, roster, id)?;
    not_oneself(work, id)?;
    if person.is_disabled {
        person.is_disabled = false;
        work.put(&person)?;
        work.note("person.enable", roster.partner(), id, reason);
    }
    entry(work, person)
}

/// Helps somebody who lost what they prove themselves with: removes their second factor and whom the identity provider
/// knew them as, ends their sessions, and issues a token for a new password (for the first one, where they have not come
/// in yet).
pub fn reset(work: &mut Work<'_>, roster: Roster, id: PersonId, by_letter: bool) -> Result<(Person, Issued), Problem> {
    let person = of_roster(work, roster, id)?;
    not_oneself(work, id)?;
    if person.is_disabled {
        return Err(Problem::not_now("this person is disabled; enable them first"));
    }
    admit_letter(work, &person)?;
    let purpose = match work.look::<Proof>(id)? {
        None => Purpose::Invitation,
        Some(mut proof) => {
            (proof.factor, proof.begun, proof.recovery, proof.subject) = (None, None, Vec::new(), None);
            work.put(&proof)?;
            Purpose::Reset
        }
    };
    end_sessions(work, id, None)?;
    withdraw(work, id)?;
    let issued = issue(work, id, purpose)?;
    if by_letter {
        send_token(work, &person, &issued)?;
    }
    work.note("person.reset", roster.partner(), id, "");
    Ok((person, issued))
}

/// Ends every session of somebody; how many.
pub fn sign_out(work: &mut Work<'_>, roster: Roster, id: PersonId) -> Result<usize, Problem> {
    let person = of_roster(work, roster, id)?;
    let ended = end_sessions(work, person.id, None)?;
    work.note("session.close_all", roster.partner(), id, "");
    Ok(ended)
}

/// Somebody of a roster, by id.
pub fn of_roster(work: &mut Work<'_>, roster: Roster, id: PersonId) -> Result<Person, Problem> {
    let found = work.look::<Person>(id)?.filter(|person| Roster::of(person.seat) == roster);
    found.ok_or(Problem::NotFound("person"))
}

/// Somebody of a roster, by e-mail address or id.
pub fn find_person(work: &mut Work<'_>, roster: Roster, wanted: &str) -> Result<Person, Problem> {
    if let Ok(id) = PersonId::parse(wanted) {
        return of_roster(work, roster, id);
    }
    let found = work.the::<Person>("email", wanted.trim().to_ascii_lowercase())?;
    found.filter(|person| Roster::of(person.seat) == roster).ok_or(Problem::NotFound("person"))
}

/// A name that people can read.
pub(crate) fn named(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    // Lists are opened in spreadsheets, which would take it for a formula.
    if !fits || name.starts_with(['=', '+', '-', '@']) {
        let expected = "expected 1 to 100 characters, none of them a control character, not beginning with = + - or @";
        return Err(Problem::invalid("name", expected));
    }
    Ok(name.to_owned())
}

fn not_oneself(work: &Work<'_>, id: PersonId) -> Result<(), Problem> {
    if work.actor.person() == Some(id) {
        return Err(Problem::Forbidden("nobody does this to themselves; ask another owner or administrator".into()));
    }
    Ok(())
}

/// Sees to it that somebody stays who decides, and that whoever changes the roster at the same time sees it.
fn keep_a_head(work: &mut Work<'_>, roster: Roster, person: &Person, stays_head: bool) -> Result<(), Problem> {
    let id = roster.partner().map_or(0, PartnerId::as_u64);
    let mut changes = work.look::<Changes>(RecordId(id))?.unwrap_or(Changes { id, count: 0 });
    changes.count += 1;
    work.put(&changes)?;
    if stays_head || !person.seat.is_head() || person.is_disabled {
        return Ok(());
    }
    let (index, value) = roster.index();
    for other in work.all::<Person>(index, value)? {
        let counts = other.id != person.id && other.seat.is_head() && !other.is_disabled;
        if counts && work.look::<Proof>(other.id)?.is_some() {
            return Ok(());
        }
    }
    let who = if roster == Roster::Staff { "administrator" } else { "owner" };
    Err(Problem::not_now(format!("this is the last {who} who can sign in; make somebody else {who} first")))
}

fn entry(work: &mut Work<'_>, person: Person) -> Result<Entry, Problem> {
    let proof = work.look::<Proof>(person.id)?;
    let has_factor = proof.as_ref().is_some_and(|proof| proof.factor.is_some());
    let signed_in = proof.as_ref().and_then(|proof| proof.signed_in);
    Ok(Entry { person, has_come_in: proof.is_some(), has_factor, signed_in })
}
