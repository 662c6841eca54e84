//! SIGTERM under load: what was accepted is answered, and the ledger agrees.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, Running, wait_until};

const ROUNDS: u64 = 5;
const SEED: u64 = 4;
const CLIENTS: usize = 16;
const ANSWERS_BEFORE_STOP_MAX: u64 = 300;
const UNDER_WAY: usize = 8;
const WITHIN: Duration = Duration::from_secs(30);
const STOPPING: &str = "stopping: finishing what was accepted";

#[test]
fn sigterm_under_load_answers_everything_that_has_a_row() {
    let mut rng = fastrand::Rng::with_seed(SEED);
    let lab = Lab::new();
    let numbers = lab.import_sample(5_000, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let mut answered = HashSet::new();
    for _ in 0..ROUNDS {
        let server = lab.serve();
        let banks: Vec<Bank> = (0..CLIENTS).map(|_| Bank::of(&server, &app)).collect();
        let ids = stop_under_load(server, &banks, &numbers, rng.u64(..ANSWERS_BEFORE_STOP_MAX));
        let before = answered.len();
        answered.extend(ids.iter().cloned());
        assert_eq!(answered.len(), before + ids.len(), "an id was answered twice");
    }
    let rows: Vec<String> = lab.ledger().into_iter().map(|row| row.request_ref_id).collect();
    assert_eq!(rows.len(), answered.len(), "rows and answers");
    assert_eq!(rows.into_iter().collect::<HashSet<_>>(), answered, "a check has a row and got no answer");
    lab.verify_ledger();
    println!("family=shutdown cases={ROUNDS} failures=0 seed={SEED} answers={}", answered.len());
}

/// Stops the server after so many answers; the ids of all that came, also while it stopped.
fn stop_under_load(server: Running, banks: &[Bank], numbers: &[String], answers: u64) -> Vec<String> {
    let answered = &AtomicU64::new(0);
    thread::scope(|scope| {
        let clients: Vec<_> = banks
            .iter()
            .enumerate()
            .map(|(n, bank)| {
                let numbers = numbers.iter().cycle().skip(n * numbers.len() / CLIENTS);
                scope.spawn(move || ask_until_it_is_gone(bank, numbers, answered))
            })
            .collect();
        wait_until("enough answers", WITHIN, || answered.load(Ordering::Relaxed) >= answers);
        server.stop();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

fn ask_until_it_is_gone<'a>(
    bank: &Bank,
    mut numbers: impl Iterator<Item = &'a String>,
    answered: &AtomicU64,
) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(Ok(answer)) = numbers.next().map(|number| bank.try_check(IMSI, number, None)) {
        assert_eq!(answer.status, 200, "{answer:?}");
        answered.fetch_add(1, Ordering::Relaxed);
        ids.push(answer.field("requestRefID"));
    }
    ids
}

/// A request of which the server has the header, and not yet the body.
struct UnderWay(TcpStream);

impl UnderWay {
    fn begin(server: &Running, bank: &Bank, body: &str) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        let header = format!(
            "POST {IMSI} HTTP/1.1\r\nHost: laini\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            bank.token(),
            body.len()
        );
        stream.write_all(header.as_bytes()).unwrap();
        // The server says so once it reads the body: the request is accepted.
        let mut told = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut told).unwrap();
        assert!(told.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&told));
        Self(stream)
    }

    /// Sends the rest; everything that comes until the server closes the connection.
    fn end(mut self, body: &str) -> String {
        self.0.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn requests_whose_body_still_comes_are_finished_and_new_connections_are_refused() {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let bodies: Vec<String> =
        numbers[..UNDER_WAY].iter().map(|number| format!(r#"{{"customerNumber":"{number}"}}"#)).collect();
    let under_way: Vec<UnderWay> = bodies.iter().map(|body| UnderWay::begin(&server, &bank, body)).collect();
    server.terminate();
    wait_until("the signal was heard", WITHIN, || server.printed().1.contains(STOPPING));
    wait_until("the listener is closed", WITHIN, || TcpStream::connect(server.address()).is_err());
    for (request, body) in under_way.into_iter().zip(&bodies) {
        let answer = request.end(body);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    server.ended();
    assert_eq!(lab.ledger().len(), UNDER_WAY);
    lab.verify_ledger();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LAINI_SERVER_BODY_TIMEOUT_MS", "600000").env("LAINI_SERVER_REQUEST_TIMEOUT_MS", "600000");
    command.env("LAINI_SERVER_DRAIN_TIMEOUT_MS", "600000");
    let server = lab.start(command);
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.check(IMSI, &numbers[0]).status, 200);
    let _never_ends = UnderWay::begin(&server, &bank, &format!(r#"{{"customerNumber":"{}"}}"#, numbers[1]));
    server.terminate();
    wait_until("the signal was heard", WITHIN, || server.printed().1.contains(STOPPING));
    // Far sooner than the drain timeout, or the test fails.
    server.stop_now();
    assert_eq!(lab.verify_ledger(), 1);
}
