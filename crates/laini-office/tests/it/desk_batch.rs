//! Batches from the table to the last verdict, with a made-up API that charges once for each key.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use futures_executor::block_on;
use jiff::SignedDuration;
use laini_core::billing::{Currency, Money};
use laini_core::desk::{HeldSeen, Seen, SimSeen, SwapSeen, Verdict};
use laini_core::partner::{AppId, DeskBatchId, MemberRole, PartnerId, ProductSet, Purpose};
use laini_core::store::{OfficeChange, RecordChange};
use laini_office::apps::add_sandbox_app;
use laini_office::desk::batch::{
    Answered, AskedFrom, BatchRow, BatchState, Came, DeskBatch, Job, WhichRows, add_draft, ask_failed_again, batch,
    draft, export, forget_batches, note, row, rows, set_columns, start, stop, take,
};
use laini_office::desk::sheet::{Columns, Sheet, SheetFormat};
use laini_office::desk::{
    AboutCheck, DeskCheck, HistoryFilter, NUMBERS_KEPT, Told, check, forget_number, forget_numbers, history,
    keep_check, kept_numbers, reveal_check, reveal_row, set_settings, settings,
};
use laini_office::people::{Roster, Seat, disable, set_role};
use laini_office::privacy::Span;
use laini_office::{Actor, Kept as _, PageRequest, Problem};

use crate::desk::{Desk, OWN};

/// The API as the server asks it: what is charged under each key.
#[derive(Default)]
struct Api {
    charged: HashMap<String, u32>,
    answers: HashMap<String, Told>,
}

impl Api {
    /// Answers under a key as it was answered before; charges once.
    fn answer(&mut self, key: &str, number: &str) -> Answered {
        let swap = if number.ends_with('7') { SwapSeen::Unknown } else { SwapSeen::None };
        let told = self.answers.entry(key.to_owned()).or_insert_with(|| {
            *self.charged.entry(key.to_owned()).or_default() += 1;
            Told {
                check: format!("check-of-{key}"),
                seen: Seen { is_served: true, swap, held: HeldSeen::Longer, sim: SimSeen::NotExpected },
                sim: Some("2719836450192837".to_owned()),
                as_of: None,
                charge: Money::new(2_000, Currency::KES),
            }
        });
        Answered::Told(told.clone())
    }

    fn answer_all(&mut self, job: &Job, most: usize) -> Vec<(u32, Answered)> {
        let questions = job.questions.iter().take(most);
        questions.map(|question| (question.row, self.answer(&question.key, &question.number))).collect()
    }
}

struct Bank {
    desk: Desk,
    owner: Actor,
    clerk: Actor,
    app: AppId,
    api: Api,
}

fn bank() -> Bank {
    let desk = Desk::open();
    let seat = |role| Seat::Member { partner: OWN, role };
    let owner = desk.person("owner@bank.example", seat(MemberRole::Owner)).actor();
    let clerk = desk.person("clerk@bank.example", seat(MemberRole::FraudDesk)).actor();
    let (app, _) = desk.run(&owner, |work| add_sandbox_app(work, OWN, "Desk", ProductSet::all())).unwrap();
    Bank { desk, owner, clerk, app: app.id, api: Api::default() }
}

fn from() -> AskedFrom {
    AskedFrom { address: IpAddr::V4(Ipv4Addr::LOCALHOST), certificate: None }
}

impl Bank {
    fn draft(&self, text: &str) -> Result<DeskBatchId, Problem> {
        let sheet = Sheet::read(text.as_bytes())?;
        self.desk.run(&self.clerk, |work| add_draft(work, OWN, self.app, &sheet, None)).map(|draft| draft.id)
    }

    fn started(&self, count: u32) -> Result<DeskBatchId, Problem> {
        let lines = (0..count).map(|n| format!("07220{n:05},ref {n}")).collect::<Vec<_>>().join("\n");
        let id = self.draft(&lines)?;
        self.start(id)?;
        Ok(id)
    }

