use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{EmailAddress, MemberRole, PartnerId, PersonId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::invitation::{has_come_in, let_go};
use super::notice::{send_token, tell_known};
use super::once_token::{REGISTERED_FOR, issue, over, take, withdraw};
use super::set_password::set;
use super::sign_in::come_in;
use super::{Person, Purpose, Seat, SignedIn, end_session_of, named};
use crate::going_live::{are_in_force, keep_acceptance};
use crate::{Actor, Kept, Office, PageRequest, Problem, Work, key, onboarding};

/// One e-mail address is sent a letter so often at most.
const SENT_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Registrations that wait to be confirmed, of everybody
const UNCONFIRMED_MAX: usize = 500;
/// and of one client address. Both hold to within those that come at the same instant.
const UNCONFIRMED_OF_PEER_MAX: usize = 10;
/// When to come back where there are too many.
const TOO_MANY_RETRY_AFTER_S: u64 = 3_600;
/// Registrations that one round answers.
const ROUND_REGISTRATIONS_MAX: usize = 50;

/// A stranger who wants to register an organisation.
pub struct Stranger<'a> {
    /// What the organisation is called.
    pub company: &'a str,
    /// Their e-mail address.
    pub email: &'a str,
    /// What they are called.
    pub name: &'a str,
    /// Which terms they accept for it: version, and SHA-256 of the text.
    pub terms: (u32, [u8; 32]),
    /// Whom registrations are counted of: the address, or the network that one holder has.
    pub peer: &'a str,
}

/// Somebody who confirms what they registered.
pub struct Confirmation<'a> {
    /// The token of the letter.
    pub token: &'a str,
    /// The password that is wanted.
    pub password: &'a str,
    /// What they want to be called, where it is not what was said.
    pub name: Option<&'a str>,
    /// What the organisation is called, where it is not what was said: that name may be another's by now.
    pub company: Option<&'a str>,
    /// From where.
    pub address: &'a str,
    /// The token of a session from before: it ends.
    pub before: Option<&'a str>,
}

/// An organisation that a stranger registered, until its e-mail address is confirmed. It is answered later, so that
/// whoever asks learns nothing from the time it takes. Each has a token of its own: nobody changes what another said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Registration {
    /// The id of the person that whoever confirms it becomes.
    id: PersonId,
    /// A keyed hash of the e-mail address,
    email: u64,
    /// and of the client address.
    peer: u64,
    /// What was said, under the office's seal, in Base64; empty where nothing comes of it.
    sealed: String,
    asked: Timestamp,
    is_answered: bool,
}

/// What a stranger said.
#[derive(Serialize, Deserialize)]
struct Said {
    company: String,
    person: Person,
    terms: (u32, [u8; 32]),
}

impl Registration {
    /// Whether it says nothing any more.
    pub(super) fn is_over(&self, at: Timestamp) -> bool {
        self.asked + REGISTERED_FOR <= at
    }

    fn said(&self, office: &Office) -> Option<Said> {
        let sealed = STANDARD_NO_PAD.decode(&self.sealed).ok()?;
        let opened = office.keys.office_seal().open((Self::KIND, self.id.into()), &sealed)?;
        serde_json::from_slice(&opened).ok()
    }
}

impl Kept for Registration {
    const KIND: RecordKind = RecordKind("registration");
    const NOUN: &'static str = "registration";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let asked = self.asked.as_microsecond();
        let mut keys = vec![key("all", "all", asked), key("email", self.email, asked), key("peer", self.peer, asked)];
        keys.extend((!self.is_answered).then(|| key("waiting", "all", asked)));
        keys
    }
}

/// Registers an organisation, once whoever has the e-mail address confirms it. Does the same for an address that
/// somebody has, and for a name that another organisation has.
pub fn register(work: &mut Work<'_>, stranger: &Stranger<'_>) -> Result<(), Problem> {
    is_open(work)?;
    let email = EmailAddress::parse(stranger.email).map_err(|error| Problem::invalid("email", error.to_string()))?;
    let (company, name) = (company_named(stranger.company)?, named(stranger.name)?);
    are_in_force(stranger.terms)?;
    let seal = work.office.keys.office_seal();
    let of_email = seal.id_of(Registration::KIND, &["email", email.as_str()]).0;
    let of_peer = seal.id_of(Registration::KIND, &["peer", stranger.peer]).0;
    let last = PageRequest { limit: 1, ..PageRequest::FIRST };
    let last = work.find::<Registration>("email", of_email, true, last)?.items.pop();
    if last.is_some_and(|last| work.at < last.asked + SENT_EVERY) {
        return Ok(());
    }
    if is_full(work, ("all", "all"), UNCONFIRMED_MAX)?
        || is_full(work, ("peer", &of_peer.to_string()), UNCONFIRMED_OF_PEER_MAX)?
    {
        return Err(Problem::TooOften { retry_after_s: TOO_MANY_RETRY_AFTER_S });
    }
    let word = || work.office.entropy.next_u64();
    let (id, partner) = (PersonId::from_random(word()), PartnerId::from_random(word()));
    let seat = Seat::Member { partner, role: MemberRole::Owner };
    let person = Person { id, email: email.as_str().to_owned(), name, seat, created: work.at, is_disabled: false };
    let said = serde_json::to_vec(&Said { company, person, terms: stranger.terms });
    let said = said.map_err(|error| Problem::Store(error.to_string()))?;
    let sealed = STANDARD_NO_PAD.encode(seal.seal((Registration::KIND, id.into()), &said));
    work.put(&Registration { id, email: of_email, peer: of_peer, sealed, asked: work.at, is_answered: false })
}

