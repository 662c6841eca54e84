//! A full disk, for real: the data directory lies on a small tmpfs of its own. Mounting one needs root.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::bank::{Answer, Bank, IMSI};
use crate::running::{Credentials, Lab, Running, Sample, on_demand, wait_until};

const FILLS: u64 = 3;
const LINES: u32 = 2_000;
const DISK: &str = "size=8m";
/// A check that finds the disk full must say so, and so must this many after it.
const REFUSED_PER_FILL: usize = 20;
/// Space that the files had already may take a few rows yet.
const ANSWERED_WHEN_FULL_MAX: usize = 200;
const ANSWERED_PER_FILL: usize = 50;
const CLIENTS: usize = 8;
const MANY_MORE: usize = 200;
const HEALTHY_WITHIN: Duration = Duration::from_secs(10);

/// A small file system of its own, unmounted at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Self {
        fs::create_dir_all(at).unwrap();
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(at).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a small disk cannot be mounted; run the tests as root: {said}");
        Self(at.to_owned())
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        for block_bytes in [64 * 1024, 1] {
            let block = vec![0; block_bytes];
            // It ends: the disk is small.
            let full = loop {
                if let Err(error) = filler.write_all(&block) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        }
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what still runs after a failed assertion goes first.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// One bank, and the ids of all that it asked.
struct Asking {
    bank: Bank,
    numbers: std::iter::Cycle<std::vec::IntoIter<String>>,
    answered: HashSet<String>,
    /// Those whose refusal said that nobody knows whether there is a record.
    undecided: HashSet<String>,
}

impl Asking {
    fn of(server: &Running, app: &Credentials, sample: &Sample) -> Self {
        let bank = Bank::of(server, app);
        let numbers = sample.served().into_iter().cycle();
        Self { bank, numbers, answered: HashSet::new(), undecided: HashSet::new() }
    }

    fn ask(&mut self) -> Answer {
        let number = self.numbers.next().unwrap();
        let answer = self.bank.check(IMSI, &number);
        let id = answer.field("requestRefID");
        match (answer.status, answer.header("Laini-Charge")) {
            (200, _) => assert!(self.answered.insert(id)),
            (503, "unknown") => assert!(self.undecided.insert(id)),
            (503, "none; reason=refused") => {}
            _ => panic!("{answer:?}"),
        }
        answer
    }

    fn must_answer(&mut self, checks: usize) {
        for _ in 0..checks {
            let answer = self.ask();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    /// Asks on a full disk: no fact may come, and the refusal is free.
    fn must_refuse(&mut self, checks: usize) {
        for _ in 0..checks {
            let answer = self.ask();
            assert_eq!((answer.status, answer.field("errorCode").as_str()), (503, "503.002.03"), "{answer:?}");
            assert!(!answer.header("Retry-After").is_empty(), "{answer:?}");
        }
    }

    fn readiness(&self) -> u16 {
        self.bank.get("/readyz").unwrap().status
    }

    /// Every answer has its row, and every row its answer, or a refusal that left it open.
    fn assert_matches_ledger(&self, lab: &Lab) {
        let rows: Vec<String> = lab.ledger().into_iter().map(|row| row.request_ref_id).collect();
        let distinct: HashSet<String> = rows.iter().cloned().collect();
        assert_eq!(distinct.len(), rows.len(), "an id stands in the ledger twice");
        assert!(self.answered.is_subset(&distinct), "an answer without a row");
        assert!(distinct.difference(&self.answered).all(|id| self.undecided.contains(id)), "a row without an answer");
        assert_eq!(lab.verify_ledger(), rows.len() as u64);
    }
}

#[test]
fn a_full_disk_answers_503_and_is_healthy_again_when_space_returns() {
    let fills = on_demand("LAINI_TEST_FILLS", FILLS);
    let lab = Lab::new();
    let disk = SmallDisk::mount(lab.data());
    let sample = lab.import_sample(LINES, 1);
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let mut asking = Asking::of(&server, &app, &sample);
    // The first time no check was ever recorded: not even the day's key is there.
    for _ in 0..fills {
        disk.fill();
        fill_what_the_files_have(&mut asking);
        asking.must_refuse(REFUSED_PER_FILL);
        assert_eq!(asking.readiness(), 503);
        assert_eq!(asking.bank.get("/livez").unwrap().status, 200);
        disk.free();
        wait_until("healthy again", HEALTHY_WITHIN, || asking.ask().status == 200);
        assert_eq!(asking.readiness(), 200);
        asking.must_answer(ANSWERED_PER_FILL);
    }
    server.stop();
    asking.assert_matches_ledger(&lab);
    println!("family=disk cases={fills} failures=0 answers={}", asking.answered.len());
}

/// Ends the load when it is dropped, also by a failed assertion: else its threads would never end.
struct EndOfLoad<'a>(&'a AtomicBool);

impl Drop for EndOfLoad<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_disk_that_fills_under_load_leaves_each_answer_its_row_and_no_row_without_one() {
    let lab = Lab::new();
    let disk = SmallDisk::mount(lab.data());
    let sample = lab.import_sample(LINES, 4);
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let mut clients: Vec<Asking> = (0..CLIENTS).map(|_| Asking::of(&server, &app, &sample)).collect();
    let (answers, refusals, is_over) = (&AtomicUsize::new(0), &AtomicUsize::new(0), &AtomicBool::new(false));
    let many_more = |what, count: &AtomicUsize| {
        let enough = count.load(Ordering::Relaxed) + MANY_MORE;
        wait_until(what, HEALTHY_WITHIN, || count.load(Ordering::Relaxed) >= enough);
    };
    thread::scope(|scope| {
        let _over = EndOfLoad(is_over);
        for client in &mut clients {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let count = if client.ask().status == 200 { answers } else { refusals };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..FILLS {
            many_more("answers", answers);
            disk.fill();
            many_more("refusals", refusals);
            disk.free();
        }
        many_more("answers", answers);
    });
    server.stop();
    let mut all = clients.pop().unwrap();
    for client in clients {
        all.answered.extend(client.answered);
        all.undecided.extend(client.undecided);
    }
    all.assert_matches_ledger(&lab);
}

/// Asks until the first refusal: pages that the files had before may take a few rows more.
fn fill_what_the_files_have(asking: &mut Asking) {
    for _ in 0..ANSWERED_WHEN_FULL_MAX {
        if asking.ask().status == 503 {
            return;
        }
    }
    panic!("{ANSWERED_WHEN_FULL_MAX} rows were recorded on a full disk");
}

#[test]
fn a_server_killed_on_a_full_disk_starts_again_when_there_is_space() {
    let lab = Lab::new();
    let disk = SmallDisk::mount(lab.data());
    let sample = lab.import_sample(LINES, 2);
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let mut asking = Asking::of(&server, &app, &sample);
    asking.must_answer(ANSWERED_PER_FILL);
    disk.fill();
    fill_what_the_files_have(&mut asking);
    server.kill9();
    // What the ledger holds has no room to be settled: better no server than one that forgets.
    let said = lab.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("ledger.db") && said.contains("full"), "{said}");
    disk.free();
    let server = lab.serve();
    asking.bank.move_to(&server);
    asking.must_answer(ANSWERED_PER_FILL);
    server.stop();
    asking.assert_matches_ledger(&lab);
}

#[test]
fn an_import_onto_a_full_disk_changes_nothing() {
    let lab = Lab::new();
    let disk = SmallDisk::mount(lab.data());
    let sample = lab.import_sample(LINES, 3);
    let before = registry(&lab);
    disk.fill();
    let said = lab.refused(&["registry", "import", sample.path.to_str().unwrap()]);
    assert!(said.contains("nothing was changed"), "{said}");
    disk.free();
    assert_eq!(registry(&lab), before);
    lab.import(&sample.path);
    assert_eq!(registry(&lab).0, before.0 + 1);
}

/// The serving generation, and how many lines it has.
fn registry(lab: &Lab) -> (u64, u64) {
    let status = lab.json(&["registry", "status"]);
    (status["generation"].as_u64().unwrap(), status["lines"].as_u64().unwrap())
}
