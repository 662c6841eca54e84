use jiff::Timestamp;
use laini_core::line::{Event, Line, LineState, Msisdn, Sim};
use laini_core::partner::{AppId, PartnerId};
use laini_core::privacy::RestrictionRow;
use laini_core::store::{
    AccountBook, AccountStore, AccountsError, AskedCheck, AskedQuery, FeedError, KeptLine, Ledger, LedgerError, Lookup,
    RefusalLog, RefusalLogError, RefusedCall, RefusedQuery, RegistryFeed, RejectId, SubjectHash,
};
use serde::Serialize;

use super::{PrivacyRequest, scan};
use crate::desk::KeptNumber;

/// Checks read at a time.
const CHECKS_PER_PAGE: usize = 5_000;
/// Kept lines read at a time.
const LINES_PER_PAGE: usize = 1_000;
/// The most checks of one dossier: beyond it the span is to be cut in two.
const CHECKS_MAX: usize = 200_000;

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// From this instant on; `None` = from the beginning.
    pub from: Option<Timestamp>,
    /// Before this instant; `None` = until now.
    pub until: Option<Timestamp>,
}

impl Span {
    /// The part of it in which the present holder had the number.
    #[must_use]
    pub fn of_holding(self, line: Option<&Line>) -> Self {
        Self { from: self.from.max(line.map(Line::holding_since)), ..self }
    }

