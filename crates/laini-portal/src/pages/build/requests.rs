//! The log of requests: every call of a partner's apps, and why one failed.

use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::billing::{CheckId, Outcome};
use laini_core::partner::{App, AppId, Environment, May, PartnerId, Product};
use laini_core::store::RefusalCause;
use laini_office::requests::{self, About, Answered, Request, RequestFilter, RequestsPage};
use laini_office::{Problem, Work};

use super::LOOKS;
use super::request::show_one;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::pages::partner::{Head, named, path_of};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::RequestsWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/requests", LOOKS, show_list).in_rail(Workspace::Build, |words| words.requests),
        Page::post("/requests", LOOKS, find, show_list),
        Page::get("/requests/{call}", LOOKS, show_one),
        Page::get("/requests.csv", LOOKS, download),
        Page::get("/partners/{partner}/requests", STAFF, show_list),
        Page::post("/partners/{partner}/requests", STAFF, find, show_list),
        Page::get("/partners/{partner}/requests/{call}", STAFF, show_one),
        Page::get("/partners/{partner}/requests.csv", STAFF, download),
    ]
}

/// Staff look at the log of each partner, under the partner's path.
const STAFF: Access = Access::SignedIn(May::STAFF);

/// Calls of a page.
const CALLS_PER_PAGE: usize = 50;
/// Calls that a file has at most,
const CALLS_PER_FILE: usize = 5_000;
/// and that are read for it at once.
const CALLS_PER_READ: usize = 500;
/// Failed calls that are counted by cause, the newest: the words of the page say how many.
const CAUSES_OF_NEWEST: usize = 2_000;
/// Causes that are listed.
const CAUSES_SHOWN: usize = 8;
/// So many pages follow one another by themselves on which nothing is found: two million rows of the ledger or more.
const LOOKS_MAX: u32 = 50;
/// How the next page takes the place of one on which nothing was found.
const GOES_ON: &str = r##"hx-target="#calls" hx-select="#calls" hx-swap="outerHTML""##;
/// The tabs: the words of the query, as [`Answered::parse`] reads them.
const TABS: [&str; 3] = ["", "answered", "failed"];

#[derive(Template)]
#[template(path = "build/requests.html")]
struct ListPage {
    frame: Frame,
    words: &'static RequestsWords,
    head: Head,
    /// Where the log is, for whoever looks.
    here: String,
    tabs: Vec<Tab>,
    apps: Vec<(String, String, bool)>,
    csv: String,
    answered: String,
    code: String,
    status: String,
    /// What came of a recorded check: each with its word and whether it is chosen.
    outcomes: Vec<(&'static str, &'static str, bool)>,
    from: String,
    until: String,
    causes: Vec<CauseRow>,
    sorting: Sorting<Named>,
    calls: Vec<CallRow>,
    /// What the next page begins after, and the query that leads there.
    next: Option<Next>,
    /// How many pages before this one had nothing, one after the other.
    looks: u32,
    /// The number that was searched for, masked and, for the next page, as it was typed.
    about: Option<(String, String)>,
}

impl ListPage {
    /// Whether nothing was found so far,
    fn is_in_vain(&self) -> bool {
        self.calls.is_empty() && self.next.is_some()
    }

    /// and the page looks on by itself.
    fn is_looking(&self) -> bool {
        self.is_in_vain() && self.looks < LOOKS_MAX
    }
}

/// A call with the name of its app.
pub(super) type Named = (Request, String);

static CALLS: Table<Named> = Table {
    name: "sort",
    columns: &[
        ("when", |one, other| one.0.id.cmp(&other.0.id)),
        ("status", |one, other| one.0.status().cmp(&other.0.status())),
        ("asked", |one, other| one.0.product.cmp(&other.0.product)),
        ("number", |one, other| one.0.number.cmp(&other.0.number)),
        ("app", |one, other| by_text(&one.1, &other.1)),
        ("billed", |one, other| charge_minor(&one.0).cmp(&charge_minor(&other.0))),
    ],
    comes: "-when",
};