/// Sends those a letter who registered; how many letters were queued.
pub fn answer_registrations(office: &Office, at: Timestamp) -> Result<usize, Problem> {
    let mut sent = 0;
    for _ in 0..ROUND_REGISTRATIONS_MAX {
        match office.run(&Actor::System, at, answer_one)? {
            None => break,
            Some(is_told) => sent += usize::from(is_told),
        }
    }
    Ok(sent)
}

/// `None` = nobody waits; otherwise whether a letter was queued.
fn answer_one(work: &mut Work<'_>) -> Result<Option<bool>, Problem> {
    let first = PageRequest { limit: 1, ..PageRequest::FIRST };
    let Some(mut registration) = work.find::<Registration>("waiting", "all", false, first)?.items.pop() else {
        return Ok(None);
    };
    registration.is_answered = true;
    let said = registration.said(work.office);
    let known = match &said {
        Some(said) => work.the::<Person>("email", &said.person.email)?,
        None => None,
    };
    // Whoever was invited and has not come in may register instead.
    let known = match known {
        Some(person) if has_come_in(work, person.id)? => Some(person),
        _ => None,
    };
    let is_told = match (said, known) {
        (Some(said), None) => {
            let issued = issue(work, registration.id, Purpose::Registration)?;
            send_token(work, &said.person, &issued)?;
            true
        }
        (_, known) => {
            registration.sealed.clear();
            let known = known.filter(|person| !person.is_disabled);
            known.as_ref().map(|person| tell_known(work, person)).transpose()?.is_some()
        }
    };
    work.put(&registration)?;
    Ok(Some(is_told))
}

/// Confirms a registration by the token of its letter: the organisation becomes a partner whose onboarding begins, and
/// whoever confirms it comes in as its owner. Only here is it told that another has the name.
pub fn confirm_registration(work: &mut Work<'_>, shown: &Confirmation<'_>) -> Result<SignedIn, Problem> {
    is_open(work)?;
    let id = take(work, shown.token, Purpose::Registration)?;
    let registration = work.look::<Registration>(id)?.ok_or_else(over)?;
    let Said { company, mut person, terms } = registration.said(work.office).ok_or_else(over)?;
    if let Some(known) = work.the::<Person>("email", &person.email)? {
        if has_come_in(work, known.id)? {
            return Err(Problem::Taken("somebody with this e-mail address is there already; sign in".into()));
        }
        // Whoever confirms it has the address; who only wrote it into an invitation does not.
        let_go(work, &known)?;
    }
    person.name = shown.name.map_or(Ok(person.name), named)?;
    let company = shown.company.map_or(Ok(company), company_named)?;
    let Seat::Member { partner, .. } = person.seat else { return Err(over()) };
    let is_taken = |name: &str| name.eq_ignore_ascii_case(&company);
    if work.book()?.partners.iter().any(|partner| is_taken(&partner.name)) {
        let why = "an organisation of this name is here already: if it is yours, have one of its owners invite you; \
                   otherwise give another company";
        return Err(Problem::Taken(why.into()));
    }
    person.created = work.at;
    work.put(&person)?;
    set(work, &person, shown.password)?;
    for other in work.all::<Registration>("email", registration.email)? {
        withdraw(work, other.id)?;
        work.remove(&other);
    }
    if let Some(before) = shown.before {
        end_session_of(work, before)?;
    }
    work.actor = person.actor();
    work.note("person.register", Some(partner), person.id, "");
    onboarding::begin(work, partner, &company)?;
    keep_acceptance(work, partner, terms, shown.address)?;
    come_in(work, person, shown.address, "by registration")
}

fn is_full(work: &mut Work<'_>, (index, value): (&'static str, &str), max: usize) -> Result<bool, Problem> {
    Ok(work.find::<Registration>(index, value, true, PageRequest { limit: max, ..PageRequest::FIRST })?.items.len()
        >= max)
}

fn is_open(work: &Work<'_>) -> Result<(), Problem> {
    if work.office.settings.people.registration {
        return Ok(());
    }
    Err(Problem::Forbidden("organisations do not register themselves here; ask the operator".into()))
}

fn company_named(name: &str) -> Result<String, Problem> {
    named(name).map_err(|problem| match problem {
        Problem::Invalid { reason, .. } => Problem::Invalid { field: "company", reason },
        other => other,
    })
}
