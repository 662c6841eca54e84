//! A revoked key is refused by every node, by one that hears of it late too.

use std::thread;
use std::time::{Duration, Instant};

use laini_testkit::postgres::{FaultProxy, Faults, fresh_database};

use crate::bank::{Bank, IMSI};
use crate::load::{configure, nodes};
use crate::running::{Credentials, Lab, wait_until};

/// Promised for revocations, on every node (P7).
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);
const WATCHED_FOR: Duration = Duration::from_secs(8);
const CALLERS: usize = 4;
const SEED: u64 = 20_261_126;

#[test]
fn a_revoked_key_is_refused_by_a_node_whose_database_is_slow_or_silent() {
    let database = fresh_database();
    let port = database.url().rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    let link = FaultProxy::start(port, SEED);
    let lab = Lab::new();
    configure(&lab, &database.url(), 0);
    let numbers = lab.import_sample(100, SEED).served();
    let delays = [Some(Duration::from_millis(200)), Some(Duration::from_secs(1)), Some(Duration::from_secs(3)), None];
    let mut apps: Vec<Credentials> = vec![lab.partner_app("Bank A", "production")];
    apps.resize_with(delays.len() + 1, || lab.app("Bank A", "production", "imsi"));
    let nodes = nodes(lab, &[database.url(), database.url_at(link.port())]);
    let (other, revoked) = apps.split_first().unwrap();
    let mut slowest = Duration::ZERO;
    for (delay, app) in delays.iter().zip(revoked) {
        let banks: Vec<Bank> = (0..CALLERS).map(|_| Bank::of(&nodes[1].server, app)).collect();
        wait_until("the node answers", WATCHED_FOR, || banks[0].check(IMSI, &numbers[0]).status == 200);
        link.set(match delay {
            Some(delay) => Faults { delay: *delay, ..Faults::default() },
            None => Faults { is_mute: true, ..Faults::default() },
        });
        nodes[0].lab.laini(&["app", "revoke", &app.consumer_key, "--reason", "a drill"]);
        let revoked = Instant::now();
        let last_answered = thread::scope(|scope| {
            let asking: Vec<_> =
                banks.iter().map(|bank| scope.spawn(|| last_answered(bank, &numbers, revoked))).collect();
            asking.into_iter().map(|asking| asking.join().unwrap()).max().unwrap()
        });
        assert!(last_answered < IN_FORCE_WITHIN, "answered {last_answered:?} after the revocation, {delay:?}");
        slowest = slowest.max(last_answered);
        link.set(Faults::default());
        let bank = Bank::of_newcomer(&nodes[1].server, other, WATCHED_FOR);
        wait_until("others are answered", WATCHED_FOR, || bank.check(IMSI, &numbers[0]).status == 200);
        assert_eq!(banks[0].check(IMSI, &numbers[0]).status, 401);
    }
    println!("family=revocation on a slow node cases={} failures=0 seed={SEED} slowest={slowest:?}", delays.len());
    for node in nodes {
        node.server.stop();
    }
}

/// How long after the revocation the last question was asked that was answered.
fn last_answered(bank: &Bank, numbers: &[String], revoked: Instant) -> Duration {
    let mut last = Duration::ZERO;
    for number in numbers.iter().cycle() {
        let asked = revoked.elapsed();
        if asked > WATCHED_FOR {
            break;
        }
        let answer = bank.check(IMSI, number);
        assert!([200, 401, 403, 503].contains(&answer.status), "{answer:?}");
        if answer.status == 200 {
            last = asked;
        }
        thread::sleep(Duration::from_millis(20));
    }
    last
}