    fn start(&self, id: DeskBatchId) -> Result<DeskBatch, Problem> {
        let purpose = Purpose::ChequeConfirmation;
        self.desk.run(&self.clerk, |work| start(work, OWN, id, purpose, "cheques of Friday", from()))
    }

    /// Of a single check that was answered.
    fn receipt(&self, number: &str) -> DeskCheck {
        let number = self.desk.office.settings.plan.parse(number).unwrap();
        let Answered::Told(told) = Api::default().answer("single", &number.digits()) else { unreachable!() };
        let kept = self.desk.run(&self.clerk, |work| {
            let app = work.book()?.apps.into_iter().find(|app| app.id == self.app).unwrap();
            let reference = "a case".to_owned();
            let about = AboutCheck { number, app, purpose: Purpose::ChequeConfirmation, reference, expect: None };
            keep_check(work, OWN, &about, told.clone())
        });
        kept.unwrap()
    }

    fn take(&self) -> Option<Job> {
        take(&self.desk.office, self.desk.at).unwrap()
    }

    fn note(&self, job: &Job, answers: &[(u32, Answered)]) -> bool {
        note(&self.desk.office, self.desk.at, job, answers).unwrap()
    }

    /// Asks until nothing is due.
    fn run(&mut self) {
        while let Some(job) = self.take() {
            let answers = self.api.answer_all(&job, usize::MAX);
            assert!(self.note(&job, &answers));
        }
    }

    fn batch(&self, id: DeskBatchId) -> DeskBatch {
        self.desk.run(&self.owner, |work| batch(work, OWN, id)).unwrap()
    }
}

#[test]
fn a_batch_that_is_cut_off_anywhere_charges_each_row_once() {
    let mut bank = bank();
    let id = bank.started(120).unwrap();
    for asked in [0, 1, 17, 49, 50] {
        // The server ends after so many rows of the group were asked, and nothing of it was noted.
        let job = bank.take().unwrap();
        bank.api.answer_all(&job, asked);
        assert!(bank.take().is_none(), "whoever comes next waits for its lease");
        bank.desk.wait_s(31);
        let again = bank.take().unwrap();
        let late = bank.api.answer_all(&job, asked);
        assert!(!bank.note(&job, &late), "the one that was taken over notes nothing");
        let half = bank.api.answer_all(&again, asked.max(1));
        assert!(bank.note(&again, &half));
    }
    bank.run();
    let done = bank.batch(id);
    assert_eq!((done.state.clone(), done.counts.rows, done.counts.done()), (BatchState::Done, 120, 120));
    assert_eq!(bank.api.charged.len(), 120);
    assert!(bank.api.charged.values().all(|count| *count == 1));
    assert_eq!(done.charged(), Some(Money::new(120 * 2_000, Currency::KES)));
    // What is unknown is not allowed: every tenth number.
    assert_eq!((done.counts.allow, done.counts.hold), (108, 12));
    let found = bank.desk.run(&bank.clerk, |work| {
        let batch = batch(work, OWN, id)?;
        rows(work, &batch, WhichRows::Verdict(Verdict::Hold), 30, 5)
    });
    let (held, next) = found.unwrap();
    assert_eq!(held.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [37, 47, 57, 67, 77]);
    assert_eq!(next, Some(87));
}

