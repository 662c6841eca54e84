use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{EmailAddress, SignOnId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::attempts::Attempt;
use super::once_token::withdraw;
use super::session::open_session_of;
use super::sign_in::{lacks_factor, show_factor};
use super::{Person, Proof, SignedIn, end_session_of};
use crate::{Kept, Office, Problem, Work, key};

/// What every token of a sign-on begins with.
const PREFIX: &str = "laini_o_";
/// The longest such token.
const TOKEN_BYTES_MAX: usize = 1_024;
/// Whoever goes to the identity provider comes back within so long.
const LASTS: SignedDuration = SignedDuration::from_mins(10);

/// One way through single sign-on: what laini keeps in mind between the URL to the identity provider and the code that
/// comes back. The browser that began holds it, sealed, so strangers make no records.
#[derive(Serialize, Deserialize)]
pub struct Begun {
    /// Its id.
    #[serde(skip, default = "no_id")]
    pub id: SignOnId,
    /// Comes back with the code.
    pub state: String,
    /// Comes back inside of the signed token.
    pub nonce: String,
    /// What redeems the code (PKCE, RFC 7636).
    pub verifier: String,
    expires: Timestamp,
}

fn no_id() -> SignOnId {
    SignOnId::from_stored(0)
}

impl Begun {
    /// What the identity provider is told of the verifier: S256.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }
}

/// Begins one; it, and the token that its browser keeps.
pub fn begin_sign_on(office: &Office, at: Timestamp) -> Result<(Begun, Zeroizing<String>), Problem> {
    let random = || {
        let mut bytes = Zeroizing::new([0; 32]);
        office.entropy.fill(&mut *bytes);
        URL_SAFE_NO_PAD.encode(*bytes)
    };
    let id = SignOnId::from_random(office.entropy.next_u64());
    let begun = Begun { id, state: random(), nonce: random(), verifier: random(), expires: at + LASTS };
    let open = serde_json::to_vec(&begun).map_err(|error| Problem::Store(error.to_string()))?;
    let sealed = office.keys.office_seal().seal((UsedSignOn::KIND, id.into()), &Zeroizing::new(open));
    Ok((begun, Zeroizing::new(format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(sealed)))))
}

/// What a browser began, where `state` is of the same and it is not too late.
pub fn read_sign_on(office: &Office, token: &str, state: &str, at: Timestamp) -> Result<Begun, Problem> {
    let read = || {
        let (id, sealed) = token.strip_prefix(PREFIX)?.split_once('_')?;
        let (id, sealed) = (SignOnId::parse(id).ok()?, URL_SAFE_NO_PAD.decode(sealed).ok()?);
        let opened = office.keys.office_seal().open((UsedSignOn::KIND, id.into()), &sealed)?;
        let begun: Begun = serde_json::from_slice(&opened).ok()?;
        Some(Begun { id, ..begun })
    };
    let begun = if token.len() <= TOKEN_BYTES_MAX { read() } else { None };
    let is_same = |begun: &Begun| state == begun.state;
    begun.filter(|begun| at < begun.expires && is_same(begun)).ok_or_else(not_begun)
}

fn not_begun() -> Problem {
    Problem::invalid("sign_on", "it was not begun in this browser, was used already, or is too old; begin anew")
}

/// That somebody came in by a sign-on: by each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UsedSignOn {
    id: SignOnId,
    at: Timestamp,
}

impl UsedSignOn {
    /// Whether what it is of has ended anyway.
    pub(super) fn is_over(&self, at: Timestamp) -> bool {
        self.at + LASTS <= at
    }
}

impl Kept for UsedSignOn {
    const KIND: RecordKind = RecordKind("sign_on");
    const NOUN: &'static str = "sign-on";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("at", "all", self.at.as_microsecond())]
    }
}

/// Whom the identity provider vouches for, by a token whose signature was verified.
pub struct Vouched {
    /// The e-mail address, which it says is verified.
    pub email: String,
    /// As whom it knows them, for ever.
    pub subject: String,
    /// The provider's own name.
    pub issuer: String,
    /// Whether it has asked them for a second factor.
    pub has_factor: bool,
}

/// Somebody who comes back from the identity provider.
pub struct SignOn<'a> {
    /// The way that they went.
    pub id: SignOnId,
    /// Who they are.
    pub vouched: &'a Vouched,
    /// A code of the second factor, where they have one here and the provider asked for none.
    pub code: Option<&'a str>,
    /// A recovery code, in its place.
    pub recovery_code: Option<&'a str>,
    /// From where.
    pub address: &'a str,
    /// Whom attempts are counted of: the address, or the network that one holder has.
    pub peer: &'a str,
    /// The token of a session from before: it ends.
    pub before: Option<&'a str>,
}

/// Signs somebody in whom the identity provider vouches for. They are known here already, by their address; from the
/// first time on, whoever else the provider gives that address to is not they.
pub fn sign_on(work: &mut Work<'_>, shown: &SignOn<'_>) -> Result<SignedIn, Problem> {
    if work.look::<UsedSignOn>(shown.id)?.is_some() {
        return Err(not_begun());
    }
    work.put(&UsedSignOn { id: shown.id, at: work.at })?;
    let vouched = shown.vouched;
    let unknown = || Problem::Forbidden("nobody here has this e-mail address; have yourself invited first".into());
    let email = EmailAddress::parse(&vouched.email).map_err(|_| unknown())?;
    let person = work.the::<Person>("email", email.as_str())?.filter(|person| !person.is_disabled);
    let person = person.ok_or_else(unknown)?;
    let proof = work.look::<Proof>(person.id)?;
    let is_first = proof.is_none();
    let mut proof = proof.unwrap_or_else(|| Proof::none(person.id));
    let mut subject = Sha256::new();
    subject.update((vouched.issuer.len() as u64).to_be_bytes());
    subject.update(&vouched.issuer);
    subject.update(&vouched.subject);
    let subject: [u8; 32] = subject.finalize().into();
    if *proof.subject.get_or_insert(subject) != subject {
        let why = "another account of the identity provider had this address when it came in here first; an owner or \
                   administrator resets the person";
        return Err(Problem::Forbidden(why.into()));
    }
    let asks_for_code = proof.factor.is_some() && !vouched.has_factor;
    if asks_for_code {
        let attempt = Attempt::begin(work.office, shown.peer, email.as_str(), work.at)?;
        show_factor(work, &person, &mut proof, (shown.code, shown.recovery_code), &attempt)?;
        attempt.succeed(work)?;
    }
    work.put(&proof)?;
    if let Some(before) = shown.before {
        end_session_of(work, before)?;
    }
    work.actor = person.actor();
    if is_first {
        // So that nobody lets them go in this moment: see `invitation::let_go`.
        work.put(&person)?;
        withdraw(work, person.id)?;
        work.note("person.accept", person.seat.partner(), person.id, "by single sign-on");
    }
    let token = open_session_of(work, person.id, shown.address, vouched.has_factor)?;
    let how = if asks_for_code { "by single sign-on and code" } else { "by single sign-on" };
    work.note("session.open", person.seat.partner(), person.id, how);
    let must_set_up_factor = !vouched.has_factor && lacks_factor(work, &person)?;
    Ok(SignedIn { token, person, must_set_up_factor })
}
