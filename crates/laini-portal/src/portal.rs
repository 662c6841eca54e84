use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE, REFERER};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use axum::{Extension, RequestExt as _, Router};
use jiff::Timestamp;
use laini_core::partner::{AppId, DocumentFormat};
use laini_office::people::{self, Person};
use laini_office::{Actor, Office, Problem};
use laini_server::http::{ApiError, Context, Inside, Throttle};
use laini_server::{Limits, LiveSettings, Running};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::closing::Closing;
use crate::code::CodeLanguage;
use crate::coming::Coming;
use crate::language::Language;
use crate::page::{Access, Page, Takes};
use crate::status_board::StatusBoard;
use crate::upload::FormWithFile;
use crate::visit::{Caller, Does, Theme, Visit, is_part};
use crate::{assets, cookie, csrf, pages, upload};

/// Pieces of work that may go on at once; each blocks a thread.
const WORKS_MAX: usize = 16;
/// Of these, forms of people who have not signed in: hashing their passwords must not keep the others waiting.
const STRANGERS_MAX: usize = 6;
/// The largest form without a file.
const FORM_BYTES: usize = 256 * 1024;
/// Forms of one client address that needs no session, at once,
const FORMS_BURST: u32 = 60;
/// and how long until there is one more.
const FORM_EVERY: Duration = Duration::from_secs(1);
/// Addresses whose forms are counted; beyond, some are forgotten.
const ADDRESSES_MAX: usize = 65_536;
/// Who looks is sought for so long.
const CALLER_PATIENCE: Duration = Duration::from_secs(3);
/// Where staff are sent who must set up a second factor first.
const SECOND_FACTOR: &str = "/account/second-factor";

/// What the installation offers people beside the pages that are always there.
#[derive(Debug, Clone, Default)]
pub struct PortalSettings {
    /// The sandbox app in whose name numbers are tried without an account; `None` = they are not.
    pub visitors: Option<AppId>,
    /// Whether people sign in at an identity provider, too.
    pub has_single_sign_on: bool,
    /// What stands in place of laini's own words.
    pub papers: Papers,
}

/// What an operator wrote in place of laini's own words, in Markdown; `None` = nothing.
#[derive(Debug, Clone, Default)]
pub struct Papers {
    /// The terms of use of the pages.
    pub terms: Option<String>,
    /// Their privacy notice.
    pub privacy: Option<String>,
}

/// The portal of one installation.
pub struct Portal {
    pub(crate) office: Arc<Office>,
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) inside: Inside,
    pub(crate) running: Running,
    pub(crate) visitors: Option<AppId>,
    pub(crate) board: StatusBoard,
    pub(crate) has_single_sign_on: bool,
    pub(crate) papers: Papers,
    works: Semaphore,
    strangers: Semaphore,
    pub(crate) closing: Closing,
    knocks: Throttle<std::net::IpAddr>,
}

impl Portal {
    /// Its routes, on the API of the server that they are added to.
    pub fn routes(
        office: Arc<Office>,
        live: Arc<LiveSettings>,
        settings: PortalSettings,
        (inside, running): (Inside, Running),
    ) -> Router {
        let knocks = Throttle::new(FORMS_BURST, FORM_EVERY, ADDRESSES_MAX);
        let (works, strangers) = (Semaphore::new(WORKS_MAX), Semaphore::new(STRANGERS_MAX));
        let closing = Closing::default();
        let board = StatusBoard::default();
        let PortalSettings { visitors, has_single_sign_on, papers } = settings;
        let portal = Arc::new(Self {
            office,
            settings: live,
            inside,
            running,
            visitors,
            board,
            has_single_sign_on,
            papers,
            works,
            strangers,
            closing,
            knocks,
        });
        let routes = pages::all().into_iter().fold(Router::new(), |router, page| portal.with_route(router, page));
        routes.merge(assets::routes()).fallback(move |Extension(context): Extension<Context>, request: Request| {
            let portal = Arc::clone(&portal);
            async move { portal.not_found(context, request).await }
        })
    }

