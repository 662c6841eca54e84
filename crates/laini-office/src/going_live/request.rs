use jiff::Timestamp;
use laini_core::access::ConsumerSecret;
use laini_core::partner::{
    App, AppId, Environment, GoLiveEvent, GoLiveId, GoLiveItem, GoLiveState, PartnerId, Product, ProductSet,
    ScriptedRunId, next_go_live_state,
};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use super::{ScriptedRun, checklist};
use crate::apps::{has_a_product, is_not_ended, issue, name_taken, readable_name, the_partner};
use crate::trail::one_line;
use crate::{Kept, Problem, Work, key};

/// So many requests of a partner are under way at most.
const OPEN_PER_PARTNER_MAX: usize = 20;
/// The longest reason.
const REASON_CHARS_MAX: usize = 500;

/// A request for production credentials, on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoLive {
    /// Its id.
    pub id: GoLiveId,
    /// Whose.
    pub partner: PartnerId,
    /// What the app will be called.
    pub name: String,
    /// What it will be able to call.
    pub products: Vec<Product>,
    /// The scripted run that it was made ready with.
    pub run: Option<ScriptedRunId>,
    /// Where it stands.
    pub state: GoLiveState,
    /// When it was begun.
    pub began: Timestamp,
    /// Everything that happened to it, oldest first.
    pub stages: Vec<Stage>,
    /// The app that was made, once it is live.
    pub app: Option<AppId>,
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Where it stood from then on.
    pub state: GoLiveState,
    /// When.
    pub at: Timestamp,
    /// Who did it, as the audit trail names them.
    pub by: String,
    /// Why, where a reason was given.
    pub reason: String,
}

impl GoLive {
    /// What it will be able to call.
    pub fn product_set(&self) -> ProductSet {
        self.products.iter().copied().collect()
    }
}

impl Kept for GoLive {
    const KIND: RecordKind = RecordKind("go_live");
    const NOUN: &'static str = "request to go live";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        let began = self.began.as_microsecond();
        vec![key("partner", self.partner, began), key("state", self.state.word(), began)]
    }
}

/// The request of this id, where it is of this partner.
pub fn the_request(work: &mut Work<'_>, partner: PartnerId, id: GoLiveId) -> Result<GoLive, Problem> {
    let found: GoLive = work.get(id)?;
    if found.partner == partner { Ok(found) } else { Err(Problem::NotFound(GoLive::NOUN)) }
}

/// Begins a request for an app that will be called `name` and be able to call `products`.
pub fn request_go_live(
    work: &mut Work<'_>,
    partner: PartnerId,
    name: &str,
    products: ProductSet,
) -> Result<GoLive, Problem> {
    let book = work.book()?;
    the_partner(&book, partner)?;
    is_not_ended(work, partner)?;
    let name = readable_name(name)?;
    has_a_product(products)?;
    let requests: Vec<GoLive> = work.all("partner", partner)?;
    let mut open = requests.iter().filter(|request| !request.state.is_over());
    let is_taken = book.apps.iter().any(|app| app.partner == partner && app.name == name);
    if is_taken || open.clone().any(|request| request.name == name) {
        return Err(name_taken());
    }
    if open.by_ref().count() >= OPEN_PER_PARTNER_MAX {
        let why = format!("{OPEN_PER_PARTNER_MAX} requests are under way, the most there may be; withdraw one");
        return Err(Problem::not_now(why));
    }
    let state = GoLiveState::Preparing;
    let request = GoLive {
        id: GoLiveId::from_random(work.office.entropy.next_u64()),
        partner,
        name,
        products: products.iter().collect(),
        run: None,
        state,
        began: work.at,
        stages: vec![Stage { state, at: work.at, by: work.actor.in_trail(), reason: String::new() }],
        app: None,
    };
    work.put(&request)?;
    work.note("go-live.request", Some(partner), request.id, "");
    Ok(request)
}

/// What is changed about a request that the partner works on; `None` = stays as it is.
#[derive(Debug, Clone, Default)]
pub struct GoLivePatch {
    /// What the app will be able to call.
    pub products: Option<ProductSet>,
    /// The scripted run that it is made ready with.
    pub run: Option<ScriptedRunId>,
}

/// Changes a request, as long as it lies with the partner.
pub fn change_request(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: GoLiveId,
    patch: &GoLivePatch,
) -> Result<GoLive, Problem> {
    let mut request = the_request(work, partner, id)?;
    if !matches!(request.state, GoLiveState::Preparing | GoLiveState::Returned) {
        return Err(Problem::not_now("the request does not lie with the partner any more, so it stays as it is"));
    }
    if let Some(products) = patch.products {
        has_a_product(products)?;
        request.products = products.iter().collect();
    }
    if let Some(run) = patch.run {
        let is_own = work.look::<ScriptedRun>(run)?.is_some_and(|run| run.partner == partner);
        if !is_own {
            return Err(Problem::invalid("run", "the partner has no such scripted run"));
        }
        request.run = Some(run);
    }
    work.put(&request)?;
    work.note("go-live.change", Some(partner), id, "");
    Ok(request)
}

/// Hands a request in, its checklist done.
pub fn submit(work: &mut Work<'_>, partner: PartnerId, id: GoLiveId) -> Result<GoLive, Problem> {
    step(work, partner, id, GoLiveEvent::Submit, "")
}

/// Approves a request for the operator; its checklist is looked at anew.
pub fn approve(work: &mut Work<'_>, partner: PartnerId, id: GoLiveId, reason: &str) -> Result<GoLive, Problem> {
    step(work, partner, id, GoLiveEvent::Approve, reason)
}

/// Gives a request back, with a reason.
pub fn return_request(work: &mut Work<'_>, partner: PartnerId, id: GoLiveId, reason: &str) -> Result<GoLive, Problem> {
    if reason.trim().is_empty() {
        return Err(Problem::invalid("reason", "say what is to be changed"));
    }
    step(work, partner, id, GoLiveEvent::Return, reason)
}

/// Gives a request up.
pub fn withdraw(work: &mut Work<'_>, partner: PartnerId, id: GoLiveId, reason: &str) -> Result<GoLive, Problem> {
    step(work, partner, id, GoLiveEvent::Withdraw, reason)
}

/// Issues the credentials of an approved request: the app, and its secret to be shown once.
pub fn collect(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: GoLiveId,
) -> Result<(GoLive, App, ConsumerSecret), Problem> {
    let mut request = step(work, partner, id, GoLiveEvent::Collect, "")?;
    let (app, secret) = issue(work, partner, &request.name, Environment::Production, request.product_set())?;
    request.app = Some(app.id);
    work.put(&request)?;
    Ok((request, app, secret))
}

/// Takes a request one step further, where the rules allow it.
fn step(
    work: &mut Work<'_>,
    partner: PartnerId,
    id: GoLiveId,
    event: GoLiveEvent,
    reason: &str,
) -> Result<GoLive, Problem> {
    let reason = reason.trim();
    one_line("reason", reason, REASON_CHARS_MAX)?;
    let mut request = the_request(work, partner, id)?;
    let found = checklist(work, &request)?;
    let open: Vec<GoLiveItem> = found.iter().filter(|item| !item.is_done).map(|item| item.item).collect();
    let next = next_go_live_state(request.state, event, &open);
    request.state = next.map_err(|refusal| Problem::not_now(refusal.to_string()))?;
    let (at, by) = (work.at, work.actor.in_trail());
    request.stages.push(Stage { state: request.state, at, by, reason: reason.to_owned() });
    work.put(&request)?;
    work.note(&format!("go-live.{}", event.word()), Some(partner), id, reason);
    Ok(request)
}
