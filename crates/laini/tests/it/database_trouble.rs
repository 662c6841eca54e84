//! The database is in trouble: it answers late or not at all, somebody holds a lock, there is no room for
//! connections. Callers are refused soon instead of being kept waiting, what they were told stays true, and
//! nothing is left behind.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use laini_testkit::postgres::{Door, FaultProxy, Faults, TestDatabase, execute, fresh_database};

use crate::bank::{Answer, Bank, IMSI};
use crate::load::{Ending, Node, assert_answers_stand, configure, nodes};
use crate::running::{Lab, on_demand, wait_until};

/// Every trouble comes so often: what a single one leaks may be too little to be seen.
const ROUNDS: u64 = 3;
/// Callers that ask all the time, and those that come while the trouble is there already.
const STEADY: usize = 40;
const NEWCOMERS: usize = 8;
const LINES: u32 = 5_000;
const SEED: u64 = 20_261_124;
const TROUBLE_LASTS: Duration = Duration::from_secs(6);
/// So long nobody can know that it is more than a hiccup.
const NOTICED_WITHIN: Duration = Duration::from_millis(300);
/// From then on 99 of 100 refusals come within this.
const REFUSED_WITHIN: Duration = Duration::from_millis(300);
/// Who was there before may be waited for so long: the whole of a request.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);
const ANSWERED_AGAIN_WITHIN: Duration = Duration::from_secs(10);
/// A trouble, the time it takes to end, and then some.
const ANSWERED_AT_LAST_WITHIN: Duration = Duration::from_secs(30);
/// As a client does that heeds Retry-After, only sooner.
const COMES_BACK_AFTER: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Connections that a node may hold (docs/guide/scale.md).
const CONNECTIONS_MAX: usize = 13;
const PRICE_MINOR: i64 = 2_000;

/// One answer: when it was asked for, how long it took, and what it was.
struct Told {
    is_keyed: bool,
    began: Instant,
    took: Duration,
    status: u16,
}

/// What came of a scene.
struct Played {
    told: Vec<Told>,
    /// For the record.
    line: String,
}

/// What the callers of one test share.
#[derive(Default)]
struct Load {
    numbers: Vec<String>,
    next: AtomicUsize,
    answered: AtomicUsize,
    is_trouble: AtomicBool,
    is_over: AtomicBool,
    told: Mutex<Vec<Told>>,
    /// The ids of all answers, and whether they were charged.
    answers: Mutex<Vec<(String, bool)>>,
    strange: Mutex<Vec<String>>,
}