    /// What is on no path: a page for whoever reads with a browser, and the API's own refusal for everybody else.
    async fn not_found(self: Arc<Self>, context: Context, request: Request) -> Response {
        let accepted = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_looked_at = [Method::GET, Method::HEAD].contains(request.method()) && accepted.contains("text/html");
        if !is_looked_at {
            return context.refuse(ApiError::UnknownPath);
        }
        self.answer(context, &Page::get("", Access::Anyone, nothing), request).await
    }

    fn with_route(self: &Arc<Self>, router: Router, page: Page) -> Router {
        let (portal, path, page) = (Arc::clone(self), page.path, Arc::new(page));
        // Each method that is listed is one that axum knows.
        let filter = MethodFilter::try_from(page.method.clone()).unwrap_or(MethodFilter::GET);
        let answer = move |Extension(context): Extension<Context>, request: Request| {
            let (portal, page) = (Arc::clone(&portal), Arc::clone(&page));
            async move { portal.answer(context, &page, request).await }
        };
        router.route(path, on(filter, answer))
    }

    /// Does a piece of work of the office for whoever looks, on a thread that may block.
    pub(crate) async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        visit: &Arc<Visit>,
        work: impl Does<T>,
    ) -> Result<T, Problem> {
        let visit = Arc::clone(visit);
        self.blocking(move |office| office.run(&visit.actor(), visit.context.at, |unit| work(unit, &visit))).await?
    }

    /// Does what may block its thread.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Office) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let came_to = Arc::new(Mutex::new(None));
        let told = Arc::clone(&came_to);
        let work = move |office: &Office| {
            let done = work(office);
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        };
        self.on_a_thread(Box::new(work)).await?;
        let done = came_to.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.ok_or_else(|| Problem::Store("a piece of work told nothing".to_owned()))
    }

    /// [`Portal::blocking`], compiled once and not for each page.
    async fn on_a_thread(&self, work: Box<dyn FnOnce(&Office) + Send>) -> Result<(), Problem> {
        let gone = |_| Problem::Store("no more work is taken".to_owned());
        let _place = self.works.acquire().await.map_err(gone)?;
        let office = Arc::clone(&self.office);
        let done = tokio::task::spawn_blocking(move || work(&office)).await;
        done.map_err(|error| Problem::Store(format!("a piece of work failed: {error}")))
    }

    /// An instant as people read it, to the minute, in the operator's zone.
    pub(crate) fn shown(&self, at: Timestamp) -> String {
        self.office.settings.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The same, to the second.
    pub(crate) fn shown_to_second(&self, at: Timestamp) -> String {
        self.office.settings.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    async fn answer(self: Arc<Self>, context: Context, page: &Page, mut request: Request) -> Response {
        let params = request.extract_parts::<RawPathParams>().await.ok();
        let params = params.iter().flatten().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (parts, body) = request.into_parts();
        let browser = cookie::sent(&parts.headers, cookie::BROWSER);
        let minted = browser.is_none().then(|| self.mint_browser());
        let mut visit = Visit {
            context,
            path: parts.uri.path().to_owned(),
            params,
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            form: Vec::new(),
            file: None,
            coming: Mutex::default(),
            caller: None,
            session: cookie::sent(&parts.headers, cookie::SESSION),
            sign_on: cookie::sent(&parts.headers, cookie::SIGN_ON),
            factor_code: cookie::sent(&parts.headers, cookie::FACTOR_CODE),
            next_after_sign_on: cookie::sent(&parts.headers, cookie::NEXT)
                .map(|next| decoded(&next))
                .unwrap_or_default(),
            language: chosen_language(&parts.headers),
            theme: cookie::sent(&parts.headers, cookie::THEME).and_then(|word| Theme::parse(&word)),
            code: cookie::sent(&parts.headers, cookie::CODE).and_then(|word| CodeLanguage::parse(&word)),
            csrf: String::new(),
            is_part: is_part(&parts.headers),
            problem: None,
        };
        let answered = self.admit(page, &mut visit, &parts.headers, browser.or_else(|| minted.clone()), body).await;
        let mut answer = match answered {
            Ok(None) => {
                let is_stranger = page.method == Method::POST && visit.caller.is_none();
                let _turn = if is_stranger { self.strangers.acquire().await.ok() } else { None };
                page.answer(&self, visit).await
            }
            Ok(Some(answer)) => answer,
            Err(problem) if visit.is_part => visit.alert(&problem),
            Err(problem) => visit.sorry(&self, &problem),
        };
        if let Some(browser) = minted {
            answer = answer.with_cookie(cookie::secret(cookie::BROWSER, &browser));
        }
        answer.into_response()
    }

    /// Finds out who looks, whether they may, and what they sent; another answer than the page's where they may not.
    async fn admit(
        self: &Arc<Self>,
        page: &Page,
        visit: &mut Visit,
        headers: &HeaderMap,
        browser: Option<Zeroizing<String>>,
        body: Body,
    ) -> Result<Option<Answer>, Problem> {
        let mut must_set_up_factor = false;
        if let Some(token) = visit.session.clone() {
            let at = visit.context.at;
            let finding = self.blocking(move |office| find_caller(office, &token, at));
            let found = timeout(CALLER_PATIENCE, finding).await.map_err(|_| Problem::Store("sessions are slow".into()));
            match found.and_then(|found| found?) {
                Ok(Some((caller, must))) => (visit.caller, must_set_up_factor) = (Some(caller), must),
                Ok(None) => visit.session = None,
                // What everybody may see is seen while nobody can be found.
                Err(_) if page.method == Method::GET && matches!(page.access, Access::Anyone) => {}
                Err(problem) => return Err(problem),
            }
        }
        let own = visit.session.as_ref().or(browser.as_ref()).map(|cookie| cookie.as_str());
        visit.csrf = csrf::token(&self.office.keys.office_seal(), own.unwrap_or_default());
        if visit.caller.is_none() && matches!(page.access, Access::SignedIn(_)) {
            let next = next_after_sign_in(page, visit, headers);
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            return Ok(Some(visit.elsewhere(format!("/sign-in?next={next}"))));
        }
        if page.method == Method::POST {
            if visit.caller.is_none() {
                let later = |wait: Duration| Problem::TooOften { retry_after_s: wait.as_secs() + 1 };
                self.knocks.take(visit.context.peer).map_err(later)?;
            }
            match (taken(page, visit), boundary(headers)) {
                (Takes::Stream, Some(boundary)) => {
                    let silence = Duration::from_millis(self.settings.current().limits.upload_silence_ms);
                    let (form, file) = Coming::begin(boundary, body, silence).await?;
                    (visit.form, visit.coming) = (form, Mutex::new(file));
                }
                (takes, _) => (visit.form, visit.file) = self.form(headers, body, &visit.context, takes).await?,
            }
            let shown = visit.form.iter().find(|(name, _)| name == csrf::FIELD).map(|(_, value)| value.as_str());
            if !csrf::is_ours(headers, shown, &visit.csrf) {
                return Err(Problem::Forbidden(visit.language.words().stale_form.into()));
            }
        }
        let (Access::SignedIn(may), Some(caller)) = (page.access, &visit.caller) else { return Ok(None) };
        visit.partner().map(|_| ()).or_else(|problem| match visit.param("partner") {
            // Whose it is comes first: that there is another partner is nobody's business.
            Some(_) => Err(problem),
            None => Ok(()),
        })?;
        if !caller.actor.is_allowed(&may) {
            return Err(Problem::Forbidden(visit.language.words().not_your_role.into()));
        }
        let is_elsewhere = !visit.path.starts_with("/account");
        Ok((must_set_up_factor && is_elsewhere).then(|| visit.elsewhere(SECOND_FACTOR.to_owned())))
    }

    async fn form(
        &self,
        headers: &HeaderMap,
        body: Body,
        context: &Context,
        takes: Takes,
    ) -> Result<FormWithFile, Problem> {
        let body_bytes = FORM_BYTES + if takes == Takes::File { DocumentFormat::BYTES_MAX } else { 0 };
        let limits = Limits { body_bytes, ..self.settings.current().limits.clone() };
        let refused = |error: ApiError| match error {
            ApiError::BodyTooLarge => Problem::TooLarge { limit_bytes: body_bytes as u64 },
            _ => Problem::invalid("form", "it did not come whole; send it again"),
        };
        let form = if let Some(boundary) = boundary(headers) {
            let bytes = laini_server::http::read_bytes(body, context, &limits).await.map_err(refused)?;
            upload::parse(boundary, &bytes)
        } else {
            let form = laini_server::http::read_form(headers, body, context, &limits).await.map_err(refused)?;
            form.map(|fields| (fields, None))
        };
        form.ok_or_else(|| Problem::invalid("form", "expected the fields of a form"))
    }

    fn mint_browser(&self) -> Zeroizing<String> {
        let word = || self.office.entropy.next_u64();
        Zeroizing::new(format!("{:016x}{:016x}", word(), word()))
    }
}

/// Where somebody goes on once signed in: the page that was asked for, or that a form was sent from or a part is of.
fn next_after_sign_in(page: &Page, visit: &Visit, headers: &HeaderMap) -> String {
    if page.method == Method::POST || visit.is_part {
        let from = headers.get(REFERER).and_then(|from| from.to_str().ok()).and_then(|from| from.split_once("://"));
        return from.and_then(|(_, from)| from.find('/').map(|path| from[path..].to_owned())).unwrap_or("/".to_owned());
    }
    visit.address()
}

/// What is shown where there is no page.
async fn nothing(_: Arc<Portal>, _: Arc<Visit>) -> Result<Answer, Problem> {
    Err(Problem::NotFound("page"))
}

/// What separates the parts of the form that is sent, where a file may come with it.
fn boundary(headers: &HeaderMap) -> Option<&str> {
    upload::boundary(headers.get(CONTENT_TYPE)?.to_str().ok()?)
}

/// Which file is taken with a page's form: of those alone who may send it there.
fn taken(page: &Page, visit: &Visit) -> Takes {
    let Access::SignedIn(may) = page.access else { return Takes::Nothing };
    let is_of_partner = visit.param("partner").is_some() || visit.actor().partner().is_some();
    let is_let_in = visit.actor().is_allowed(&may) && (visit.partner().is_ok() || !is_of_partner);
    if is_let_in { page.takes } else { Takes::Nothing }
}

/// Who holds a session's token, and whether they must set up a second factor first; `None` = it has ended.
fn find_caller(office: &Office, token: &str, at: Timestamp) -> Result<Option<(Caller, bool)>, Problem> {
    let actor = match people::authenticate(office, token, at) {
        Ok(actor) => actor,
        Err(people::SessionProblem::Unknown | people::SessionProblem::Expired) => return Ok(None),
        Err(people::SessionProblem::Store(error)) => return Err(Problem::Store(error)),
    };
    let must = people::must_set_up_factor(office, &actor, people::session_of(token), at)?;
    let Some(id) = actor.person() else { return Ok(None) };
    let caller = office.run(&Actor::System, at, |work| {
        let person: Person = work.get(id)?;
        let partner = match person.seat.partner() {
            None => None,
            Some(partner) => {
                let found = work.book()?.partners.into_iter().find(|found| found.id == partner);
                found.map(|found| (partner, found.name))
            }
        };
        let (name, role) = (person.name.clone(), person.seat.role_word());
        Ok(Caller { actor: actor.clone(), name, role, partner })
    })?;
    Ok(Some((caller, must)))
}

fn chosen_language(headers: &HeaderMap) -> Language {
    let chosen = cookie::sent(headers, cookie::LANGUAGE).and_then(|tag| Language::parse(&tag));
    chosen.unwrap_or_else(|| Language::wanted(headers))
}

/// A text that a query would hold so.
fn decoded(encoded: &str) -> String {
    form_urlencoded::parse(encoded.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}
