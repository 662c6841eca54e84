//! Privacy requests: taken down, who asks made sure of, approved by another, and how each is carried out.

use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{May, PartnerId, PrivacyRequestId, StaffRole};
use laini_core::privacy::{PrivacyAction, RequestState};
use laini_office::jobs::JobState;
use laini_office::privacy::{self, NewRequest, PrivacyRequest};
use laini_office::{Page as Found, PageRequest, Problem, Work};
use laini_wire::office::privacy::LookUpsRequest;

use crate::answer::Answer;
use crate::csv::{file, gathered, push_line};
use crate::figures::count;
use crate::frame::Frame;
use crate::page::{Access, Page, Workspace};
use crate::portal::Portal;
use crate::sorting::{By, Sorting, Table};
use crate::visit::{Visit, page};
use crate::words::PrivacyWords;

/// Who takes requests down and checks who asks,
pub(super) const CLERKS: Access = of_staff(&[StaffRole::Support, StaffRole::Admin]);
/// who has the report written who asked about whom,
const REPORTS: Access = of_staff(&[StaffRole::Admin, StaffRole::Auditor]);
/// and who looks.
pub(super) const READS: Access = of_staff(&[StaffRole::Support, StaffRole::Admin, StaffRole::Auditor]);

pub(super) const HERE: &str = "/operate/privacy";
/// The columns of the file.
const HEAD: [&str; 6] = ["request", "number", "action", "state", "received", "due"];
/// How far a report is is asked for again while it is made,
const GOING: &str = "every 1s";
/// and once its form was sent, which the answer leaves where it is.
const BEGUN: &str = "begun delay:700ms";

pub(super) const fn of_staff(staff: &'static [StaffRole]) -> Access {
    Access::SignedIn(May { members: &[], staff })
}

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, READS, show).in_rail(Workspace::Operate, |words| words.privacy),
        Page::get("/operate/privacy.csv", READS, download),
        Page::post(HERE, CLERKS, receive, show),
        Page::post("/operate/privacy/look-ups", REPORTS, report, show),
    ]
}

#[derive(Template)]
#[template(path = "operate/privacy.html")]
struct PrivacyPage<'a> {
    frame: Frame,
    words: &'static PrivacyWords,
    is_all: bool,
    sorting: Sorting<Listed>,
    rows: Vec<Listed>,
    next: Option<String>,
    actions: Vec<(&'static str, &'static str)>,
    can_receive: bool,
    can_report: bool,
    /// The report that whoever looks had made last.
    report: Option<Reported>,
    /// When how far it is is asked for.
    ask_when: &'static str,
    reason: &'a str,
}

/// How far a report is.
struct Reported {
    state: &'static str,
    is_under_way: bool,
    rows: String,
    until: Option<String>,
}

/// A request, as lists and its own page begin.
pub(super) struct Row {
    pub(super) id: PrivacyRequestId,
    pub(super) number: String,
    pub(super) action: &'static str,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) received: String,
    pub(super) due: String,
}

/// A request among those of a list, with what is shown of it.
type Listed = (Row, PrivacyRequest);

const ROWS: &[By<Listed>] = &[
    ("number", |one, other| one.0.number.cmp(&other.0.number)),
    ("action", |one, other| one.0.action.cmp(other.0.action)),
    ("state", |one, other| one.0.state.cmp(other.0.state)),
    ("received", |one, other| one.1.received.cmp(&other.1.received)),
    ("due", |one, other| one.1.deadline().cmp(&other.1.deadline())),
];

/// Requests as they come: those that are open, and all of them.
static OPEN: Table<Listed> = Table { name: "sort", columns: ROWS, comes: "received" };
static ALL: Table<Listed> = Table { name: "sort", columns: ROWS, comes: "-received" };

pub(super) fn row(portal: &Portal, words: &PrivacyWords, visit: &Visit, request: &PrivacyRequest) -> Row {
    let is_held = request.standing().is_held(visit.context.at);
    Row {
        id: request.id,
        number: request.masked.clone(),
        action: words.action(request.action),
        state: if is_held { words.states[5] } else { words.state(request.state) },
        tone: match request.state {
            _ if is_held => "stop",
            RequestState::Received | RequestState::IdentityChecked | RequestState::Approved => "care",
            RequestState::Done => "go",
            RequestState::Refused => "",
        },
        received: portal.shown(request.received),
        due: portal.shown(request.deadline()),
    }
}

/// Whether all requests are asked for, and how their table is sorted.
fn asked(visit: &Visit) -> (bool, &'static Table<Listed>) {
    let is_all = visit.query("show") == "all";
    (is_all, if is_all { &ALL } else { &OPEN })
}

fn find(work: &mut Work<'_>, is_all: bool, request: PageRequest) -> Result<Found<PrivacyRequest>, Problem> {
    work.find(if is_all { "received" } else { "open" }, "all", is_all, request)
}

