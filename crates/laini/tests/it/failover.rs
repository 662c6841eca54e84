//! Three nodes of one store: a database server dies, a node dies, stands still or is not heard any more. What
//! a bank was told stays true, and it is answered again soon.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use laini_testkit::postgres::{Cluster, FaultProxy, Faults, TestDatabase, fresh_database};
use rustix::process::{Signal, kill_process};

use crate::bank::{Bank, IMSI};
use crate::running::{Credentials, Lab, LedgerRow, Running, on_demand, wait_until};

const FAILOVERS: u64 = 3;
const NODES: usize = 3;
const CLIENTS: usize = 12;
const LINES: u32 = 5_000;
const SEED: u64 = 20_261_123;
/// The promise is 30 s; a machine busy with other tests gets twice as long.
const ANSWERED_AGAIN_WITHIN: Duration = Duration::from_mins(1);
const LOAD_WITHIN: Duration = Duration::from_mins(2);

/// A node with a data directory of its own and the keys of all.
struct Node {
    server: Running,
    /// Gone after its server, which logs into it.
    lab: Lab,
}

/// What the clients of one run share.
struct Load {
    numbers: Vec<String>,
    next: AtomicUsize,
    answered: AtomicUsize,
    is_over: AtomicBool,
    /// The ids of all answers, and whether they were charged.
    answers: Mutex<Vec<(String, bool)>>,
    refused: AtomicUsize,
    strange: Mutex<Vec<String>>,
}

impl Load {
    fn of(numbers: Vec<String>) -> Self {
        Self {
            numbers,
            next: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            answers: Mutex::default(),
            refused: AtomicUsize::new(0),
            strange: Mutex::default(),
        }
    }
}

/// Writes the settings of a node on a database.
fn configure(lab: &Lab, url: &str, node: usize) {
    fs::create_dir_all(lab.data()).unwrap();
    // The database of a cluster wants a password, which has no place in an address.
    let file = lab.path("password");
    fs::write(&file, "pw").unwrap();
    let (url, file) = (url.replace(":pw@", "@"), file.display());
    let text =
        format!("[store]\nkind = \"postgres\"\nurl = \"{url}\"\npassword_file = \"{file}\"\nnode = \"node-{node}\"\n");
    fs::write(lab.data().join("laini.toml"), text).unwrap();
}

/// Starts the nodes, each at its own address of the database, with the keys of the first.
fn nodes(first: Lab, urls: &[String]) -> Vec<Node> {
    let keys = first.data().join("keys");
    let server = first.serve();
    let mut nodes = vec![Node { server, lab: first }];
    for (number, url) in urls.iter().enumerate().skip(1) {
        let lab = Lab::new();
        configure(&lab, url, number);
        copy(&keys, &lab.data().join("keys"));
        nodes.push(Node { server: lab.serve(), lab });
    }
    nodes
}

