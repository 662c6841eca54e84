//! `laini shadow`: where the back end and the built-in registry would answer checks differently.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use laini_testkit::back_end::{BackEnd, HEALTHY, Step, json as json_answer};
use serde_json::{Value, json};

use crate::running::{Lab, days_ago, text};

/// A lab whose checks are answered from the built-in registry, with a back end set beside it.
struct Site {
    lab: Lab,
    back_end: BackEnd,
    numbers: PathBuf,
    differences: PathBuf,
}

impl Site {
    fn new(extract: &str, numbers: &str) -> Self {
        let (lab, back_end) = (Lab::new(), BackEnd::start());
        let [csv, numbers_file, differences] = ["extract.csv", "numbers.csv", "differences.csv"].map(|f| lab.path(f));
        std::fs::write(&csv, extract).unwrap();
        std::fs::write(&numbers_file, numbers).unwrap();
        lab.import(&csv);
        let config = format!(
            "[upstream]\nurl = \"http://{}/lines/{{msisdn}}\"\ntimeout_ms = 400\n[upstream_answer]\n\
             never_when = [\"/last_swap_at = null\"]\nnot_served_when = [\"status 404\"]\nhistory = \"always\"\n",
            back_end.address()
        );
        std::fs::write(lab.data().join("laini.toml"), config).unwrap();
        Self { lab, back_end, numbers: numbers_file, differences }
    }

    /// The exit code, and what was reported.
    fn shadow(&self, flags: &[&str]) -> (Option<i32>, Value) {
        let [numbers, differences] = [&self.numbers, &self.differences].map(|path| path.to_str().unwrap());
        let args = [&["shadow", numbers, "--json", "--differences", differences], flags].concat();
        let output = self.lab.output(&args);
        for said in [&output.stdout, &output.stderr] {
            let said = text(said);
            assert!(!said.contains("7000000"), "{said}");
        }
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
    }
}

#[test]
fn shadow_says_where_the_back_end_and_the_registry_differ() {
    let [swapped, registered] = [10, 40].map(|days| days_ago(days).to_string());
    let rows = [
        "254700000001,639021860913909,2015-01-01,2016-01-01,active".to_owned(),
        format!("254700000002,639021860913909,2015-01-01,{swapped},active"),
        format!("254700000003,639021860913908,{registered},,suspended"),
        "254700000004,639021860913909,2015-01-01,,terminated".to_owned(),
    ];
    let extract = format!("msisdn,imsi,registered_at,last_swap_at,status\n{}\n", rows.join("\n"));
    let numbers = "msisdn,name\n0700000001\n+254700000002\nnobody\n\n\"254700000003\",x\n254700000004\n254700000005\n";
    let site = Site::new(&extract, numbers);

    let (code, report) = site.shadow(&[]);
    assert_eq!(code, Some(1), "they differ: {report}");
    let counts = ["same", "different", "unreadable"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(counts, [1, 4, 1], "{report}");
    let kinds = json!({ "answer": 2, "last_swap": 1, "registration": 1, "sim": 1, "status": 1 });
    assert_eq!(report["differences"], kinds, "{report}");
    assert_eq!(report["listed"][0], json!({ "line": 3, "msisdn": "254******002", "what": ["last_swap"] }));
    let written = std::fs::read_to_string(&site.differences).unwrap();
    let kinds: Vec<_> = written.lines().map(|row| row.splitn(3, ',').take(2).collect::<Vec<_>>().join(",")).collect();
    let expected = ["line,what", "3,last_swap", "6,status", "6,registration", "6,sim", "7,answer", "8,answer"];
    assert_eq!(kinds, expected, "{written}");
    assert!(written.contains("\n6,status,active,suspended\n") && written.contains("\n7,answer,facts,not_served\n"));
    assert!(!written.contains("70000000"), "{written}");

    assert_eq!(site.shadow(&["--max-differences", "4"]).0, Some(0));
}

#[test]
fn shadow_takes_an_unanswered_number_for_one_that_may_differ() {
    let extract = "msisdn,imsi,registered_at,last_swap_at,status\n254700000001,639021860913909,2015-01-01,,active\n";
    let site = Site::new(extract, "254700000001\n");
    assert_eq!(site.shadow(&[]).0, Some(0));
    let wrong = HEALTHY.replace("{msisdn}", "254711999999");
    site.back_end.misbehave(vec![Step::Read, Step::Write(json_answer(&wrong)), Step::Close]);
    let (code, report) = site.shadow(&["--max-differences", "1"]);
    assert_eq!(code, Some(1), "nothing was compared");
    assert_eq!(report["unanswered"]["502"]["numbers"], 1, "{report}");
    assert!(report["unanswered"]["502"]["first"].as_str().unwrap().contains("number"), "{report}");
}

#[test]
fn shadow_keeps_to_its_rate() {
    let extract = "msisdn,imsi,registered_at,last_swap_at,status\n254700000001,639021860913909,2015-01-01,,active\n";
    let site = Site::new(extract, &"254700000001\n".repeat(11));
    let began = Instant::now();
    let (code, report) = site.shadow(&["--per-second", "20"]);
    assert_eq!((code, &report["same"]), (Some(0), &json!(11)));
    assert!(began.elapsed() >= Duration::from_millis(500), "ten pauses of 50 ms: {:?}", began.elapsed());
    assert_eq!(site.back_end.requests(), 11);
}

#[test]
fn shadow_needs_a_back_end() {
    let lab = Lab::new();
    lab.import_sample(10, 1);
    assert!(lab.refused(&["shadow", "-"]).contains("set upstream.url"));
}