/// Calls about one number are found by a form: no link sorts them.
static CALLS_ABOUT_NUMBER: Table<Named> = Table { name: "sort", columns: &[], comes: "" };

fn charge_minor(request: &Request) -> i64 {
    request.recorded.map_or(0, |recorded| recorded.charge.minor)
}

struct Tab {
    label: &'static str,
    href: String,
    is_here: bool,
}

/// The page after this one.
struct Next {
    after: String,
    href: String,
    /// How far the calls were looked through.
    until: String,
}

struct CauseRow {
    calls: u64,
    status: u16,
    code: String,
    reason: String,
    stage: &'static str,
    newest: String,
    is_documented: bool,
}

/// A call, as a line of a table.
pub(super) struct CallRow {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) app: String,
    pub(super) environment: &'static str,
    pub(super) is_live: bool,
    pub(super) number: String,
    pub(super) asked: String,
    pub(super) status: String,
    pub(super) tone: &'static str,
    /// The code of its error, or what came of it.
    pub(super) what: String,
    pub(super) charge: String,
}

impl CallRow {
    pub(super) fn of((request, app): Named, portal: &Portal, words: &RequestsWords) -> Self {
        let what = match (&request.failure, request.recorded) {
            (Some(failure), _) => failure.code.clone(),
            (None, Some(recorded)) => words.outcomes[recorded.outcome as usize].to_owned(),
            (None, None) => String::new(),
        };
        let path = request.failure.as_ref().map(|failure| failure.path.clone());
        Self {
            id: request.id.request_ref(),
            at: portal.shown_to_second(request.at),
            app,
            environment: request.environment.word(),
            is_live: request.environment == Environment::Production,
            number: request.number.clone().unwrap_or_else(|| "–".to_owned()),
            asked: request.product.map(|product| product.word().to_owned()).or(path).unwrap_or_default(),
            status: request.status().map_or("–".to_owned(), |status| status.to_string()),
            tone: tone(&request),
            what,
            charge: request.recorded.map_or("0".to_owned(), |recorded| recorded.charge.to_string()),
        }
    }
}

/// The call with the name of its app, where the app is still known.
pub(super) fn with_app(request: Request, apps: &[App]) -> Named {
    let app = apps.iter().find(|app| app.id == request.app).map(|app| app.name.clone());
    let name = app.unwrap_or_else(|| request.app.to_string());
    (request, name)
}

/// The beginning of an id: where there is no room for all of it.
pub(super) fn short(id: &str) -> String {
    format!("{}…", id.get(..14).unwrap_or(id))
}

/// Ours is red, theirs amber, an answer green; what is not known has no colour.
fn tone(request: &Request) -> &'static str {
    match request.status() {
        Some(500..) => "stop",
        Some(400..) => "care",
        Some(_) => "go",
        None => "",
    }
}

/// What the list is asked for.
struct Asked {
    filter: RequestFilter,
    after: Option<CheckId>,
}

impl Asked {
    fn of(visit: &Visit, portal: &Portal) -> Result<Self, Problem> {
        let query = |name: &str| Some(visit.query(name).to_owned()).filter(|value| !value.is_empty());
        let midnight = |name: &'static str| {
            let expected = || Problem::invalid(name, "expected a day such as 2026-11-22");
            let day = query(name).map(|text| text.parse::<Date>().map_err(|_| expected())).transpose()?;
            let zone = &portal.office.settings.zone;
            let begins =
                |day: Date| zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().map_err(|_| expected());
            day.map(begins).transpose()
        };
        let app = query("app").map(|id| AppId::parse(&id)).transpose().map_err(|_| Problem::NotFound("app"))?;
        let after = query("after").map(|id| CheckId::parse_request_ref(&id)).transpose();
        let status = query("status").map(|text| text.trim().parse()).transpose();
        let filter = RequestFilter {
            app,
            answered: Answered::parse(visit.query("answered")).unwrap_or_default(),
            status: status.map_err(|_| Problem::invalid("status", "expected an HTTP status such as 429"))?,
            code: query("code"),
            outcome: Outcome::parse(visit.query("outcome")),
            from: midnight("from")?,
            until: midnight("until")?,
            oldest_first: Sorting::first(&CALLS, visit, "").is_turned(),
            ..RequestFilter::default()
        };
        Ok(Self { filter, after: after.map_err(|_| Problem::NotFound("page"))? })
    }
}

