//! Who asked about whom: the report for a notice after a breach.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use futures_util::stream::{Stream, try_unfold};
use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::partner::{May, PartnerId, StaffRole};
use laini_core::store::{AccountBook, AskedQuery, Ledger};
use laini_office::jobs::{CameTo, Job, JobOf, JobState};
use laini_office::privacy::{lookups_csv, number_named, reason, target_of};
use laini_office::{Office, Problem, Work};
use laini_wire::office::privacy::LookUpsRequest;
use serde_json::json;
use utoipa::PartialSchema as _;

use super::described::{operation, taking};
use super::privacy_orders::{job_answer, job_example};
use super::{Call, Endpoint, Noun, Reply};
use crate::openapi::{Answer, Operation, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "look-ups",
    description: "Who asked about whom, for a notice after a breach.",
    endpoints: || {
        vec![
            Endpoint::new(report_operation(), report_look_ups),
            Endpoint::new(progress_operation(), show_look_ups_progress),
        ]
    },
    schemas,
};

/// Who asks for it.
const READERS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Auditor] };
/// Checks that are read at once; so many are held while somebody downloads.
const CHECKS_PER_CHUNK: usize = 4_000;

fn schemas() -> Schemas {
    let mut schemas = vec![("LookUpsFile".to_owned(), String::schema())];
    collect::<LookUpsRequest>(&mut schemas);
    schemas
}

fn report_operation() -> Operation {
    let example = json!("at,partner,app,environment,product,purpose,outcome,number,number_hash\n");
    let answer = Answer {
        media_type: "text/csv;charset=UTF-8",
        ..Answer::ok("A row for each check, oldest first; numbers are masked.", &["LookUpsFile"], example)
    };
    let path = (Method::POST, "/office/v1/look-ups");
    let summary = "Who asked about whom in a span; that it was asked for is in the audit trail";
    let operation = operation("report_look_ups", path, summary, READERS, answer);
    let span = json!({"from": "2026-11-01", "until": "2026-11-07", "reason": "notice 2026-17"});
    taking(operation, "LookUpsRequest", span)
}

fn progress_operation() -> Operation {
    let answer = Answer::ok("How far it is, on the node that was asked.", &["JobAnswer"], job_example());
    let path = (Method::GET, "/office/v1/look-ups/progress");
    operation("show_look_ups_progress", path, "How far the newest report is that one asked for", READERS, answer)
}

fn show_look_ups_progress(work: &mut Work<'_>, _: &Call) -> Result<Reply, Problem> {
    let job = work.office.jobs.look_ups_of(&work.actor.in_trail()).ok_or(Problem::NotFound("report"))?;
    Reply::ok(&job_answer(&job))
}

fn report_look_ups(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: LookUpsRequest = call.json()?;
    let why = reason(&asked.reason)?;
    let partner = asked.partner.as_deref().map(PartnerId::parse).transpose();
    let partner = partner.map_err(|error| Problem::invalid("partner", error.to_string()))?;
    let number = asked.number.as_deref().map(|text| number_named(work.office, text)).transpose()?;
    let hash = number.map(|number| work.office.keys.subject().number(number));
    let query = AskedQuery {
        numbers: hash.into_iter().collect(),
        partner,
        from: asked.from.as_deref().map(|day| midnight(work.office, "from", day, 0)).transpose()?,
        until: asked.until.as_deref().map(|day| midnight(work.office, "until", day, 1)).transpose()?,
        limit: CHECKS_PER_CHUNK,
        ..AskedQuery::default()
    };
    let target = number.zip(hash).map_or("all numbers".to_owned(), |(number, hash)| target_of(number, hash));
    work.note("subject.lookups", None, target, &why);
    let (ledger, book) = (Arc::clone(&work.office.ledger), work.book()?);
    let job = Download(work.office.jobs.begin(JobOf::LookUps, work.actor.in_trail(), work.at)?);
    let body = Body::from_stream(chunks(Reading { ledger, book, query: Some(query), is_first: true, job }));
    Ok(Reply::streamed("text/csv;charset=UTF-8", "look-ups.csv".to_owned(), body))
}

/// The operator's midnight, so many days after a day began.
pub(super) fn midnight(office: &Office, name: &'static str, day: &str, later: i64) -> Result<Timestamp, Problem> {
    let expected = || Problem::invalid(name, "expected a day such as 2026-11-22");
    let day: Date = day.parse().map_err(|_| expected())?;
    let day = day.checked_add(jiff::Span::new().days(later)).map_err(|_| expected())?;
    office.settings.zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().map_err(|_| expected())
}

/// How far a report has come.
struct Reading {
    ledger: Arc<dyn Ledger>,
    book: AccountBook,
    /// What is read next; `None` = all was.
    query: Option<AskedQuery>,
    is_first: bool,
    job: Download,
}

/// A report that is downloaded; where that ends early, it has failed.
struct Download(Arc<Job>);

impl Drop for Download {
    fn drop(&mut self) {
        if self.0.is_under_way() {
            self.0.end(JobState::Failed(Problem::not_now("the download broke off")));
        }
    }
}

/// The report, a page of the ledger at a time, each once the one before was taken. Where the ledger fails the answer
/// breaks off, which whoever downloads sees.
fn chunks(reading: Reading) -> impl Stream<Item = Result<Vec<u8>, std::io::Error>> {
    try_unfold(reading, |mut reading| async move {
        let Some(query) = reading.query.take() else { return Ok(None) };
        let page = reading.ledger.asked(query.clone()).await.map_err(|error| {
            tracing::error!(%error, "a report of look-ups broke off");
            std::io::Error::other(error)
        })?;
        let chunk = lookups_csv(&page.checks, &reading.book, reading.is_first).map_err(std::io::Error::other)?;
        reading.is_first = false;
        reading.job.0.read(page.looked_at);
        match page.after {
            Some(after) => reading.job.0.reach(after.minted()),
            None => reading.job.0.end(JobState::Done(CameTo::Elsewhere)),
        }
        reading.query = page.after.map(|after| AskedQuery { after: Some(after), ..query });
        Ok(Some((chunk, reading)))
    })
}
