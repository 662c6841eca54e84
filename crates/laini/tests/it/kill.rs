//! kill -9 under load: nothing answered is lost, nothing is charged twice, and it serves again at once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::bank::{AGE, Answer, Bank, IMSI, Lost, SWAP};
use crate::running::{Credentials, Lab, LedgerRow, Running, on_demand, wait_until};

const KILLS: u64 = 25;
const SEED: u64 = 20_261_122;
const LINES: u32 = 20_000;
const CLIENTS: usize = 16;
/// The promise is 2 s; a machine busy with other tests gets five times as long.
const SERVING_AGAIN_WITHIN: Duration = Duration::from_secs(5 * 2);
/// A kill comes after at most so many answers of its round, and so much later.
const ANSWERS_BEFORE_KILL_MAX: u64 = 300;
const JITTER_US_MAX: u64 = 3_000;
const LOAD_WITHIN: Duration = Duration::from_mins(1);

/// The products, as asked and as the ledger names them.
const PRODUCTS: [(&str, &str); 3] = [(IMSI, "imsi"), (SWAP, "swap"), (AGE, "age")];

/// What the clients of one run share.
struct Load {
    numbers: Vec<String>,
    next: AtomicUsize,
    answered: AtomicU64,
}

/// One question of a bank, asked under one id until it is answered.
struct Check {
    number: String,
    product: usize,
    request_id: String,
}

/// A bank's client with an app of its own: it repeats what got no answer, under the same id.
struct Client {
    bank: Bank,
    app: String,
    /// Asked, and not answered before the server was gone.
    pending: Option<Check>,
    /// The ids of all answers, and whether they said that they were charged.
    answers: Vec<(String, bool)>,
    /// How many different checks were asked, per product.
    asked: [usize; PRODUCTS.len()],
    lost: usize,
}

impl Client {
    fn new(server: &Running, app: &Credentials) -> Self {
        let bank = Bank::of(server, app);
        Self { bank, app: app.name.clone(), pending: None, answers: Vec::new(), asked: [0; 3], lost: 0 }
    }

