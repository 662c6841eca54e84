//! What is worked out from a partner's rows in a job: its progress is told, its result kept, and both are that partner's.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::partner::{PartnerId, Product};
use laini_core::store::Draft;
use laini_office::Problem;
use laini_office::billing::{Invoice, verify_invoice, work_out};
use laini_office::jobs::{CameTo, Figures, Job, JobState};

use crate::billing::{BANK, Bench, FINTECH, NOVEMBER, at};
use crate::rows::{billed, every_line_bills_its_rows};

/// Checks of the bank, and of the other partner, that November's close covers.
const BANKS_ROWS: u64 = 12;
const FINTECHS_ROWS: u64 = 4;

fn now() -> Timestamp {
    at("2026-12-02T00:00:00Z")
}

fn closed() -> Bench {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    bench
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A job that begins, and what it comes to.
fn worked_out(bench: &Bench, partner: PartnerId, figures: Figures) -> (Arc<Job>, Result<CameTo, Problem>) {
    let (job, place) = bench.office.jobs.work_out(partner, figures, "member:1".to_owned(), now()).unwrap();
    assert!(place.is_some(), "it takes a place while it goes on");
    let came_to = work_out(&bench.office, &job);
    job.end(came_to.clone().map_or_else(JobState::Failed, JobState::Done));
    (job, came_to)
}

fn lines(bench: &Bench, invoice: &Invoice) -> Vec<Vec<(Timestamp, Product)>> {
    let rows = |line| billed(&bench.office, invoice, line).iter().map(|row| (row.at, row.product)).collect();
    invoice.statement.lines.iter().map(|line| rows(line.line)).collect()
}

#[test]
fn where_lines_part_is_worked_out_from_the_partners_own_rows_and_kept() {
    let (one, other) = (closed(), closed());
    let (job, came_to) = worked_out(&one, FINTECH, Figures::Split(2));
    assert!(matches!(came_to, Ok(CameTo::Elsewhere)));
    assert_eq!(job.rows(), FINTECHS_ROWS, "of nobody else a row is read");
    let (job, came_to) = worked_out(&one, BANK, Figures::Split(1));
    assert!(matches!(came_to, Ok(CameTo::Elsewhere)));
    assert!(job.rows() > BANKS_ROWS, "rows are read once more where lines part: {}", job.rows());
    assert!(job.reached().is_some());
    // The same as without a job.
    for (one_invoice, other_invoice) in one.invoices().iter().zip(other.invoices()) {
        assert_eq!(lines(&one, one_invoice), lines(&other, &other_invoice));
    }
    every_line_bills_its_rows(&one.office);
    // Whoever comes later finds it kept.
    let (_, again) = worked_out(&one, BANK, Figures::Split(1));
    assert!(matches!(again, Ok(CameTo::Elsewhere)));
}

#[test]
fn a_verification_is_shared_and_kept_and_is_no_other_partners() {
    let bench = closed();
    let (jobs, of) = (&bench.office.jobs, Figures::Verification(1));
    let begin = |by: &str| jobs.work_out(BANK, of, by.to_owned(), now()).unwrap();
    let (job, place) = begin("member:1");
    let (same, none) = begin("staff:2");
    assert!(Arc::ptr_eq(&job, &same) && place.is_some() && none.is_none(), "two who ask share one");
    assert_eq!((job.rows(), job.is_under_way()), (0, true));
    let came_to = work_out(&bench.office, &job).unwrap();
    let CameTo::Verified(done) = &came_to else { panic!("a verification") };
    assert_eq!(**done, verify_invoice(&bench.office, &bench.invoices()[0]).unwrap());
    assert_eq!((done.number, done.units, done.differences.len()), (1, 10, 0));
    // Its own rows are counted, and all are followed along the chain.
    assert!(job.rows() > BANKS_ROWS + FINTECHS_ROWS, "{}", job.rows());
    job.end(JobState::Done(came_to));
    drop(place);
    let kept = jobs.figures_of(BANK, of).unwrap();
    assert!(matches!(kept.state(), JobState::Done(CameTo::Verified(_))));
    assert!(jobs.figures_of(FINTECH, of).is_none() && jobs.figures_of(BANK, Figures::Verification(2)).is_none());
    // One that is asked for anew takes its stead.
    let (anew, _place) = begin("member:1");
    assert!(anew.is_under_way() && Arc::ptr_eq(&jobs.figures_of(BANK, of).unwrap(), &anew));
}

#[test]
fn why_a_job_fails_is_told_and_nobody_reaches_anothers_invoice() {
    let bench = closed();
    for figures in [Figures::Split(1), Figures::Verification(1)] {
        let (_, came_to) = worked_out(&bench, FINTECH, figures);
        assert!(matches!(came_to, Err(Problem::NotFound("invoice"))), "the bank's");
    }
    let (job, came_to) = worked_out(&bench, BANK, Figures::References(day("2026-11-12"), day("2026-11-12")));
    let problem = came_to.err().unwrap();
    assert!(matches!(problem, Problem::Invalid { field: "until", .. }), "{problem}");
    assert_eq!(job.state().word(), "failed");
}

#[test]
fn references_are_counted_in_a_job() {
    let bench = closed();
    let draft = bench.draft(BANK, Product::Imsi, at("2026-11-30T22:00:00Z"));
    let mut subject = draft.subject.clone();
    subject.reference = Some("branch 7".to_owned());
    bench.record(Draft { subject, ..draft });
    let (job, came_to) = worked_out(&bench, BANK, Figures::References(day("2026-11-10"), day("2026-12-02")));
    let Ok(CameTo::References(found)) = came_to else { panic!("references") };
    let told: Vec<_> = found.iter().map(|one| (one.reference.as_deref(), one.product, one.checks)).collect();
    let bank = [(None, Product::Imsi, 3), (None, Product::Swap, 8), (Some("branch 7"), Product::Imsi, 1)];
    assert_eq!(told, bank, "without the sandbox; what was unknown is asked, too");
    assert!(job.rows() > 0 && job.reached().is_some());
}