#[test]
fn all_numbers_of_a_batch_count_for_the_day_of_whoever_starts_it() {
    let bank = bank();
    bank.desk
        .run(&bank.owner, |work| {
            let mut present = settings(work, OWN)?;
            present.look_ups_per_day = 100;
            let canary = work.office.settings.plan.parse("0722000003").map_err(|_| Problem::Contended)?;
            let present = present.with_canaries(work.office, &[canary]);
            set_settings(work, &present)
        })
        .unwrap();
    let reasons = |bank: &Bank| {
        let rows = bank.desk.trail().into_iter().filter(|row| row.entry.action == "desk.alarm");
        rows.map(|row| row.entry.reason).collect::<Vec<_>>()
    };
    let refused = bank.started(101).unwrap_err();
    assert!(refused.to_string().contains("100 are left"), "{refused}");
    assert_eq!(reasons(&bank), ["cap reached"]);
    bank.started(60).unwrap();
    bank.started(41).unwrap_err();
    bank.started(40).unwrap();
    assert_eq!(reasons(&bank), ["canary", "canary", "cap reached"], "the newest first");
    assert!(!format!("{:?}", bank.desk.trail()).contains("72200"), "no number is written down");
}

#[test]
fn a_row_without_an_answer_waits_then_fails_and_is_asked_anew_only_by_hand() {
    let mut bank = bank();
    let id = bank.started(2).unwrap();
    for _ in 0..5 {
        let job = bank.take().unwrap();
        let last = job.questions.len() - 1;
        let mut answers = bank.api.answer_all(&job, last);
        answers.push((job.questions[last].row, Answered::Missed { pause_s: 2, why: "not reachable".to_owned() }));
        assert!(bank.note(&job, &answers));
        assert!(bank.take().is_none(), "it waits");
        bank.desk.wait_s(2);
    }
    let ended = bank.batch(id);
    assert_eq!((ended.counts.allow, ended.counts.failed), (1, 1));
    bank.run();
    assert_eq!(bank.batch(id).state, BatchState::Done);
    bank.desk.run(&bank.clerk, |work| ask_failed_again(work, OWN, id, from())).unwrap();
    bank.run();
    let done = bank.batch(id);
    assert_eq!((done.state, done.counts.allow, done.counts.failed), (BatchState::Done, 2, 0));
    bank.desk.run(&bank.clerk, |work| ask_failed_again(work, OWN, id, from())).unwrap_err();
}

#[test]
fn a_refusal_of_all_pauses_or_stops_the_batch() {
    let mut bank = bank();
    let id = bank.started(60).unwrap();
    let job = bank.take().unwrap();
    let mut answers = bank.api.answer_all(&job, 3);
    answers.push((3, Answered::Later { pause_s: 3_600, why: "too many (500.003.02)".to_owned() }));
    bank.note(&job, &answers);
    assert_eq!(bank.batch(id).waits.as_deref(), Some("too many (500.003.02)"));
    bank.desk.wait_s(59);
    assert!(bank.take().is_none());
    bank.desk.wait_s(1);
    let job = bank.take().unwrap();
    assert_eq!(job.questions.len(), 47);
    bank.note(&job, &[(3, Answered::Never("this app is suspended (403.002.01)".to_owned()))]);
    assert!(matches!(bank.batch(id).state, BatchState::Stopped(why) if why.contains("suspended")));
    assert!(bank.take().is_none());
    let other = bank.started(1).unwrap();
    bank.desk.run(&bank.clerk, |work| stop(work, OWN, other)).unwrap();
    assert!(bank.take().is_none());
    // After a day nothing is asked any more: keys are forgotten then.
    let old = bank.started(1).unwrap();
    bank.desk.wait_s(20 * 3_600);
    assert!(bank.take().is_none());
    assert!(matches!(bank.batch(old).state, BatchState::Stopped(_)));
}

