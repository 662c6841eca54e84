//! Three nodes of one store, and a member of the database that is cut off by the network while all of its
//! processes go on: nobody is told, connections hang. What a bank was told stays true.

use std::thread;
use std::time::{Duration, Instant};

use laini_testkit::postgres::{Cluster, Network, value};

use crate::load::{Load, Sdk, configure, nodes};
use crate::running::{Lab, on_demand, wait_until};

const PARTITIONS: u64 = 4;
const MEMBERS: usize = 3;
const NODES: usize = 3;
const CLIENTS: usize = 12;
const LINES: u32 = 5_000;
const SEED: u64 = 20_261_123;
/// The promise is 30 s; a machine busy with other tests gets twice as long.
const ANSWERED_AGAIN_WITHIN: Duration = Duration::from_mins(1);
const LOAD_WITHIN: Duration = Duration::from_mins(2);
/// Longer than a node needs to answer or to refuse, whatever its database does.
const PATIENCE_MS: u64 = 10_000;
/// Shorter than a leader that is not heard of stays the leader.
const STUTTER: Duration = Duration::from_secs(3);

#[test]
fn a_database_server_is_cut_off_and_nothing_that_a_bank_was_told_is_lost() {
    let done = Network::inside(MEMBERS, |network| {
        if let Err(why) = &network {
            println!("no network namespaces to be had ({why}): members stand still instead of being cut off");
        }
        let is_real = network.is_ok();
        partitions(&Cluster::start_on(network.ok()), is_real)
    });
    println!("family=database partitions {done}");
}

/// What was done, for people.
fn partitions(cluster: &Cluster, is_real: bool) -> String {
    let partitions = on_demand("LAINI_TEST_PARTITIONS", PARTITIONS);
    let lab = Lab::new();
    let urls = vec![cluster.url(); NODES];
    configure(&lab, &urls[0], 0);
    let numbers = lab.import_sample(LINES, SEED).served();
    let mut apps = vec![lab.partner_app("Bank A", "production")];
    apps.resize_with(CLIENTS, || lab.app("Bank A", "production", "imsi,swap,age"));
    let nodes = nodes(lab, &urls);
    let (load, banks) = (Load::of(numbers, &nodes), Sdk::of_all(&nodes, &apps, PATIENCE_MS));
    let mut outages = Vec::new();
    thread::scope(|scope| {
        let _ending = load.ending();
        for (client, banks) in banks.iter().enumerate() {
            let load = &load;
            scope.spawn(move || load.ask(banks, client % NODES));
        }
        for round in 0..partitions {
            let before = load.answered();
            wait_until("load", LOAD_WITHIN, || load.answered() > before + 200);
            outages.push(match round % 4 {
                1 => cut_standby(cluster, &load),
                2 if is_real => cut_unwatched_leader(cluster, &load),
                0 | 2 => cut_leader(cluster, &load),
                _ => stutter(cluster, &load),
            });
            cluster.wait_until_whole();
        }
    });
    let rows = nodes[0].lab.ledger();
    assert_eq!(nodes[0].lab.verify_ledger(), rows.len() as u64);
    let answers = load.assert_stands(&rows);
    for node in 0..NODES {
        assert_eq!(load.lost(node), 0, "a node broke off requests instead of refusing them");
    }
    for member in 0..MEMBERS {
        let count = || value(&cluster.url_of(member), "SELECT count(*) FROM ledger");
        wait_until("every member has the same ledger", LOAD_WITHIN, || count() == Some(rows.len().to_string()));
    }
    let worst = outages.iter().max().copied().unwrap_or_default();
    assert!(worst <= ANSWERED_AGAIN_WITHIN, "answered again only after {worst:?}");
    let outages: Vec<String> = outages.iter().map(|outage| format!("{:.1}", outage.as_secs_f64())).collect();
    for node in &nodes {
        node.server.terminate();
    }
    for node in nodes {
        node.server.ended();
    }
    format!(
        "cases={partitions} failures=0 seed={SEED} answers={answers} refused={} rows={} outages_s={}",
        load.refused(),
        rows.len(),
        outages.join(",")
    )
}

/// The leader is cut off until another one leads and checks are answered. It ends its PostgreSQL as soon as
/// it notices, and comes back as a standby.
fn cut_leader(cluster: &Cluster, load: &Load) -> Duration {
    let leader = cluster.wait_for_leader();
    cluster.cut(leader);
    let outage = until_answered(load);
    assert_ne!(cluster.wait_for_leader(), leader, "a member that nobody hears leads");
    cluster.join(leader);
    outage
}

/// The same with a leader that does not notice, because its Patroni stands still: it comes back as a second
/// server that takes writes, and has the connections that it had, and half of the new ones. Whatever it is
/// asked to commit will be forgotten, so no bank may be told of it.
fn cut_unwatched_leader(cluster: &Cluster, load: &Load) -> Duration {
    let old = cluster.wait_for_leader();
    cluster.freeze_patroni(old);
    cluster.cut(old);
    let outage = until_answered(load);
    let new = cluster.wait_for_leader();
    cluster.join(old);
    for leader in [old, new] {
        let takes_writes = value(&cluster.url_of(leader), "SELECT NOT pg_is_in_recovery()");
        assert_eq!(takes_writes.as_deref(), Some("t"), "there were to be two");
    }
    let sessions = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'laini'";
    value(&cluster.url_of(new), sessions);
    let connected_again = until_answered(load);
    cluster.thaw(old);
    outage.max(connected_again)
}

/// Whoever confirms commits is cut off until another one does.
fn cut_standby(cluster: &Cluster, load: &Load) -> Duration {
    let mut standby = None;
    wait_until("a synchronous standby", LOAD_WITHIN, || {
        standby = cluster.synchronous_standby();
        standby.is_some()
    });
    let standby = standby.unwrap();
    cluster.cut(standby);
    let outage = until_answered(load);
    cluster.join(standby);
    outage
}

/// The leader is cut off for so short a time that it may go on to lead.
fn stutter(cluster: &Cluster, load: &Load) -> Duration {
    let leader = cluster.wait_for_leader();
    cluster.cut(leader);
    thread::sleep(STUTTER);
    cluster.join(leader);
    let at_once = until_answered(load);
    // It may step down only now.
    thread::sleep(STUTTER);
    STUTTER + at_once.max(until_answered(load))
}

/// From now until checks are answered.
fn until_answered(load: &Load) -> Duration {
    let begun = Instant::now();
    // What was under way at that moment may still be answered.
    thread::sleep(Duration::from_millis(500));
    let before = load.answered();
    wait_until("answers again", ANSWERED_AGAIN_WITHIN, || load.answered() > before + 20);
    begun.elapsed()
}
