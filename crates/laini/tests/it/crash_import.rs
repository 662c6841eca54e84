//! An import is all or nothing: killed, broken, late, or beside a server that is asked all the while.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::bank::{Bank, IMSI, SWAP};
use crate::running::{Lab, Sample, days_ago, on_demand, text, wait_until};

const KILLS: u64 = 20;
const SEED: u64 = 7;
const LINES: u32 = 300_000;
/// Samples end with this day; all of them are cut at its end, so that each may follow each.
const DAY: &str = "2026-06-01";
const CUT: &str = "2026-06-02";
/// Of either sample.
const NUMBERS_ASKED: usize = 10;
/// A running server notices a switch in a second; a busy machine gets longer.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);
/// From the new file in its place until it serves it is not longer than this.
const SWITCH_US_MAX: u64 = 20_000;
/// All imports of a test are loaded and served by then.
const SERVED_WITHIN: Duration = Duration::from_mins(1);

fn import_args(path: &Path) -> [&str; 5] {
    ["registry", "import", path.to_str().unwrap(), "--as-of", CUT]
}

/// What the operator sees of the registry: everything but what the clock alone changes.
fn status(lab: &Lab) -> Value {
    let mut status = lab.json(&["registry", "status"]);
    status.as_object_mut().unwrap().remove("lag_s");
    status
}

fn generation(status: &Value) -> u64 {
    status["generation"].as_u64().unwrap()
}

/// What a bank is answered: everything but the ids.
fn answers(bank: &Bank, numbers: &[String]) -> Vec<(u16, String, Value)> {
    let one = |number: &String| {
        let answer = bank.check(IMSI, number);
        let mut body = answer.json();
        body["requestRefID"].take();
        body["requestId"].take();
        (answer.status, answer.header("Laini-As-Of").to_owned(), body)
    };
    numbers.iter().map(one).collect()
}

/// One file of the serving generation, and nothing that a load was put together from.
fn assert_no_leftovers(lab: &Lab) {
    let files: Vec<String> =
        fs::read_dir(lab.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let serving = format!("registry-{}.db", generation(&status(lab)));
    let is_generation = |name: &String| {
        let number = name.strip_prefix("registry-").and_then(|rest| rest.strip_suffix(".db"));
        number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
    };
    let generations: Vec<&String> = files.iter().filter(|name| is_generation(name)).collect();
    assert_eq!(generations, [&serving], "{files:?}");
    let unfinished = |name: &String| ["loading", ".new", ".tmp"].iter().any(|part| name.contains(part));
    assert!(!files.iter().any(unfinished), "{files:?}");
}

#[test]
fn a_killed_import_changes_nothing_or_everything_and_the_next_one_works() {
    let (kills, seed) = (on_demand("LAINI_TEST_IMPORT_KILLS", KILLS), on_demand("LAINI_TEST_SEED", SEED));
    let mut rng = fastrand::Rng::with_seed(seed);
    let lab = Lab::new();
    let samples = [1, 2].map(|seed| lab.sample_with(LINES, seed, &["--as-of", DAY]));
    lab.laini(&import_args(&samples[1].path));
    // Measured where there is something to replace, as in all those that are killed.
    let began = Instant::now();
    lab.laini(&import_args(&samples[0].path));
    let whole = began.elapsed();
    let app = lab.partner_app("Bank A", "production");
    let mut server = lab.serve();
    let mut bank = Bank::of(&server, &app);
    let numbers = asked(&samples);
    let (mut serving, mut before) = (0, (status(&lab), answers(&bank, &numbers)));
    let mut unchanged = 0;
    for kill in 0..kills {
        let next = lab.data().join(format!("registry-{}.db", generation(&before.0) + 1));
        // One that was killed before may have left a file of that name.
        let left = inode(&next);
        kill_import(&lab, &samples[1 - serving].path, || {
            // Every other kill aims at the end: the new file is in its place, and does not serve yet.
            if kill % 2 == 0 {
                thread::sleep(whole.mul_f64(rng.f64()));
            } else {
                wait_until("the new generation is in its place", SERVED_WITHIN, || {
                    ![None, left].contains(&inode(&next))
                });
                thread::sleep(Duration::from_micros(rng.u64(..SWITCH_US_MAX)));
            }
        });
        let now = status(&lab);
        if generation(&now) == generation(&before.0) {
            unchanged += 1;
        } else {
            // The kill came after the switch: then all of the new one is there.
            assert_eq!((generation(&now), &now["lines"]), (generation(&before.0) + 1, &before.0["lines"]), "{now}");
            serving = 1 - serving;
            wait_until_served(&bank, &numbers, serving);
            before = (now, answers(&bank, &numbers));
        }
        assert_eq!((status(&lab), answers(&bank, &numbers)), before);
    }
    assert!(unchanged > 0, "every kill came too late");
    server.kill9();
    server = lab.serve();
    bank.move_to(&server);
    assert_eq!(answers(&bank, &numbers), before.1);

    lab.laini(&import_args(&samples[1 - serving].path));
    wait_until_served(&bank, &numbers, 1 - serving);
    assert_no_leftovers(&lab);
    server.stop();
    println!("family=crash_import cases={kills} failures=0 seed={seed} before_the_switch={unchanged}");
}

/// Numbers of the first sample, then as many of the second.
fn asked(samples: &[Sample; 2]) -> Vec<String> {
    let own = |sample: &Sample, other: &Sample| -> Vec<String> {
        let is_elsewhere = |number: &String| other.rows.iter().any(|row| row.msisdn == *number);
        sample.served().into_iter().filter(|number| !is_elsewhere(number)).take(NUMBERS_ASKED).collect()
    };
    [own(&samples[0], &samples[1]), own(&samples[1], &samples[0])].concat()
}

fn wait_until_served(bank: &Bank, numbers: &[String], sample: usize) {
    wait_until("the server answers from the new generation", NOTICED_WITHIN, || {
        let answers = answers(bank, numbers);
        let expected = |n: usize| if n / NUMBERS_ASKED == sample { 200 } else { 404 };
        answers.iter().enumerate().all(|(n, (status, ..))| *status == expected(n))
    });
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|about| about.ino())
}