#[test]
fn a_batch_ends_where_whoever_started_it_may_not_look_numbers_up_any_more() {
    let mut bank = bank();
    let roster = Roster::Partner(OWN);
    let clerk = bank.clerk.person().unwrap();
    let as_a = |bank: &Bank, role| {
        let seat = Seat::Member { partner: OWN, role };
        bank.desk.run(&bank.owner, |work| set_role(work, roster, clerk, seat)).unwrap();
    };
    let is_stopped = |bank: &Bank, id| {
        let words = "whoever started it may not look numbers up any more";
        matches!(bank.batch(id).state, BatchState::Stopped(why) if why == words)
    };
    let demoted = bank.started(60).unwrap();
    let first = bank.take().unwrap();
    as_a(&bank, MemberRole::Developer);
    // What was asked already is noted, and no more is asked.
    let answers = bank.api.answer_all(&first, usize::MAX);
    assert!(bank.note(&first, &answers) && bank.take().is_none() && is_stopped(&bank, demoted));
    assert_eq!(bank.batch(demoted).counts.done(), 50);
    // Somebody else who may goes on with it.
    bank.desk.run(&bank.owner, |work| ask_failed_again(work, OWN, demoted, from())).unwrap();
    bank.run();
    assert_eq!(bank.batch(demoted).state, BatchState::Done);
    as_a(&bank, MemberRole::FraudDesk);
    let disabled = bank.started(1).unwrap();
    bank.desk.run(&bank.owner, |work| disable(work, roster, clerk, "left the bank")).unwrap();
    assert!(bank.take().is_none() && is_stopped(&bank, disabled));
}

#[test]
fn whole_numbers_in_another_column_than_the_chosen_one_are_masked() {
    let mut bank = bank();
    let text = "0722000001,0722000011,0722 000 021,A. Person +254722000031\n0722000007,cheque 4711,100000,B. Person\n";
    let id = bank.draft(text).unwrap();
    let columns = Columns { reference: Some(1), amount: Some(2), name: Some(3), ..Columns::default() };
    bank.desk.run(&bank.owner, |work| set_columns(work, OWN, id, columns, bank.app)).unwrap();
    bank.start(id).unwrap();
    let asked: Vec<String> = bank.take().unwrap().questions.into_iter().map(|question| question.reference).collect();
    assert_eq!(asked, ["0722000011", "cheque 4711"], "the reference is asked with as it was brought");
    bank.desk.wait_s(31);
    bank.run();
    let found = bank.desk.run(&bank.clerk, |work| {
        let (batch, one) = row(work, OWN, id, 0)?;
        let (all, _) = rows(work, &batch, WhichRows::All, 0, 10)?;
        let csv = export(work, OWN, id, WhichRows::All, SheetFormat::Csv)?;
        Ok((one, all, String::from_utf8(csv).unwrap()))
    });
    let (one, all, csv) = found.unwrap();
    let texts = |row: &BatchRow| [row.reference.clone(), row.amount.clone(), row.name.clone()];
    assert_eq!(texts(&one), ["254******011", "254******021", "A. Person 254******031"]);
    assert_eq!(texts(&all[0].1), texts(&one));
    assert_eq!(texts(&all[1].1), ["cheque 4711", "100000", "B. Person"]);
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[1].starts_with("1,2547•••••001,254******011,254******021,A. Person 254******031,"), "{csv}");
    assert!(lines[2].starts_with("2,2547•••••007,cheque 4711,100000,B. Person,"), "{csv}");
}

