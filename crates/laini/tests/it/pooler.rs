//! Nodes behind PgBouncer in transaction mode: two transactions of one client rarely meet the same session.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use laini_testkit::postgres::{Pooler, fresh_database};

use crate::bank::{Bank, IMSI};
use crate::load::{assert_answers_stand, configure};
use crate::running::{Lab, Running};

const CHECKS: usize = 4_000;
const CLIENTS: usize = 16;
const LINES: u32 = 2_000;
const SEED: u64 = 20_261_125;
/// Fewer than the nodes would hold by themselves.
const CONNECTIONS: u32 = 4;

#[test]
fn checks_through_a_pooler_in_transaction_mode_are_all_answered() {
    let database = fresh_database();
    let pooler = Pooler::start(&database, CONNECTIONS);
    let url = database.url_at(pooler.port());
    let lab = Lab::new();
    configure(&lab, &url, 0);
    if !pooler.knows_prepared() {
        let file = lab.data().join("laini.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text + "prepared_statements = false\n").unwrap();
    }
    let numbers = lab.import_sample(LINES, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let server: Running = lab.serve();
    let banks: Vec<Bank> = (0..CLIENTS).map(|_| Bank::of(&server, &app)).collect();
    let next = AtomicUsize::new(0);
    let ask = |bank: &Bank| {
        let mut answers = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= CHECKS {
                return answers;
            }
            // Every other one under an idempotency key, which is taken in a transaction of its own.
            let (number, id) = (&numbers[n % numbers.len()], format!("check-{n}"));
            bank.canaries().number(number);
            let body = format!(r#"{{"customerNumber":"{number}"}}"#);
            let headers = [("X-Request-ID", id.as_str()), ("Idempotency-Key", id.as_str())];
            let answer = bank.post(IMSI, &headers[..=n % 2], &body).unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            answers.push((answer.field("requestRefID"), answer.header("Laini-Charge").starts_with("KES ")));
        }
    };
    let answers: Vec<(String, bool)> = thread::scope(|scope| {
        let asking: Vec<_> = banks.iter().map(|bank| scope.spawn(|| ask(bank))).collect();
        asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect()
    });
    let rows = lab.ledger();
    assert_eq!(lab.verify_ledger(), rows.len() as u64);
    assert_eq!((answers.len(), rows.len()), (CHECKS, CHECKS));
    assert_answers_stand(&rows, &answers);
    let sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let sessions: u32 = database.value(sessions).unwrap().parse().unwrap();
    assert!(sessions <= CONNECTIONS, "{sessions} connections to the database");
    server.stop();
    println!(
        "family=pooler in transaction mode cases={CHECKS} failures=0 seed={SEED} prepared={} connections={sessions}",
        pooler.knows_prepared()
    );
}
