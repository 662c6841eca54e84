//! Nodes are replaced one after the other while banks ask: by the same release, and beside the next one.

use std::thread;
use std::time::Duration;

use laini_testkit::postgres::fresh_database;

use crate::load::{Load, Sdk, configure, nodes};
use crate::running::{Lab, Running, wait_until};

const NODES: usize = 3;
const CLIENTS: usize = 6;
const LINES: u32 = 2_000;
const SEED: u64 = 20_261_124;
/// Longer than a node needs to finish what it accepted.
const PATIENCE_MS: u64 = 30_000;
const LOAD_WITHIN: Duration = Duration::from_mins(2);
const ANSWERS_BETWEEN: usize = 300;

/// What the release after this one does to the tables: what it adds is nothing to nodes of this one.
const NEXT_RELEASE: [&str; 3] = [
    "ALTER TABLE ledger ADD COLUMN next_release bigint",
    "CREATE TABLE next_release (id bigint PRIMARY KEY)",
    "UPDATE laini_schema SET compatible_from = version, version = version + 1",
];

#[test]
fn nodes_are_replaced_under_load_and_beside_the_next_release_and_nothing_is_lost() {
    let database = fresh_database();
    let lab = Lab::new();
    configure(&lab, &database.url(), 0);
    let numbers = lab.import_sample(LINES, SEED).served();
    let mut apps = vec![lab.partner_app("Bank A", "production")];
    apps.resize_with(CLIENTS, || lab.app("Bank A", "production", "imsi"));
    let mut nodes = nodes(lab, &vec![database.url(); NODES]);
    let (load, banks) = (Load::of(numbers, &nodes), Sdk::of_all(&nodes, &apps, PATIENCE_MS));
    let answered_more = || {
        let before = load.answered();
        wait_until("answers", LOAD_WITHIN, || load.answered() > before + ANSWERS_BETWEEN);
    };
    thread::scope(|scope| {
        let _ending = load.ending();
        for (client, banks) in banks.iter().enumerate() {
            let load = &load;
            scope.spawn(move || load.ask(banks, client % NODES));
        }
        for round in 0..2 {
            for _ in 0..NODES {
                answered_more();
                let replaced = nodes.remove(0).again(Running::stop);
                nodes.push(replaced);
            }
            answered_more();
            if round == 0 {
                for statement in NEXT_RELEASE {
                    database.execute(statement);
                }
                answered_more();
            }
        }
    });
    let rows = nodes[0].lab.ledger();
    assert_eq!(nodes[0].lab.verify_ledger(), rows.len() as u64);
    let answers = load.assert_stands(&rows);
    // Every check was asked until it was answered: it is paid once.
    let paid: i64 = rows.iter().map(|row| row.charge_minor).sum();
    assert_eq!(paid, i64::try_from(answers).unwrap() * 2_000);
    let lost: usize = (0..NODES).map(|node| load.lost(node)).sum();
    println!(
        "family=rolling restart cases={} failures=0 seed={SEED} answers={answers} refused={} broken_off={lost}",
        2 * NODES,
        load.refused()
    );
    for node in nodes {
        node.server.stop();
    }
}

#[test]
fn a_node_that_the_tables_are_too_new_for_does_not_start_and_says_so() {
    let database = fresh_database();
    let lab = Lab::new();
    configure(&lab, &database.url(), 0);
    lab.serve().stop();
    database.execute("UPDATE laini_schema SET version = version + 1, compatible_from = version + 1");
    let said = lab.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("newer") && said.contains("hint: "), "{said}");
}