#[test]
fn what_is_exported_shows_no_number_and_runs_in_no_spreadsheet() {
    let mut bank = bank();
    let text = "Phone,Ref,Amount,Name\n0722000001,\"=cmd|' /C calc'!A0\",@SUM(1),\"A \"\"B\"\", C\"\n0722000007,,,\n";
    let id = bank.draft(text).unwrap();
    let seen = bank.desk.run(&bank.clerk, |work| draft(work, OWN, id)).unwrap();
    assert_eq!((seen.quote.rows, seen.quote.is_sandbox), (2, true));
    bank.start(id).unwrap();
    bank.run();
    let exported = |format| bank.desk.run(&bank.clerk, |work| export(work, OWN, id, WhichRows::All, format)).unwrap();
    let csv = String::from_utf8(exported(SheetFormat::Csv)).unwrap();
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[1].starts_with("2,2547•••••001,'=cmd|' /C calc'!A0,'@SUM(1),\"A \"\"B\"\", C\",allow,"), "{csv}");
    assert!(lines[2].starts_with("3,2547•••••007,,,,hold,swap_unknown; held_longer,"), "{csv}");
    assert!(!csv.contains("22000001"), "{csv}");
    let sheet = Sheet::read(&exported(SheetFormat::Xlsx)).unwrap();
    let from_csv = Sheet::read(csv.as_bytes()).unwrap();
    assert_eq!(sheet.rows[0].cells, from_csv.rows[0].cells, "the same columns");
    let brought = ["2", "2547•••••001", "=cmd|' /C calc'!A0", "@SUM(1)", "A \"B\", C", "allow"];
    assert_eq!(sheet.rows[1].cells[..6], brought, "a workbook needs no mark before a text");
    assert_eq!(sheet.rows[1].cells[6..], from_csv.rows[1].cells[6..]);
    assert_eq!(sheet.rows[2].cells, from_csv.rows[2].cells);
}

#[test]
fn numbers_are_sealed_uncovered_one_by_one_and_forgotten() {
    let mut bank = bank();
    let id = bank.started(2).unwrap();
    bank.run();
    let reveal = |bank: &Bank, partner: PartnerId, reason: &str| {
        bank.desk.run(&bank.clerk, |work| reveal_row(work, partner, id, 1, reason)).map(|number| number.to_string())
    };
    reveal(&bank, OWN, "").unwrap_err();
    reveal(&bank, OWN, "called 0722000001").unwrap_err();
    reveal(&bank, PartnerId::from_stored(12), "calling the drawer").unwrap_err();
    assert_eq!(reveal(&bank, OWN, "calling the drawer").unwrap(), "254722000001");
    let rows = bank.desk.trail();
    let told = rows.iter().find(|row| row.entry.action == "desk.reveal").unwrap();
    assert_eq!(told.entry.reason, "calling the drawer");
    assert_eq!(told.entry.target, format!("{id}/1"));
    assert!(!format!("{rows:?}").contains("722000001"));
    for _ in 1..20 {
        reveal(&bank, OWN, "calling the drawer").unwrap();
    }
    assert!(reveal(&bank, OWN, "calling the drawer").unwrap_err().to_string().contains("20 numbers a day"));
    let unstarted = bank.draft("0722000001").unwrap();
    let later = bank.desk.at + SignedDuration::from_hours(24);
    assert_eq!(forget_batches(&bank.desk.office, later).unwrap(), 1, "drafts go after a day");
    assert_eq!(bank.desk.run(&bank.clerk, |work| batch(work, OWN, unstarted)), Err(Problem::NotFound("batch")));
    assert_eq!(forget_batches(&bank.desk.office, bank.desk.at + NUMBERS_KEPT).unwrap(), 1);
    let kept = bank.batch(id);
    assert_eq!((kept.has_rows, kept.counts.allow), (false, 2));
    assert_eq!(reveal(&bank, OWN, "calling the drawer"), Err(Problem::NotFound("row")));
}

#[test]
fn a_receipt_that_forgot_its_number_tells_no_digits_of_its_sim() {
    let bank = bank();
    let receipt = bank.receipt("0722000001");
    assert!(receipt.finding.sim.is_some());
    assert_eq!(forget_numbers(&bank.desk.office, bank.desk.at + NUMBERS_KEPT).unwrap(), 1);
    let store = &bank.desk.office.store;
    let (kind, id) = (DeskCheck::KIND, receipt.id.into());
    let kept = block_on(store.record(kind, id)).unwrap().unwrap();
    let digits = receipt.finding.sim.unwrap();
    assert!(!String::from_utf8_lossy(&kept.body).contains(&digits));
    // As an earlier release left them.
    let mut body: serde_json::Value = serde_json::from_slice(&kept.body).unwrap();
    body["finding"]["sim"] = digits.into();
    let old: DeskCheck = serde_json::from_value(body.clone()).unwrap();
    let body = Some(body.to_string().into_bytes());
    let records = vec![RecordChange { kind, id, expected: kept.version, body, keys: old.keys() }];
    block_on(store.commit(OfficeChange { records, ..OfficeChange::default() })).unwrap();
    let read = bank.desk.run(&bank.clerk, |work| {
        let listed = history(work, OWN, &HistoryFilter::default(), PageRequest::FIRST)?.items;
        Ok((check(work, OWN, receipt.id)?.finding.sim, listed[0].finding.sim.clone()))
    });
    assert_eq!(read, Ok((None, None)));
}