/// What a page of the list is made of.
struct Found {
    page: RequestsPage,
    causes: Vec<RefusalCause>,
    apps: Vec<App>,
    of: (PartnerId, String),
}

fn look(work: &mut Work<'_>, visit: &Visit, filter: &RequestFilter, after: Option<CheckId>) -> Result<Found, Problem> {
    let of = named(work, visit)?;
    let partner = of.0;
    let page = requests::list(work, partner, filter, after, CALLS_PER_PAGE)?;
    let causes = if filter.about.is_none() && !visit.is_part {
        let of_app = RequestFilter { app: filter.app, ..RequestFilter::default() };
        requests::causes(work, partner, &of_app, Some(CAUSES_OF_NEWEST))?
    } else {
        Vec::new()
    };
    let apps = work.book()?.apps.into_iter().filter(|app| app.partner == partner).collect();
    Ok(Found { page, causes, apps, of })
}

async fn show_list(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let Asked { filter, after } = Asked::of(&visit, &portal)?;
    let found = portal.work(&visit, move |work, visit| look(work, visit, &filter, after)).await?;
    listed(&portal, &visit, found, None)
}

/// Finds one call by its id, or calls by their number: by a form, for a number has no place in a URL.
async fn find(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let wanted = visit.field("find").to_owned();
    if let Ok(id) = CheckId::parse_request_ref(&wanted) {
        let words = &visit.language.words().requests;
        let there = portal.work(&visit, move |work, visit| requests::open(work, visit.partner()?, id)).await;
        return match there {
            Ok(_) => Ok(Answer::see_other(format!("{}/{wanted}", home(&visit)?))),
            Err(Problem::NotFound(_)) => Err(Problem::invalid("id", words.not_found)),
            Err(problem) => Err(problem),
        };
    }
    let expected = "expected a request id such as 971f-4359-b611-6845a1be45ef280786, or a number, whole or masked";
    let about = About::parse(&wanted, &portal.office.settings.plan).ok_or(Problem::invalid("find", expected))?;
    let after = Some(visit.field("after")).filter(|after| !after.is_empty()).map(CheckId::parse_request_ref);
    let after = after.transpose().map_err(|_| Problem::NotFound("page"))?;
    let masked = about.masked();
    let filter = RequestFilter { about: Some(about), ..RequestFilter::default() };
    let found = portal.work(&visit, move |work, visit| look(work, visit, &filter, after)).await?;
    listed(&portal, &visit, found, Some((masked, wanted)))
}

fn listed(portal: &Portal, visit: &Visit, found: Found, about: Option<(String, String)>) -> Result<Answer, Problem> {
    let words = &visit.language.words().requests;
    let Found { page: calls, causes, apps, of } = found;
    let here = home(visit)?;
    let table = if about.is_none() { &CALLS } else { &CALLS_ABOUT_NUMBER };
    let mut sorting = Sorting::asked(table, visit, &here);
    let mut named: Vec<Named> = calls.requests.into_iter().map(|request| with_app(request, &apps)).collect();
    sorting.sort(&mut named, calls.next.is_some());
    let chosen = visit.query("app");
    let of_app = apps.iter().find(|app| app.id.to_string() == chosen).map(|app| app.environment);
    let labels = [words.all, words.answered, words.failed];
    let answered = visit.query("answered");
    let tab = |(word, label): (&str, &'static str)| Tab {
        label,
        href: href(visit, &here, &[("answered", word), ("status", ""), ("code", ""), ("outcome", ""), ("after", "")]),
        is_here: about.is_none() && word == answered,
    };
    let recorded = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Reversal);
    let outcomes = recorded.map(|of| (of.word(), words.outcomes[of as usize], of.word() == visit.query("outcome")));
    let looks = if about.is_none() { visit.query("looks") } else { visit.field("looks") };
    let looks = looks.parse().unwrap_or(0);
    let next = calls.next.map(|next| {
        let after = next.request_ref();
        Next { href: href(visit, &here, &[("after", &after)]), after, until: portal.shown_to_second(next.minted()) }
    });
    page(&ListPage {
        frame: visit.frame(portal, words.title).about(of_app),
        words,
        head: Head::new(visit, of, "requests"),
        tabs: TABS.into_iter().zip(labels).map(tab).collect(),
        apps: apps.iter().map(|app| (app.id.to_string(), app.name.clone(), app.id.to_string() == chosen)).collect(),
        csv: href(visit, &format!("{here}.csv"), &[("after", "")]),
        answered: answered.to_owned(),
        code: visit.query("code").to_owned(),
        status: visit.query("status").to_owned(),
        outcomes: outcomes.collect(),
        from: visit.query("from").to_owned(),
        until: visit.query("until").to_owned(),
        causes: causes.into_iter().take(CAUSES_SHOWN).map(|cause| cause_row(cause, portal, words)).collect(),
        sorting,
        calls: named.into_iter().map(|call| CallRow::of(call, portal, words)).collect(),
        next,
        looks,
        about,
        here,
    })
}

