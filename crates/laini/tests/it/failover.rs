//! Three nodes of one store: a database server dies, a node dies, stands still or is not heard any more. What
//! a bank was told stays true, and it is answered again soon.

use std::thread;
use std::time::{Duration, Instant};

use laini_testkit::postgres::{Cluster, FaultProxy, Faults, TestDatabase, fresh_database};
use rustix::process::{Signal, kill_process};

use crate::bank::Bank;
use crate::load::{Load, Node, Sdk, configure, nodes};
use crate::running::{Credentials, Lab, Running, on_demand, wait_until};

const FAILOVERS: u64 = 4;
const NODES: usize = 3;
const CLIENTS: usize = 12;
const LINES: u32 = 5_000;
const SEED: u64 = 20_261_123;
/// The promise is 30 s; a machine busy with other tests gets twice as long.
const ANSWERED_AGAIN_WITHIN: Duration = Duration::from_mins(1);
const LOAD_WITHIN: Duration = Duration::from_mins(2);

/// Longer than a node needs to answer or to refuse, whatever its database does.
const PATIENCE_MS: u64 = 10_000;

#[test]
fn a_database_server_dies_and_nothing_that_a_bank_was_told_is_lost() {
    let failovers = on_demand("LAINI_TEST_FAILOVERS", FAILOVERS);
    let mut cluster = Cluster::start();
    let lab = Lab::new();
    let urls = vec![cluster.url(); NODES];
    configure(&lab, &urls[0], 0);
    let numbers = lab.import_sample(LINES, SEED).served();
    let apps = apps(&lab);
    let mut nodes = nodes(lab, &urls);
    let (load, banks) = (Load::of(numbers, &nodes), Sdk::of_all(&nodes, &apps, PATIENCE_MS));
    let mut outages = Vec::new();
    thread::scope(|scope| {
        let _ending = load.ending();
        for (client, banks) in banks.iter().enumerate() {
            let load = &load;
            scope.spawn(move || load.ask(banks, client % NODES));
        }
        for round in 0..failovers {
            let before = load.answered();
            wait_until("load", LOAD_WITHIN, || load.answered() > before + 200);
            outages.push(fail_over(&mut cluster, &mut nodes, &load, round));
        }
    });
    let rows = nodes[0].lab.ledger();
    assert_eq!(nodes[0].lab.verify_ledger(), rows.len() as u64);
    let answers = load.assert_stands(&rows);
    for spared in 0..NODES - 1 {
        assert_eq!(load.lost(spared), 0, "a node that nobody touched broke off requests");
    }
    let worst = outages.iter().max().copied().unwrap_or_default();
    assert!(worst <= ANSWERED_AGAIN_WITHIN, "answered again only after {worst:?}");
    let outages: Vec<String> = outages.iter().map(|outage| format!("{:.1}", outage.as_secs_f64())).collect();
    println!(
        "family=database failovers cases={failovers} failures=0 seed={SEED} answers={answers} refused={} lost={} \
         rows={} outages_s={}",
        load.refused(),
        load.lost(NODES - 1),
        rows.len(),
        outages.join(",")
    );
    for node in nodes {
        node.server.stop();
    }
}

/// One for each client.
fn apps(lab: &Lab) -> Vec<Credentials> {
    let mut apps = vec![lab.partner_app("Bank A", "production")];
    apps.resize_with(CLIENTS, || lab.app("Bank A", "production", "imsi,swap,age"));
    apps
}

/// Takes the leader away, and in two of four rounds the last node with it; how long nobody was answered.
fn fail_over(cluster: &mut Cluster, nodes: &mut Vec<Node>, load: &Load, round: u64) -> Duration {
    let leader = cluster.wait_for_leader();
    let frozen = nodes[NODES - 1].server.pid;
    match round % 4 {
        0 => cluster.kill_postgres(leader),
        1 => cluster.freeze(leader),
        2 => {
            kill_process(frozen, Signal::STOP).unwrap();
            cluster.freeze(leader);
        }
        _ => {
            kill_process(frozen, Signal::KILL).unwrap();
            cluster.kill(leader);
        }
    }
    let begun = Instant::now();
    // What was under way at that moment may still be answered.
    thread::sleep(Duration::from_millis(500));
    let before = load.answered();
    wait_until("answers again", ANSWERED_AGAIN_WITHIN, || load.answered() > before + 20);
    let outage = begun.elapsed();
    match round % 4 {
        0 => {}
        1 => cluster.thaw(leader),
        2 => {
            kill_process(frozen, Signal::CONT).unwrap();
            cluster.thaw(leader);
        }
        _ => {
            let node = nodes.pop().unwrap().again(Running::kill9);
            nodes.push(node);
            cluster.start_member(leader);
        }
    }
    cluster.wait_until_whole();
    outage
}

const NODE_FAULTS: u64 = 10;
/// Kill, pause, one-way loss.
const KINDS_OF_FAULT: usize = 3;