impl Load {
    /// Asks one question until it is answered.
    fn ask(&self, bank: &Bank, is_keyed: bool) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let (number, id) = (&self.numbers[n % self.numbers.len()], format!("check-{n}"));
        let asked = Instant::now();
        while asked.elapsed() < ANSWERED_AT_LAST_WITHIN {
            let began = Instant::now();
            let asked = if is_keyed {
                bank.canaries().number(number);
                bank.post(IMSI, &[("Idempotency-Key", &id)], &format!(r#"{{"customerNumber":"{number}"}}"#))
            } else {
                bank.try_check(IMSI, number, Some(&id))
            };
            let answer = match asked {
                Ok(answer) => answer,
                Err(lost) => return self.strange.lock().unwrap().push(lost.to_string()),
            };
            self.told.lock().unwrap().push(Told { is_keyed, began, took: began.elapsed(), status: answer.status });
            if answer.status == 200 {
                let is_charged = answer.header("Laini-Charge").starts_with("KES ");
                self.answers.lock().unwrap().push((answer.field("requestRefID"), is_charged));
                self.answered.fetch_add(1, Ordering::Relaxed);
                return;
            }
            if !is_as_in_the_contract(&answer) {
                return self.strange.lock().unwrap().push(format!("{answer:?}"));
            }
            thread::sleep(COMES_BACK_AFTER);
        }
        self.strange.lock().unwrap().push("never answered".to_owned());
    }

    /// A caller that asks all the time.
    fn ask_on(&self, bank: &Bank, is_keyed: bool) {
        while !self.is_over.load(Ordering::Relaxed) {
            self.ask(bank, is_keyed);
        }
    }

    /// A caller that asks while there is trouble.
    fn ask_in_trouble(&self, bank: &Bank) {
        while !self.is_over.load(Ordering::Relaxed) {
            if self.is_trouble.load(Ordering::Relaxed) {
                self.ask(bank, false);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until so many more are answered; how long that took.
    fn wait_for_answers(&self, more: usize) -> Duration {
        let (begun, before) = (Instant::now(), self.answered.load(Ordering::Relaxed));
        let enough = || self.answered.load(Ordering::Relaxed) >= before + more;
        wait_until("checks are answered", ANSWERED_AGAIN_WITHIN, enough);
        begun.elapsed()
    }
}

fn is_as_in_the_contract(refusal: &Answer) -> bool {
    let code = refusal.field("errorCode");
    let is_known = ["503.002.01", "503.002.03"].contains(&code.as_str());
    refusal.status == 503 && is_known && refusal.header("Retry-After").parse::<u64>().is_ok_and(|seconds| seconds > 0)
}

/// What a node and its database hold for it.
#[derive(Debug, Clone, Copy)]
struct Held {
    backends: usize,
    descriptors: usize,
    threads: usize,
    rss_kib: u64,
}

/// One node behind a link to its database, and its callers.
struct Scene {
    node: Node,
    link: FaultProxy,
    database: TestDatabase,
    load: Load,
    banks: Vec<Bank>,
    /// So many of the steady callers send idempotency keys.
    keyed: usize,
}

impl Scene {
    fn set() -> Self {
        Self::with("", 0)
    }

    /// With further settings of the store, and so many callers with idempotency keys.
    fn with(settings: &str, keyed: usize) -> Self {
        let database = fresh_database();
        let port = database.url().rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
        let link = FaultProxy::start(port, SEED);
        let lab = Lab::new();
        let url = database.url_at(link.port());
        configure(&lab, &url, 0);
        let file = lab.data().join("laini.toml");
        fs::write(&file, fs::read_to_string(&file).unwrap() + settings).unwrap();
        let load = Load { numbers: lab.import_sample(LINES, SEED).served(), ..Load::default() };
        let app = lab.partner_app("Bank A", "production");
        let node = nodes(lab, &[url]).remove(0);
        let banks = (0..STEADY + NEWCOMERS).map(|_| Bank::of(&node.server, &app)).collect();
        Self { node, link, database, load, banks, keyed }
    }

    fn backends(&self) -> usize {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                   AND application_name = 'laini'";
        self.database.value(sql).unwrap().parse().unwrap()
    }

    fn held(&self) -> Held {
        let of = format!("/proc/{}", self.node.server.pid.as_raw_nonzero());
        let status = fs::read_to_string(format!("{of}/status")).unwrap();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let count = |kind: &str| fs::read_dir(format!("{of}/{kind}")).unwrap().count();
        Held {
            backends: self.backends(),
            descriptors: count("fd"),
            threads: count("task"),
            rss_kib: rss.trim().trim_end_matches(" kB").parse().unwrap(),
        }
    }

    /// Has the database be in trouble again and again, under load.
    fn play(self, name: &str, rounds: u64, trouble: impl Fn(&Self) + Sync) -> Played {
        let mut seen = Seen::default();
        thread::scope(|scope| {
            let (load, keyed) = (&self.load, self.keyed);
            let (steady, newcomers) = self.banks.split_at(STEADY);
            for (number, bank) in steady.iter().enumerate() {
                scope.spawn(move || load.ask_on(bank, number < keyed));
            }
            for bank in newcomers {
                scope.spawn(|| load.ask_in_trouble(bank));
            }
            let _over = Ending(&self.load.is_over);
            for round in 0..rounds {
                self.load.wait_for_answers(300);
                if round <= 1 {
                    // After the first trouble each pool was filled and each way was gone once.
                    seen.before = Some(self.held());
                }
                seen.round(&self, &trouble);
            }
            self.load.wait_for_answers(300);
            let before = seen.before.unwrap();
            wait_until("nothing is left behind", ANSWERED_AGAIN_WITHIN, || self.held().is_like(before));
            seen.after = Some(self.held());
        });
        self.judge(name, rounds, &seen)
    }

    fn judge(self, name: &str, rounds: u64, seen: &Seen) -> Played {
        let Self { node, load, .. } = self;
        let strange = load.strange.into_inner().unwrap();
        assert!(strange.is_empty(), "{name}: beside 200 and 503: {:?}", &strange[..strange.len().min(3)]);
        let answers = load.answers.into_inner().unwrap();
        wait_until("what is charged is what was told", ANSWERED_AGAIN_WITHIN, || {
            let paid: i64 = node.lab.ledger().iter().map(|row| row.charge_minor).sum();
            paid == i64::try_from(answers.len()).unwrap() * PRICE_MINOR
        });
        let rows = node.lab.ledger();
        assert_eq!(node.lab.verify_ledger(), rows.len() as u64);
        assert_answers_stand(&rows, &answers);
        let told = load.told.into_inner().unwrap();
        let refusals = Refusals::of(&told, &seen.troubles);
        let again = seen.again.iter().max().unwrap();
        let line = format!(
            "family=database in trouble: {name} cases={rounds} failures=0 seed={SEED} answers={} refused={} p50={:?} \
             p99={:?} worst={:?} first_wave={:?} again={again:?} backends_max={} before={:?} after={:?}",
            answers.len(),
            refusals.later.len(),
            refusals.at(500),
            refusals.at(990),
            refusals.at(1_000),
            refusals.first_wave,
            seen.backends_max,
            seen.before.unwrap(),
            seen.after.unwrap(),
        );
        assert!(!refusals.later.is_empty(), "{name}: nobody was refused");
        assert!(refusals.at(990) <= REFUSED_WITHIN, "{name}: refused only after {:?}", refusals.at(990));
        assert!(refusals.first_wave <= ANSWERED_WITHIN, "{name}: {:?}", refusals.first_wave);
        assert!(seen.backends_max <= CONNECTIONS_MAX, "{name}: {} connections", seen.backends_max);
        node.server.stop();
        Played { told, line }
    }
}

impl Held {
    fn is_like(self, before: Self) -> bool {
        self.backends <= before.backends.max(CONNECTIONS_MAX)
            && self.descriptors <= before.descriptors + CONNECTIONS_MAX
            && self.threads <= before.threads + 2
            && self.rss_kib <= before.rss_kib + 32 * 1_024
    }
}

/// What was seen from outside.
#[derive(Default)]
struct Seen {
    troubles: Vec<(Instant, Instant)>,
    again: Vec<Duration>,
    backends_max: usize,
    before: Option<Held>,
    after: Option<Held>,
}

impl Seen {
    fn round(&mut self, scene: &Scene, trouble: &(impl Fn(&Scene) + Sync)) {
        let begun = Instant::now();
        thread::scope(|scope| {
            let troubling = scope.spawn(|| trouble(scene));
            while !troubling.is_finished() {
                thread::sleep(LOOK_EVERY);
                if begun.elapsed() > NOTICED_WITHIN {
                    scene.load.is_trouble.store(true, Ordering::Relaxed);
                }
                self.backends_max = self.backends_max.max(scene.backends());
            }
        });
        scene.load.is_trouble.store(false, Ordering::Relaxed);
        self.troubles.push((begun, Instant::now()));
        self.again.push(scene.load.wait_for_answers(STEADY));
    }
}

/// How long it took to be refused.
struct Refusals {
    /// By those who came when the trouble was to be known, sorted.
    later: Vec<Duration>,
    /// The longest of those who were there before.
    first_wave: Duration,
}

impl Refusals {
    fn of(told: &[Told], troubles: &[(Instant, Instant)]) -> Self {
        let (mut later, mut first_wave) = (Vec::new(), Duration::ZERO);
        for &Told { began, took, status, .. } in told {
            let is_later = troubles.iter().any(|(begun, ended)| began > *begun + NOTICED_WITHIN && began < *ended);
            match (is_later, status) {
                (true, 503) => later.push(took),
                (true, _) => {}
                (false, _) => first_wave = first_wave.max(took),
            }
        }
        later.sort_unstable();
        Self { later, first_wave }
    }

    fn at(&self, per_mille: usize) -> Duration {
        let place = (self.later.len() * per_mille).div_ceil(1_000).max(1) - 1;
        self.later.get(place).copied().unwrap_or_default()
    }
}

fn rounds() -> u64 {
    on_demand("LAINI_TEST_TROUBLES", ROUNDS)
}

/// Somebody's transaction that holds a lock for the length of a trouble.
fn hold(scene: &Scene, lock: &str) {
    let seconds = TROUBLE_LASTS.as_secs_f64();
    execute(&scene.database.url(), &format!("BEGIN; {lock}; SELECT pg_sleep({seconds}); COMMIT"));
}

/// Ends every connection of the node.
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'laini'";

fn break_link(scene: &Scene, faults: Faults) {
    scene.link.set(faults);
    thread::sleep(TROUBLE_LASTS);
    scene.link.set(Faults::default());
}

#[test]
fn a_server_without_room_for_connections_is_shed() {
    let played = Scene::set().play("no room for connections", rounds(), |scene| {
        scene.link.set(Faults { door: Door::Full, ..Faults::default() });
        scene.database.execute(CUT);
        thread::sleep(TROUBLE_LASTS);
        scene.link.set(Faults::default());
    });
    println!("{}", played.line);
}

/// Who asks under an idempotency key needs the pool; all others need it for the node's accounts alone.
fn starve(connections: u32) -> Played {
    let scene = Scene::with(&format!("connections_max = {connections}\n"), STEADY / 2);
    let lock = "LOCK TABLE answer_claim IN ACCESS EXCLUSIVE MODE";
    scene.play(&format!("{connections} connections starved"), rounds(), |scene| hold(scene, lock))
}

#[test]
fn a_starved_pool_refuses_those_who_need_it_and_nobody_else() {
    let Played { told, line } = starve(8);
    println!("{line}");
    let without_need = told.iter().filter(|told| !told.is_keyed && told.status != 200).count();
    assert_eq!(without_need, 0, "refused without need of the pool");
}

#[test]
fn a_pool_of_one_that_is_starved_refuses_soon() {
    println!("{}", starve(1).line);
}

#[test]
fn a_slow_database_is_shed() {
    let slow = |scene: &Scene| break_link(scene, Faults { delay: Duration::from_secs(2), ..Faults::default() });
    let played = Scene::set().play("slow", rounds(), slow);
    println!("{}", played.line);
}

#[test]
fn a_silent_database_is_shed() {
    let silent = |scene: &Scene| break_link(scene, Faults { is_mute: true, ..Faults::default() });
    let played = Scene::set().play("silent", rounds(), silent);
    println!("{}", played.line);
}

#[test]
fn a_locked_ledger_is_shed() {
    let played =
        Scene::set().play("ledger locked", rounds(), |scene| hold(scene, "LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE"));
    println!("{}", played.line);
}

#[test]
fn a_locked_place_of_the_node_is_shed() {
    let played =
        Scene::set().play("writer's row locked", rounds(), |scene| hold(scene, "SELECT 1 FROM writer FOR UPDATE"));
    println!("{}", played.line);
}

#[test]
fn a_locked_table_of_charged_questions_is_shed() {
    let lock = "LOCK TABLE repeatable IN ACCESS EXCLUSIVE MODE";
    let played = Scene::set().play("questions locked", rounds(), |scene| hold(scene, lock));
    println!("{}", played.line);
}

#[test]
fn a_locked_registry_is_shed() {
    let played =
        Scene::set().play("lines locked", rounds(), |scene| hold(scene, "LOCK TABLE line IN ACCESS EXCLUSIVE MODE"));
    println!("{}", played.line);
}

#[test]
fn locked_accounts_are_shed() {
    let lock = "LOCK TABLE accounts_meta IN ACCESS EXCLUSIVE MODE";
    let played = Scene::set().play("accounts locked", rounds(), |scene| hold(scene, lock));
    println!("{}", played.line);
}