/// Starts an import and kills it when `moment` returns; that moment is what is tried here.
fn kill_import(lab: &Lab, path: &Path, moment: impl FnOnce()) {
    let mut command = lab.command(&import_args(path));
    let mut import = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    moment();
    import.kill().unwrap();
    import.wait().unwrap();
}

#[test]
fn a_broken_extract_changes_nothing() {
    let lab = Lab::new();
    let sample = lab.import_sample(2_000, SEED);
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let numbers = sample.served()[..NUMBERS_ASKED].to_vec();
    let before = (status(&lab), answers(&bank, &numbers));
    for (name, content, expected) in broken(&fs::read_to_string(&sample.path).unwrap()) {
        let path = lab.path(name);
        fs::write(&path, content).unwrap();
        let output = lab.output(&["registry", "import", path.to_str().unwrap(), "--allow-shrink"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("error: ") && said.contains(expected), "{name}: {said}");
        assert!(said.contains("hint: "), "{name}: {said}");
        assert_eq!(lab.canaries.find(&said), None, "{name}");
        assert_eq!((status(&lab), answers(&bank, &numbers)), before, "{name}");
        assert_no_leftovers(&lab);
    }
    server.stop();
    lab.import(&sample.path);
}

/// Extracts that must be refused: name, content, and what the error must say.
fn broken(good: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(good.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let (header, rows) = good.split_once('\n').unwrap();
    let without_imsi = format!("{}\n{rows}", header.replace("imsi", "something"));
    // Every 50th row without its registration: twice what is tolerated.
    let dirty = rows.lines().enumerate().map(|(n, row)| if n % 50 == 0 { row.replace('T', "?") } else { row.into() });
    let dirty = format!("{header}\n{}\n", dirty.collect::<Vec<String>>().join("\n"));
    let mut flipped = gzip.clone();
    flipped[gzip.len() / 2] ^= 0x10;
    vec![
        ("truncated.csv.gz", gzip[..gzip.len() / 2].to_vec(), "cannot be read"),
        ("no-trailer.csv.gz", gzip[..gzip.len() - 8].to_vec(), "cannot be read"),
        ("damaged.csv.gz", flipped, "cannot be read"),
        ("no-imsi.csv", without_imsi.into_bytes(), "no column `imsi`"),
        ("dirty.csv", dirty.into_bytes(), "nothing was changed"),
        ("empty.csv", Vec::new(), "is empty"),
        ("header.csv", format!("{header}\n").into_bytes(), "no line"),
        ("noise.csv", (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(), "no column"),
    ]
}

#[test]
fn an_older_snapshot_loaded_late_rolls_back_no_swap() {
    let lab = Lab::new();
    let number = "254722000001";
    let extract = |name: &str, imsi: &str, swapped: &str| -> PathBuf {
        let path = lab.path(name);
        let registered = days_ago(2_000);
        let header = "msisdn,imsi,registered_at,last_swap_at,status";
        fs::write(&path, format!("{header}\n{number},{imsi},{registered},{swapped},active\n")).unwrap();
        path
    };
    let old = extract("monday.csv", "639021581515286", "");
    let new = extract("tuesday.csv", "639021581515287", &days_ago(4).to_string());
    let cut = |days: i64| days_ago(days).to_string();
    let import = |path: &Path, cut: &str| lab.output(&["registry", "import", path.to_str().unwrap(), "--as-of", cut]);
    assert!(import(&old, &cut(5)).status.success());
    assert!(import(&new, &cut(3)).status.success());
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let swapped = bank.check(SWAP, number).field("lastSwapDate");
    assert_ne!(swapped, "01-01-1900 00:00");

    let before = status(&lab);
    let late = import(&old, &cut(5));
    let said = text(&late.stderr);
    assert_eq!(late.status.code(), Some(1), "{said}");
    assert!(said.contains("before the present one") && said.contains("hint: "), "{said}");
    assert_eq!(status(&lab), before);
    assert_eq!(bank.check(SWAP, number).field("lastSwapDate"), swapped);
    assert_no_leftovers(&lab);
    server.stop();
}

#[test]
fn imports_beside_a_server_fail_no_request() {
    const IMPORTS: i64 = 4;
    const CLIENTS: usize = 4;
    let lab = Lab::new();
    let sample = lab.sample_with(20_000, SEED, &["--as-of", DAY]);
    let path = sample.path.to_str().unwrap();
    let cuts: Vec<String> = (0..=IMPORTS).map(|n| format!("{:.0}", days_ago(20 - n))).collect();
    lab.laini(&["registry", "import", path, "--as-of", &cuts[0]]);
    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let banks: Vec<Bank> = (0..CLIENTS).map(|_| Bank::of(&server, &app)).collect();
    let (numbers, checks) = (&sample.served(), &AtomicUsize::new(0));
    thread::scope(|scope| {
        for (n, bank) in banks.iter().enumerate() {
            let mine = numbers.iter().cycle().skip(n * numbers.len() / CLIENTS);
            let newest = cuts.last().unwrap();
            scope.spawn(move || ask_until_as_of(bank, mine, newest, checks));
        }
        for cut in &cuts[1..] {
            let before = checks.load(Ordering::Relaxed);
            lab.laini(&["registry", "import", path, "--as-of", cut]);
            wait_until("checks between two imports", NOTICED_WITHIN, || checks.load(Ordering::Relaxed) > before);
        }
    });
    let answered = checks.load(Ordering::Relaxed);
    server.stop();
    assert_no_leftovers(&lab);
    println!("family=live_import cases={IMPORTS} failures=0 answers={answered}");
}

/// Asks without a pause until answers come from the newest snapshot; every one must come.
fn ask_until_as_of<'a>(bank: &Bank, numbers: impl Iterator<Item = &'a String>, newest: &str, checks: &AtomicUsize) {
    let deadline = Instant::now() + SERVED_WITHIN;
    let mut as_of = String::new();
    for number in numbers {
        let answer = bank.check(IMSI, number);
        assert_eq!(answer.status, 200, "{answer:?}");
        checks.fetch_add(1, Ordering::Relaxed);
        let seen = answer.header("Laini-As-Of");
        // RFC 3339 in UTC: the order of texts is the order of instants.
        assert!(seen >= as_of.as_str(), "answered from {seen} after {as_of}");
        seen.clone_into(&mut as_of);
        if as_of == newest {
            return;
        }
        assert!(Instant::now() < deadline, "the newest snapshot, {newest}, is not served: {as_of}");
    }
}