    /// Asks what is pending, or something new. An error = the server is gone.
    fn ask(&mut self, load: &Load) -> Result<(), Lost> {
        let check = self.pending.take().unwrap_or_else(|| self.think_of_one(load));
        let (path, _) = PRODUCTS[check.product];
        match self.bank.try_check(path, &check.number, Some(&check.request_id)) {
            Ok(answer) => {
                self.note(&answer);
                load.answered.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(lost) => {
                self.pending = Some(check);
                self.lost += 1;
                Err(lost)
            }
        }
    }

    fn think_of_one(&mut self, load: &Load) -> Check {
        let n = load.next.fetch_add(1, Ordering::Relaxed);
        let product = n % PRODUCTS.len();
        self.asked[product] += 1;
        Check { number: load.numbers[n % load.numbers.len()].clone(), product, request_id: format!("check-{n}") }
    }

    fn note(&mut self, answer: &Answer) {
        assert_eq!(answer.status, 200, "{answer:?}");
        let charge = answer.header("Laini-Charge");
        assert!(charge.starts_with("KES ") || charge == "none; reason=repeat", "{charge}");
        self.answers.push((answer.field("requestRefID"), charge.starts_with("KES ")));
    }
}

#[test]
fn kill_9_under_load_loses_no_answer_and_charges_nothing_twice() {
    let (kills, seed) = (on_demand("LAINI_TEST_KILLS", KILLS), on_demand("LAINI_TEST_SEED", SEED));
    let mut rng = fastrand::Rng::with_seed(seed);
    let lab = Lab::new();
    let numbers = lab.import_sample(LINES, seed).served();
    let load = Load { numbers, next: AtomicUsize::new(0), answered: AtomicU64::new(0) };
    let mut apps = vec![lab.partner_app("Bank A", "production")];
    apps.resize_with(CLIENTS, || lab.app("Bank A", "production", "imsi,swap,age"));

    let mut server = lab.serve();
    let mut clients: Vec<_> = apps.iter().map(|app| Client::new(&server, app)).collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..kills {
        kill_under_load(server, &mut clients, &load, &mut rng);
        let began = Instant::now();
        server = lab.serve();
        // Tokens outlive the server that gave them.
        for client in &mut clients {
            client.bank.move_to(&server);
        }
        clients[0].ask(&load).unwrap_or_else(|lost| panic!("not served again: {lost}"));
        slowest = slowest.max(began.elapsed());
        assert!(slowest <= SERVING_AGAIN_WITHIN, "served again only after {slowest:?}");
        lab.verify_ledger();
    }
    for client in clients.iter_mut().filter(|client| client.pending.is_some()) {
        client.ask(&load).unwrap();
    }
    server.stop();
    let rows = lab.ledger();
    assert_eq!(lab.verify_ledger(), rows.len() as u64);
    assert_each_answer_once(&rows, &clients);
    assert_each_check_charged_once(&rows, &clients);
    let lost: usize = clients.iter().map(|client| client.lost).sum();
    println!(
        "family=kill cases={kills} failures=0 seed={seed} answers={} lost={lost} rows={} slowest_restart_ms={}",
        load.answered.load(Ordering::Relaxed),
        rows.len(),
        slowest.as_millis()
    );
}

/// Kills the server at a moment decided by the load it carries and by chance.
fn kill_under_load(server: Running, clients: &mut [Client], load: &Load, rng: &mut fastrand::Rng) {
    let target = load.answered.load(Ordering::Relaxed) + rng.u64(..ANSWERS_BEFORE_KILL_MAX);
    let jitter = Duration::from_micros(rng.u64(..JITTER_US_MAX));
    thread::scope(|scope| {
        for client in clients {
            scope.spawn(move || while client.ask(load).is_ok() {});
        }
        wait_until("enough answers", LOAD_WITHIN, || load.answered.load(Ordering::Relaxed) >= target);
        // The moment of the kill is what is tried here; nothing waits for it.
        thread::sleep(jitter);
        server.kill9();
    });
}

fn assert_each_answer_once(rows: &[LedgerRow], clients: &[Client]) {
    let by_ref: HashMap<&str, &LedgerRow> = rows.iter().map(|row| (row.request_ref_id.as_str(), row)).collect();
    assert_eq!(by_ref.len(), rows.len(), "an id stands in the ledger twice");
    let mut seen = HashSet::new();
    for client in clients {
        for (id, charged) in &client.answers {
            assert!(seen.insert(id), "{id} was answered twice");
            let row = by_ref.get(id.as_str()).unwrap_or_else(|| panic!("{id} was answered and is not in the ledger"));
            let outcome = if *charged { "answered" } else { "repeated" };
            assert_eq!((row.charge_minor > 0, row.outcome.as_str()), (*charged, outcome), "{row:?}");
            assert_eq!((row.app.as_str(), row.environment.as_str()), (client.app.as_str(), "production"), "{row:?}");
        }
    }
    // What has a row and no answer was under way at a kill.
    let lost: usize = clients.iter().map(|client| client.lost).sum();
    assert!(rows.len() <= seen.len() + lost, "{} rows, {} answers, {lost} lost", rows.len(), seen.len());
}

/// Every check was answered in the end, so each is charged: once, whichever attempt it was.
fn assert_each_check_charged_once(rows: &[LedgerRow], clients: &[Client]) {
    let mut charged: HashMap<(&str, &str), usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.charge_minor > 0) {
        *charged.entry((&row.app, &row.product)).or_default() += 1;
    }
    for client in clients {
        for (asked, (_, product)) in client.asked.into_iter().zip(PRODUCTS) {
            let charged = charged.get(&(client.app.as_str(), product)).copied().unwrap_or_default();
            assert_eq!(charged, asked, "{} asked {asked} {product} checks and was charged for {charged}", client.app);
        }
    }
}