fn copy(from: &std::path::Path, into: &std::path::Path) {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = into.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A bank's client: asks until all is over; what got no answer is asked again under the same id, as the
/// contract has it.
fn ask(bank: &Bank, load: &Load) {
    while !load.is_over.load(Ordering::Relaxed) {
        let n = load.next.fetch_add(1, Ordering::Relaxed);
        let (number, id) = (&load.numbers[n % load.numbers.len()], format!("check-{n}"));
        while !load.is_over.load(Ordering::Relaxed) {
            match bank.try_check(IMSI, number, Some(&id)) {
                Ok(answer) if answer.status == 200 => {
                    let is_charged = answer.header("Laini-Charge").starts_with("KES ");
                    load.answers.lock().unwrap().push((answer.field("requestRefID"), is_charged));
                    load.answered.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok(answer) if answer.status == 503 => {
                    load.refused.fetch_add(1, Ordering::Relaxed);
                    // As a client does that heeds Retry-After, only sooner.
                    thread::sleep(Duration::from_millis(50));
                }
                Ok(answer) => {
                    load.strange.lock().unwrap().push(format!("{} {}", answer.status, answer.text));
                    break;
                }
                Err(lost) => {
                    load.strange.lock().unwrap().push(lost.to_string());
                    break;
                }
            }
        }
    }
}

#[test]
fn a_database_server_dies_and_nothing_that_a_bank_was_told_is_lost() {
    let failovers = on_demand("LAINI_TEST_FAILOVERS", FAILOVERS);
    let mut cluster = Cluster::start();
    let lab = Lab::new();
    let urls = vec![cluster.url(); NODES];
    configure(&lab, &urls[0], 0);
    let numbers = lab.import_sample(LINES, SEED).served();
    let mut apps: Vec<Credentials> = vec![lab.partner_app("Bank A", "production")];
    apps.resize_with(CLIENTS, || lab.app("Bank A", "production", "imsi,swap,age"));
    let nodes = nodes(lab, &urls);
    let banks: Vec<Bank> = apps.iter().enumerate().map(|(n, app)| Bank::of(&nodes[n % NODES].server, app)).collect();
    let load = Load::of(numbers);
    let mut outages = Vec::new();
    thread::scope(|scope| {
        for bank in &banks {
            scope.spawn(|| ask(bank, &load));
        }
        for round in 0..failovers {
            let before = load.answered.load(Ordering::Relaxed);
            wait_until("load", LOAD_WITHIN, || load.answered.load(Ordering::Relaxed) > before + 200);
            outages.push(fail_over(&mut cluster, &load, round));
        }
        load.is_over.store(true, Ordering::Relaxed);
    });
    let rows = nodes[0].lab.ledger();
    assert_eq!(nodes[0].lab.verify_ledger(), rows.len() as u64);
    let strange = load.strange.into_inner().unwrap();
    assert!(strange.is_empty(), "answers beside 200 and 503: {strange:?}");
    let answers = load.answers.into_inner().unwrap();
    assert_answers_stand(&rows, &answers);
    let worst = outages.iter().max().copied().unwrap_or_default();
    assert!(worst <= ANSWERED_AGAIN_WITHIN, "answered again only after {worst:?}");
    let outages: Vec<String> = outages.iter().map(|outage| format!("{:.1}", outage.as_secs_f64())).collect();
    println!(
        "family=database failovers cases={failovers} failures=0 seed={SEED} answers={} refused={} rows={} outages_s={}",
        answers.len(),
        load.refused.load(Ordering::Relaxed),
        rows.len(),
        outages.join(",")
    );
    for node in nodes {
        node.server.stop();
    }
}

/// Takes the leader away in one of three ways; how long nobody was answered.
fn fail_over(cluster: &mut Cluster, load: &Load, round: u64) -> Duration {
    let leader = cluster.wait_for_leader();
    match round % 3 {
        0 => cluster.kill(leader),
        1 => cluster.freeze(leader),
        _ => cluster.kill_postgres(leader),
    }
    let begun = Instant::now();
    // What was under way at that moment may still be answered.
    thread::sleep(Duration::from_millis(500));
    let before = load.answered.load(Ordering::Relaxed);
    wait_until("answers again", ANSWERED_AGAIN_WITHIN, || load.answered.load(Ordering::Relaxed) > before + 20);
    let outage = begun.elapsed();
    match round % 3 {
        0 => cluster.start_member(leader),
        1 => cluster.thaw(leader),
        _ => {}
    }
    cluster.wait_until_whole();
    outage
}

fn assert_answers_stand(rows: &[LedgerRow], answers: &[(String, bool)]) {
    let by_ref: HashMap<&str, &LedgerRow> = rows.iter().map(|row| (row.request_ref_id.as_str(), row)).collect();
    assert_eq!(by_ref.len(), rows.len(), "an id stands in the ledger twice");
    let reversed: HashSet<&str> = rows.iter().map(|row| row.reverses.as_str()).filter(|id| !id.is_empty()).collect();
    let mut seen = HashSet::new();
    for (id, is_charged) in answers {
        assert!(seen.insert(id), "one id was answered twice");
        let row = by_ref.get(id.as_str()).unwrap_or_else(|| panic!("an acknowledged check is lost"));
        assert_eq!(row.charge_minor != 0, *is_charged, "{id} was told otherwise");
        assert!(!reversed.contains(id.as_str()), "an acknowledged check was reversed");
    }
}

const NODE_FAULTS: u64 = 10;
const HISTORY_OPERATIONS: u64 = 100_000;
/// So long a node stands still or is not heard: longer than its leases of anything are not needed for.
const FAULT_LASTS: Duration = Duration::from_millis(1_500);
/// What the others still answer of what they answered before.
const GOODPUT_KEPT: f64 = 0.6;

/// What a client asks whose node may be gone: it goes on at the next one, under the same id, and comes back
/// after a while.
fn ask_somewhere(banks: &[Bank], home: usize, load: &Load, counts: &[AtomicUsize]) {
    let mut away_since: Option<Instant> = None;
    let mut at = home;
    while !load.is_over.load(Ordering::Relaxed) {
        let n = load.next.fetch_add(1, Ordering::Relaxed);
        let (number, id) = (&load.numbers[n % load.numbers.len()], format!("check-{n}"));
        if away_since.is_some_and(|since| since.elapsed() > FAULT_LASTS) {
            (at, away_since) = (home, None);
        }
        loop {
            match banks[at].try_check(IMSI, number, Some(&id)) {
                Ok(answer) if answer.status == 200 => {
                    let is_charged = answer.header("Laini-Charge").starts_with("KES ");
                    load.answers.lock().unwrap().push((answer.field("requestRefID"), is_charged));
                    load.answered.fetch_add(1, Ordering::Relaxed);
                    counts[at].fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok(answer) if answer.status == 503 => drop(load.refused.fetch_add(1, Ordering::Relaxed)),
                Ok(answer) => {
                    load.strange.lock().unwrap().push(format!("{} {}", answer.status, answer.text));
                    break;
                }
                Err(_) => {}
            }
            at = (at + 1) % banks.len();
            away_since = Some(Instant::now());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Three nodes, each behind a link of its own to one database.
struct Linked {
    nodes: Vec<Option<Node>>,
    links: Vec<FaultProxy>,
    ports: Vec<u16>,
    _database: TestDatabase,
}

impl Linked {
    fn start(lab: Lab, database: TestDatabase, links: Vec<FaultProxy>) -> Self {
        let urls: Vec<String> = links.iter().map(|link| database.url_at(link.port())).collect();
        let nodes = nodes(lab, &urls);
        let port = |node: &Node| node.server.base_url.rsplit_once(':').unwrap().1.parse().unwrap();
        let ports = nodes.iter().map(port).collect();
        Self { nodes: nodes.into_iter().map(Some).collect(), links, ports, _database: database }
    }

    /// Takes one node away for a while, in one of three ways.
    fn strike(&mut self, number: usize, round: u64) {
        let signal = |linked: &Self, signal| {
            let pid = linked.nodes[number].as_ref().unwrap().server.pid;
            kill_process(pid, signal).unwrap();
        };
        match round % 3 {
            0 => {
                let Node { server, lab } = self.nodes[number].take().unwrap();
                server.kill9();
                thread::sleep(FAULT_LASTS);
                let listen = format!("127.0.0.1:{}", self.ports[number]);
                let server = lab.start(lab.command(&["serve", "--listen", &listen]));
                self.nodes[number] = Some(Node { server, lab });
            }
            1 => {
                signal(self, Signal::STOP);
                thread::sleep(FAULT_LASTS);
                signal(self, Signal::CONT);
            }
            _ => {
                let is_mute = round.is_multiple_of(2);
                self.links[number].set(Faults { is_mute, is_deaf: !is_mute, ..Faults::default() });
                thread::sleep(FAULT_LASTS);
                self.links[number].set(Faults::default());
            }
        }
    }
}

#[test]
fn a_node_dies_stands_still_or_is_not_heard_and_the_others_answer() {
    let (faults, operations) =
        (on_demand("LAINI_TEST_NODE_FAULTS", NODE_FAULTS), on_demand("LAINI_TEST_NODE_OPS", HISTORY_OPERATIONS));
    let database = fresh_database();
    let port = database.url().rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    let links: Vec<FaultProxy> = (0..NODES).map(|_| FaultProxy::start(port, SEED)).collect();
    let lab = Lab::new();
    configure(&lab, &database.url_at(links[0].port()), 0);
    let load = Load::of(lab.import_sample(LINES, SEED).served());
    let mut apps: Vec<Credentials> = vec![lab.partner_app("Bank A", "production")];
    apps.resize_with(CLIENTS, || lab.app("Bank A", "production", "imsi,swap,age"));
    let mut linked = Linked::start(lab, database, links);
    let bank =
        |node: &Option<Node>, app| Bank::of(&node.as_ref().unwrap().server, app).patient_for(Duration::from_secs(2));
    let banks: Vec<Vec<Bank>> =
        apps.iter().map(|app| linked.nodes.iter().map(|node| bank(node, app)).collect()).collect();
    let counts: Vec<AtomicUsize> = (0..NODES).map(|_| AtomicUsize::new(0)).collect();
    let mut worst: f64 = 1.0;
    thread::scope(|scope| {
        for (client, banks) in banks.iter().enumerate() {
            let (load, counts) = (&load, &counts);
            scope.spawn(move || ask_somewhere(banks, client % NODES, load, counts));
        }
        let others = |struck: usize| -> usize {
            let others = counts.iter().enumerate().filter(|(number, _)| *number != struck);
            others.map(|(_, count)| count.load(Ordering::Relaxed)).sum()
        };
        for round in 0..faults {
            let struck = usize::try_from(round).unwrap() % NODES;
            let before = others(struck);
            thread::sleep(FAULT_LASTS);
            let (at_fault, began) = (others(struck), Instant::now());
            linked.strike(struck, round);
            let rate = |answers: usize, time: Duration| f64::from(u32::try_from(answers).unwrap()) / time.as_secs_f64();
            let during = rate(others(struck) - at_fault, began.elapsed());
            worst = worst.min(during / rate((at_fault - before).max(1), FAULT_LASTS));
        }
        let wanted = usize::try_from(operations).unwrap();
        wait_until("enough operations", LOAD_WITHIN, || load.answered.load(Ordering::Relaxed) >= wanted);
        load.is_over.store(true, Ordering::Relaxed);
    });
    let lab = &linked.nodes[0].as_ref().unwrap().lab;
    let rows = lab.ledger();
    assert_eq!(lab.verify_ledger(), rows.len() as u64);
    let strange = load.strange.into_inner().unwrap();
    assert!(strange.is_empty(), "answers beside 200 and 503: {:?}", &strange[..strange.len().min(5)]);
    let answers = load.answers.into_inner().unwrap();
    assert_answers_stand(&rows, &answers);
    // Every check was asked until it was answered: it is paid once, whatever happened to it.
    let paid: i64 = rows.iter().map(|row| row.charge_minor).sum();
    assert_eq!(paid, i64::try_from(answers.len()).unwrap() * 2_000);
    assert!(worst >= GOODPUT_KEPT, "the others kept {worst:.2} of their goodput");
    println!(
        "family=node faults cases={faults} failures=0 seed={SEED} kept={worst:.2}\n\
         family=history over three nodes cases={} failures=0 rows={} refused={}",
        answers.len(),
        rows.len(),
        load.refused.load(Ordering::Relaxed)
    );
    for node in linked.nodes.into_iter().flatten() {
        node.server.stop();
    }
}