#[test]
fn a_number_is_found_wherever_desks_keep_it_and_forgotten_and_what_it_cost_stays() {
    let mut bank = bank();
    let number = bank.desk.office.settings.plan.parse("0722000001").unwrap();
    let begin = bank.desk.at;
    let id = bank.started(60).unwrap();
    bank.run();
    // Stopped before anything was asked.
    let stopped = bank.started(2).unwrap();
    bank.desk.run(&bank.owner, |work| stop(work, OWN, stopped)).unwrap();
    bank.receipt("0722000001");
    let other = bank.receipt("0722000002");
    let counted = bank.batch(id);
    bank.desk.wait_s(26 * 3_600);
    bank.draft("0712345678,+254 722-000001\n0712345679,").unwrap();
    let span = |from, until| Span { from: Some(from), until: Some(until) };
    let kept = |bank: &Bank, span| kept_numbers(&bank.desk.office, number, span, bank.desk.at).unwrap();
    let all = span(begin, bank.desk.at + SignedDuration::from_secs(1));
    let stands_in: Vec<&str> = kept(&bank, all).iter().map(|kept| kept.stands_in).collect();
    let row = "row of a batch of the desk";
    assert_eq!(stands_in, ["receipt of the desk", row, row, "table of the desk"]);
    assert_eq!(kept(&bank, span(begin - SignedDuration::from_secs(1), begin)), []);
    let erasable = span(begin, bank.desk.at - SignedDuration::from_hours(25));
    let forget = |bank: &Bank| forget_number(&bank.desk.office, number, erasable, bank.desk.at).unwrap();
    assert_eq!((forget(&bank), forget(&bank)), (3, 0));
    assert_eq!(kept(&bank, all).len(), 1, "what may still be asked again is left");
    let sims = bank.desk.run(&bank.clerk, |work| {
        let asked = batch(work, OWN, id)?;
        rows(work, &asked, WhichRows::All, 1, 2)
    });
    let has_sim = |row: &BatchRow| matches!(&row.came, Some(Came::Found(found)) if found.sim.is_some());
    let sims: Vec<bool> = sims.unwrap().0.iter().map(|(_, row)| has_sim(row)).collect();
    assert_eq!(sims, [false, true], "the digits of its SIM are forgotten as well");
    assert_eq!(bank.batch(id), counted, "verdicts and charges stay");
    let reveal = |id, row| bank.desk.run(&bank.clerk, |work| reveal_row(work, OWN, id, row, "calling"));
    assert!(reveal(id, 1).unwrap_err().to_string().contains("at its holder's request"));
    assert_eq!(*reveal(id, 2).unwrap(), "254722000002");
    assert_eq!(
        *bank.desk.run(&bank.clerk, |work| reveal_check(work, OWN, other.id, "calling")).unwrap(),
        "254722000002"
    );
    // Whoever asks the stopped batch on asks about the other number alone.
    assert_eq!(bank.batch(stopped).counts.failed, 1);
    bank.desk.run(&bank.clerk, |work| ask_failed_again(work, OWN, stopped, from())).unwrap();
    let asked: Vec<String> = bank.take().unwrap().questions.into_iter().map(|question| question.number).collect();
    assert_eq!(asked, ["254722000000"]);
}