fn cause_row(cause: RefusalCause, portal: &Portal, words: &RequestsWords) -> CauseRow {
    CauseRow {
        calls: cause.calls,
        status: cause.status,
        is_documented: is_documented(&cause.code),
        code: cause.code,
        reason: cause.reason,
        stage: words.steps[cause.stage as usize].0,
        newest: portal.shown(cause.newest),
    }
}

/// Whether the code has a page: those of the standard token door are words of RFC 6749.
pub(in crate::pages) fn is_documented(code: &str) -> bool {
    code.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Where the log is: a member's own, or a partner's for staff.
pub(super) fn home(visit: &Visit) -> Result<String, Problem> {
    match visit.param("partner") {
        Some(_) => Ok(path_of(visit.partner()?, "requests")),
        None => Ok("/requests".to_owned()),
    }
}

/// The list, with the filters that it has now but for those that are given.
fn href(visit: &Visit, path: &str, changed: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["answered", "app", "status", "code", "outcome", "from", "until", "sort", "after"] {
        let value = changed.iter().find(|(named, _)| *named == name).map_or(visit.query(name), |(_, value)| *value);
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    format!("{path}?{}", query.finish())
}

/// The calls of the list as a file: the first that fit in it.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let Asked { filter, after } = Asked::of(&visit, &portal)?;
    let calls = portal.work(&visit, move |work, visit| {
        let (partner, mut calls, mut after) = (visit.partner()?, Vec::new(), after);
        loop {
            let page = requests::list(work, partner, &filter, after, CALLS_PER_READ)?;
            calls.extend(page.requests);
            after = page.next;
            if after.is_none() || calls.len() >= CALLS_PER_FILE {
                return Ok(calls);
            }
        }
    });
    let mut csv =
        "request_ref_id,at,app,environment,product,number,status,code,stage,outcome,charge_minor\r\n".to_owned();
    for call in calls.await?.into_iter().take(CALLS_PER_FILE) {
        let failure = call.failure.as_ref();
        let row = [
            call.id.request_ref(),
            call.at.to_string(),
            call.app.to_string(),
            call.environment.word().to_owned(),
            call.product.map(Product::word).unwrap_or_default().to_owned(),
            call.number.clone().unwrap_or_default(),
            call.status().map(|status| status.to_string()).unwrap_or_default(),
            failure.map(|failure| failure.code.clone()).unwrap_or_default(),
            failure.map(|failure| failure.stage.word()).unwrap_or_default().to_owned(),
            call.recorded.map(|recorded| recorded.outcome.word()).unwrap_or_default().to_owned(),
            charge_minor(&call).to_string(),
        ];
        csv.push_str(&row.join(","));
        csv.push_str("\r\n");
    }
    Ok(Answer::file("text/csv; charset=utf-8", "requests.csv".to_owned(), csv))
}