fn listed(portal: &Portal, visit: &Visit, requests: Vec<PrivacyRequest>) -> Vec<Listed> {
    let words = &visit.language.words().privacy;
    requests.into_iter().map(|request| (row(portal, words, visit, &request), request)).collect()
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (is_all, table) = asked(&visit);
    let mut sorting = Sorting::asked(table, &visit, HERE);
    let is_turned = sorting.is_turned();
    let found = portal
        .work(&visit, move |work, visit| find(work, is_all, PageRequest { is_turned, ..visit.asked_page()? }))
        .await?;
    let words = &visit.language.words().privacy;
    let mut rows = listed(&portal, &visit, found.items);
    sorting.sort(&mut rows, found.next.is_some());
    let report = reported(&portal, &visit, words);
    page(&PrivacyPage {
        frame: visit.frame(&portal, words.title),
        words,
        is_all,
        sorting,
        rows,
        next: found.next.map(|next| next.to_string()),
        actions: PrivacyAction::ALL.into_iter().map(PrivacyAction::word).zip(words.actions).collect(),
        can_report: matches!(REPORTS, Access::SignedIn(may) if visit.actor().is_allowed(&may)),
        ask_when: if report.as_ref().is_some_and(|report| report.is_under_way) { GOING } else { BEGUN },
        report,
        can_receive: matches!(CLERKS, Access::SignedIn(may) if visit.actor().is_allowed(&may)),
        reason: visit.field("reason"),
    })
}

/// The requests of a tab as a file, numbers masked as on the page.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (is_all, table) = asked(&visit);
    let mut sorting = Sorting::first(table, &visit, "");
    let is_turned = sorting.is_turned();
    let found = portal.work(&visit, move |work, _| gathered(is_turned, |request| find(work, is_all, request)));
    let (requests, has_more) = found.await?;
    let mut rows = listed(&portal, &visit, requests);
    sorting.sort(&mut rows, has_more);
    let now = visit.context.at;
    Ok(file("privacy-requests.csv", HEAD, &rows, |csv, (_, request)| push(csv, request, now)))
}

/// The line of a request, which is told as held where it is.
fn push(csv: &mut String, request: &PrivacyRequest, now: Timestamp) {
    let state = if request.standing().is_held(now) { "held" } else { request.state.word() };
    let (id, received, due) = (request.id.to_string(), request.received.to_string(), request.deadline().to_string());
    push_line(csv, [&id, &*request.masked, request.action.word(), state, &received, &due]);
}

fn reported(portal: &Portal, visit: &Visit, words: &PrivacyWords) -> Option<Reported> {
    let job = portal.office.jobs.look_ups_of(&visit.actor().in_trail())?;
    Some(Reported {
        state: words.job_state(&job.state()),
        is_under_way: job.is_under_way(),
        rows: count(job.rows()),
        until: job.reached().map(|at| portal.shown(at)),
    })
}

/// Takes a request down from the fields of its form.
pub(in crate::pages) fn taken(
    work: &mut Work<'_>,
    visit: &Visit,
    partner: Option<PartnerId>,
) -> Result<PrivacyRequest, Problem> {
    let action = PrivacyAction::parse(visit.field("action"));
    let action = action.map_err(|error| Problem::invalid("action", error.to_string()))?;
    let number = privacy::number_named(work.office, visit.field("number"))?;
    let held_until = privacy::held_until(work, number)?;
    let any_holder = !visit.field("any_holder").is_empty();
    privacy::receive(
        work,
        &NewRequest { number, action, partner, any_holder, reason: visit.field("reason"), held_until },
    )
}

async fn receive(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let request = portal.work(&visit, |work, visit| taken(work, visit, None)).await?;
    Ok(Answer::see_other(format!("{HERE}/{}", request.id)))
}

/// Who asked about whom, as a file that is made while it is downloaded.
async fn report(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let text = |name: &str| Some(visit.field(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let asked = LookUpsRequest {
        from: text("from"),
        until: text("until"),
        partner: None,
        number: text("of_number"),
        reason: visit.field("why").to_owned(),
    };
    let body = serde_json::to_value(&asked).map_err(|error| Problem::Store(error.to_string()))?;
    let file = portal.stream_from_office(&visit, "/office/v1/look-ups", &body).await?;
    Ok(Answer::file("text/csv; charset=utf-8", "look-ups.csv".to_owned(), file))
}

impl PrivacyWords {
    /// How a job is.
    pub(super) fn job_state(&self, state: &JobState) -> &'static str {
        match state {
            JobState::UnderWay => self.job_states[0],
            JobState::Done(_) => self.job_states[1],
            JobState::Failed(_) => self.job_states[2],
        }
    }

    /// An action as people call it.
    pub(in crate::pages) fn action(&self, action: PrivacyAction) -> &'static str {
        let place = PrivacyAction::ALL.iter().position(|other| *other == action);
        place.map_or("", |place| self.actions[place])
    }

    /// A state as people call it.
    pub(in crate::pages) fn state(&self, state: RequestState) -> &'static str {
        let place = RequestState::ALL.iter().position(|other| *other == state);
        place.map_or("", |place| self.states[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_no_more_of_a_request_than_its_list() {
        let request = PrivacyRequest {
            id: PrivacyRequestId::from_stored(7),
            number: "0f".repeat(32),
            masked: "254******001".to_owned(),
            action: PrivacyAction::Erase,
            partner: Some(PartnerId::from_stored(1)),
            any_holder: false,
            received: Timestamp::UNIX_EPOCH,
            received_by: "staff:0000000000000002".to_owned(),
            reason: "case 17".to_owned(),
            state: RequestState::Received,
            held_until: Some(Timestamp::from_second(60).unwrap()),
            identity: None,
            approval: None,
            ending: None,
        };
        let due = request.deadline();
        for (second, state) in [(59, "held"), (60, "received")] {
            let mut csv = String::new();
            push(&mut csv, &request, Timestamp::from_second(second).unwrap());
            let begins = format!("{},254******001,erase,{state},1970-01-01T00:00:00Z", request.id);
            assert_eq!(csv, format!("{begins},{due}\r\n"));
        }
    }
}