fn fault_of(round: u64) -> usize {
    usize::try_from(round).unwrap() % KINDS_OF_FAULT
}
const HISTORY_OPERATIONS: u64 = 100_000;
/// So long a node stands still or is not heard: longer than its leases of anything are not needed for.
const FAULT_LASTS: Duration = Duration::from_millis(1_500);
/// What the others still answer of what they answered before.
const GOODPUT_KEPT: f64 = 0.6;
/// So long a client waits before it goes on at another node.
const IMPATIENCE: Duration = Duration::from_secs(2);

/// What the others answered in a second, summed over the rounds of one fault: before each strike, and under it.
#[derive(Default)]
struct Goodput {
    before: f64,
    during: f64,
}

/// Three nodes, each behind a link of its own to one database.
struct Linked {
    nodes: Vec<Node>,
    links: Vec<FaultProxy>,
    _database: TestDatabase,
}

impl Linked {
    fn start(lab: Lab, database: TestDatabase, links: Vec<FaultProxy>) -> Self {
        let urls: Vec<String> = links.iter().map(|link| database.url_at(link.port())).collect();
        Self { nodes: nodes(lab, &urls), links, _database: database }
    }

    /// Takes one node away for a while, in one of three ways.
    fn strike(&mut self, number: usize, round: u64) {
        let pid = self.nodes[number].server.pid;
        match fault_of(round) {
            0 => {
                let node = self.nodes.remove(number).again(|server| {
                    server.kill9();
                    thread::sleep(FAULT_LASTS);
                });
                self.nodes.insert(number, node);
            }
            1 => {
                kill_process(pid, Signal::STOP).unwrap();
                thread::sleep(FAULT_LASTS);
                kill_process(pid, Signal::CONT).unwrap();
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

/// Measures what others answer, so the test command runs it with nothing beside it.
#[test]
fn a_node_dies_stands_still_or_is_not_heard_and_the_others_answer() {
    let (faults, operations) =
        (on_demand("LAINI_TEST_NODE_FAULTS", NODE_FAULTS), on_demand("LAINI_TEST_NODE_OPS", HISTORY_OPERATIONS));
    let database = fresh_database();
    let port = database.url().rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    let links: Vec<FaultProxy> = (0..NODES).map(|_| FaultProxy::start(port, SEED)).collect();
    let lab = Lab::new();
    configure(&lab, &database.url_at(links[0].port()), 0);
    let numbers = lab.import_sample(LINES, SEED).served();
    let apps = apps(&lab);
    let mut linked = Linked::start(lab, database, links);
    let load = Load::of(numbers, &linked.nodes);
    let bank = |node: &Node, app| Bank::of(&node.server, app).patient_for(IMPATIENCE);
    let banks: Vec<Vec<Bank>> =
        apps.iter().map(|app| linked.nodes.iter().map(|node| bank(node, app)).collect()).collect();
    let mut goodput: [Goodput; KINDS_OF_FAULT] = Default::default();
    thread::scope(|scope| {
        let _ending = load.ending();
        for (client, banks) in banks.iter().enumerate() {
            let load = &load;
            scope.spawn(move || load.ask(banks, client % NODES));
        }
        for round in 0..faults {
            // Each kind of fault comes to each node in turn.
            let struck = usize::try_from(round + round / 3).unwrap() % NODES;
            let measured = |what: &mut dyn FnMut()| {
                let (before, began) = (load.answered_beside(Some(struck)), Instant::now());
                what();
                let answers = u32::try_from(load.answered_beside(Some(struck)) - before).unwrap();
                f64::from(answers) / began.elapsed().as_secs_f64()
            };
            let goodput = &mut goodput[fault_of(round)];
            goodput.before += measured(&mut || thread::sleep(FAULT_LASTS));
            goodput.during += measured(&mut || linked.strike(struck, round));
        }
        let wanted = usize::try_from(operations).unwrap();
        wait_until("enough operations", LOAD_WITHIN, || load.answered() >= wanted);
    });
    let lab = &linked.nodes[0].lab;
    let rows = lab.ledger();
    assert_eq!(lab.verify_ledger(), rows.len() as u64);
    let answers = load.assert_stands(&rows);
    // Every check was asked until it was answered: it is paid once, whatever happened to it.
    let paid: i64 = rows.iter().map(|row| row.charge_minor).sum();
    assert_eq!(paid, i64::try_from(answers).unwrap() * 2_000);
    let kept = goodput.map(|goodput| goodput.during / goodput.before);
    assert!(kept.iter().all(|kept| *kept >= GOODPUT_KEPT), "the others kept {kept:.2?} of their goodput");
    println!(
        "family=node faults cases={faults} failures=0 seed={SEED} kept={kept:.2?}\n\
         family=history over three nodes cases={answers} failures=0 rows={} refused={}",
        rows.len(),
        load.refused()
    );
    for node in linked.nodes {
        node.server.stop();
    }
}