    pub(crate) fn contains(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// Where what is held is looked for.
pub struct Sources<'a> {
    /// The present state of the line, as checks are answered from it.
    pub found: &'a Lookup,
    /// The history of the built-in registry.
    pub feed: &'a dyn RegistryFeed,
    /// What was asked.
    pub ledger: &'a dyn Ledger,
    /// What was refused.
    pub refusals: &'a dyn RefusalLog,
    /// Where desks of partners keep the number, sealed.
    pub desks: &'a [KeptNumber],
    /// Restrictions and names.
    pub accounts: &'a dyn AccountStore,
}

/// What is held about a number, and who asked about it.
#[derive(Debug, Serialize)]
pub struct Dossier {
    /// The number, in full.
    pub number: String,
    /// When this was put together.
    pub made: Timestamp,
    /// From when on.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// The line as it is answered.
    pub line: Option<LineHeld>,
    /// Whether its newest row in the feed could not be believed.
    pub source_rejected: bool,
    /// What the feed told of it.
    pub events: Vec<EventHeld>,
    /// Lines of feeds that could not be read and name the number.
    pub unread_lines: Vec<String>,
    /// Since when it is restricted: holdings that began by then.
    pub restricted: Option<Timestamp>,
    /// What was asked about it before, by its holder.
    pub requests: Vec<RequestHeld>,
    /// Who asked about it, and what they were told.
    pub checks: Vec<CheckHeld>,
    /// Who asked about it and was refused, so that they were told nothing; newest first.
    pub refused: Vec<RefusedHeld>,
    /// Whose desk keeps the number since when; oldest first.
    pub desks: Vec<DeskHeld>,
}

/// The line as it is answered.
#[derive(Debug, Serialize)]
pub struct LineHeld {
    /// Active, suspended, terminated or ported out.
    pub status: &'static str,
    /// The SIM: its IMSI, or the operator's own hash of it.
    pub sim: String,
    /// When the number was registered.
    pub registered: Timestamp,
    /// Since when its present holder has it.
    pub holding_since: Timestamp,
    /// The newest swap.
    pub last_swap: Option<Timestamp>,
    /// Why.
    pub swap_cause: Option<&'static str>,
    /// The contract.
    pub contract: Option<&'static str>,
}

/// An event of the feed.
#[derive(Debug, Serialize)]
pub struct EventHeld {
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub r#type: &'static str,
    /// Which feed told of it.
    pub source: String,
    /// Its id there.
    pub id: String,
}

/// A request of the holder's.
#[derive(Debug, Serialize)]
pub struct RequestHeld {
    /// When.
    pub received: Timestamp,
    /// What for.
    pub action: &'static str,
    /// How far it is.
    pub status: &'static str,
}

/// A check about the number. The caller's own reference is the caller's, and stands in none.
#[derive(Debug, Serialize)]
pub struct CheckHeld {
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub partner: String,
    /// With which app.
    pub app: String,
    /// What.
    pub product: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// Sandbox or production.
    pub environment: &'static str,
    /// What came of it.
    pub outcome: &'static str,
    /// What was told; `None` once that was forgotten.
    pub disclosed: Option<String>,
}

/// A call about the number that was answered with an error.
#[derive(Debug, Serialize)]
pub struct RefusedHeld {
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub partner: String,
    /// With which app.
    pub app: String,
    /// Sandbox or production.
    pub environment: &'static str,
    /// Why: the code of the table of errors.
    pub code: String,
}

/// A number that a partner's people have looked up, or want to, at the desk.
#[derive(Debug, Serialize)]
pub struct DeskHeld {
    /// Since when.
    pub at: Timestamp,
    /// Whose desk.
    pub partner: String,
    /// What it stands in.
    pub stands_in: &'static str,
    /// When it is forgotten.
    pub until: Timestamp,
}

impl Dossier {
    /// As a request's record has it.
    pub fn in_record(&self) -> String {
        format!("{} checks, {} events", self.checks.len(), self.events.len())
    }
}

/// Why a dossier could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The registry's history.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The accounts.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The log of refused calls.
    #[error(transparent)]
    Refusals(#[from] RefusalLogError),
    /// Too much for one paper.
    #[error("there are more than {CHECKS_MAX} checks about this number; give a shorter span")]
    TooMany,
}

/// Puts together what is held about a number in a span. `hash` is its keyed hash.
pub async fn dossier(
    sources: &Sources<'_>,
    (number, hash): (Msisdn, SubjectHash),
    span: Span,
    requests: &[PrivacyRequest],
    now: Timestamp,
    mut progress: impl FnMut(u64),
) -> Result<Dossier, DossierError> {
    let LineState { line, source_rejected } = &sources.found.state;
    let events = sources.feed.history(number).await?;
    let book = sources.accounts.load().await?;
    let mut checks = Vec::new();
    let numbers = vec![hash];
    let query =
        AskedQuery { numbers, from: span.from, until: span.until, limit: CHECKS_PER_PAGE, ..AskedQuery::default() };
    scan(sources.ledger, query, |page, looked_at| {
        checks.extend(page.iter().map(|check| check_held(check, &book)));
        progress(looked_at);
        if checks.len() > CHECKS_MAX { Err(DossierError::TooMany) } else { Ok(()) }
    })
    .await?;
    let refused = refused_calls(sources.refusals, hash, span).await?;
    let restriction = sources.accounts.restriction(hash).await?;
    let of_span = requests.iter().filter(|request| span.contains(request.received));
    Ok(Dossier {
        number: number.digits(),
        made: now,
        from: span.from,
        until: span.until,
        line: line.as_ref().map(line_held),
        source_rejected: *source_rejected,
        events: events.iter().filter(|event| span.contains(event.at)).map(event_held).collect(),
        unread_lines: unread_lines(sources.feed, number).await?,
        restricted: restriction.and_then(|row: RestrictionRow| row.until),
        requests: of_span.map(|request| request_held(request, now)).collect(),
        checks,
        refused: refused.iter().map(|call| refused_held(call, &book)).collect(),
        desks: sources.desks.iter().map(|kept| desk_held(kept, &book)).collect(),
    })
}

fn line_held(line: &Line) -> LineHeld {
    LineHeld {
        status: line.status.word(),
        sim: match &line.sim {
            Sim::Imsi(imsi) => String::from_utf8_lossy(&imsi.ascii()).into_owned(),
            Sim::Hashed(hashed) => hashed.as_str().to_owned(),
        },
        registered: line.registered,
        holding_since: line.holding_since(),
        last_swap: line.last_swap.map(|swap| swap.at),
        swap_cause: line.last_swap.map(|swap| swap.cause.word()),
        contract: line.contract.map(laini_core::line::ContractType::word),
    }
}

fn event_held(event: &Event) -> EventHeld {
    EventHeld {
        at: event.at,
        r#type: event.happening.kind().word(),
        source: event.key.source.as_str().to_owned(),
        id: event.key.id.as_str().to_owned(),
    }
}

fn request_held(request: &PrivacyRequest, now: Timestamp) -> RequestHeld {
    RequestHeld { received: request.received, action: request.action.word(), status: request.status(now) }
}

fn check_held(check: &AskedCheck, book: &AccountBook) -> CheckHeld {
    let AskedCheck { row, subject, .. } = check;
    let (partner, app) = names(book, row.partner, row.app);
    CheckHeld {
        at: row.at,
        partner,
        app,
        product: row.product.word(),
        purpose: row.purpose.word(),
        environment: row.environment.word(),
        outcome: row.outcome.word(),
        disclosed: subject.as_ref().map(|subject| subject.facts.clone()),
    }
}

/// All calls of the span about a number that were refused: they are bounded by what is kept of each app.
async fn refused_calls(
    refusals: &dyn RefusalLog,
    hash: SubjectHash,
    span: Span,
) -> Result<Vec<RefusedCall>, RefusalLogError> {
    let (from, until, limit) = (span.from, span.until, CHECKS_PER_PAGE);
    let mut query = RefusedQuery { number: Some(hash), from, until, limit, ..RefusedQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = refusals.refused(query.clone()).await?;
        query.after = page.last().map(|call| call.id);
        let is_last = page.len() < CHECKS_PER_PAGE;
        found.extend(page);
        if is_last {
            return Ok(found);
        }
    }
}

fn refused_held(call: &RefusedCall, book: &AccountBook) -> RefusedHeld {
    let (partner, app) = names(book, call.partner, call.app);
    RefusedHeld { at: call.at, partner, app, environment: call.environment.word(), code: call.code.clone() }
}

fn desk_held(kept: &KeptNumber, book: &AccountBook) -> DeskHeld {
    let KeptNumber { at, partner, stands_in, until } = *kept;
    DeskHeld { at, partner: partner_name(book, partner), stands_in, until }
}

fn names(book: &AccountBook, partner: PartnerId, app: AppId) -> (String, String) {
    let of_app = book.apps.iter().find(|known| known.id == app).map(|known| known.name.clone());
    (partner_name(book, partner), of_app.unwrap_or_else(|| app.to_string()))
}

fn partner_name(book: &AccountBook, partner: PartnerId) -> String {
    let found = book.partners.iter().find(|known| known.id == partner).map(|known| known.name.clone());
    found.unwrap_or_else(|| partner.to_string())
}

/// What feeds said of the number in lines that could not be read: found by its last digits, in whatever form.
async fn unread_lines(feed: &dyn RegistryFeed, number: Msisdn) -> Result<Vec<String>, FeedError> {
    let digits = number.digits();
    let national = digits.get(digits.len().saturating_sub(9)..).unwrap_or(&digits);
    let (mut found, mut after): (Vec<String>, Option<RejectId>) = (Vec::new(), None);
    loop {
        let page: Vec<KeptLine> = feed.kept_lines(after, LINES_PER_PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.id);
        found.extend(page.iter().filter(|kept| mentions(&kept.line.0, national)).map(|kept| kept.place.clone()));
    }
}

fn mentions(line: &[u8], digits: &str) -> bool {
    line.windows(digits.len()).any(|part| part == digits.as_bytes())
}
