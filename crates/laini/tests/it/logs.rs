//! Nothing secret leaves by the back door: not by a log line, and not by a copied file.

use std::collections::HashSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::bank::{AGE, Bank, IMSI, SWAP};
use crate::running::{Credentials, Lab, Running, days_ago};

const LINES: u32 = 2_000;
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Well-formed, and in nobody's registry.
const STRANGER: &str = "254733123456";

#[test]
fn a_server_asked_by_friend_and_foe_logs_json_and_no_secret() {
    let lab = Lab::new();
    let numbers = lab.import_sample(LINES, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LAINI_LOG_FORMAT", "json");
    let server = lab.start(command);
    let bank = Bank::of(&server, &app);
    let mut asked = 1;
    asked += good_requests(&bank, &numbers);
    asked += doors(&bank, &app);
    asked += bodies(&bank, &numbers[0], &lab.canaries.imsis()[0]);
    asked += places(&bank, &numbers[0]);
    raw_requests(&server, &bank, &numbers[0]);

    let (stdout, stderr) = server.printed();
    assert_eq!(stdout, "");
    let lines: Vec<Value> = stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    // The search is worth something: every request has left its line.
    let answers: Vec<&Value> = lines.iter().filter(|line| line["fields"]["message"] == "answered").collect();
    assert!(answers.iter().all(|line| line["request"].is_string()), "a line of a request does not name it");
    let named: HashSet<&str> = answers.iter().filter_map(|line| line["request"].as_str()).collect();
    assert_eq!(named.len(), answers.len(), "two requests have one name");
    let answered = answers.len();
    assert!(answered >= asked, "{answered} lines for {asked} requests");
    server.stop();
    println!("family=logs cases={asked} failures=0 lines={}", lines.len());
}

/// Every product, served and not served.
fn good_requests(bank: &Bank, numbers: &[String]) -> usize {
    let mut asked = 0;
    for path in [IMSI, SWAP, AGE] {
        for number in &numbers[..20] {
            assert_eq!(bank.check(path, number).status, 200);
            asked += 1;
        }
        assert_eq!(bank.check(path, STRANGER).status, 404);
        asked += 1;
    }
    asked
}

/// Both token doors, with credentials that are right, wrong, misplaced and mangled.
fn doors(bank: &Bank, app: &Credentials) -> usize {
    let (key, secret) = (&app.consumer_key, &app.consumer_secret);
    let reversed: String = secret.chars().rev().collect();
    let wrong = Credentials { consumer_secret: reversed.clone(), ..app.clone() };
    assert_eq!(bank.generate(&wrong).unwrap().status, 400);
    // In each other's place: not by `generate`, for then the key, which is public, would be searched for.
    let misplaced = bank.http().get(bank.url("/oauth/v1/generate?grant_type=client_credentials"));
    assert_eq!(bank.send(misplaced.basic_auth(secret, Some(key))).unwrap().status, 400);
    let in_query = format!("/oauth/v1/generate?grant_type=client_credentials&client_secret={secret}");
    assert_eq!(bank.get(&in_query).unwrap().status, 400);
    let unreadable = bank.http().get(bank.url("/oauth/v1/generate?grant_type=x"));
    assert_eq!(bank.send(unreadable.header("Authorization", format!("Basic {secret}"))).unwrap().status, 400);
    let mut asked = 4;
    for (secret, status) in [(secret, 200), (&reversed, 401)] {
        let form = format!("grant_type=client_credentials&client_id={key}&client_secret={secret}");
        let request = bank.http().post(bank.url("/oauth2/token")).body(form);
        let answer = bank.send(request.header("Content-Type", "application/x-www-form-urlencoded")).unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 200 {
            bank.canaries().word(&answer.field("access_token"));
        }
        asked += 1;
    }
    asked
}

/// Numbers and IMSIs in bodies that are refused, each for a reason of its own.
fn bodies(bank: &Bank, number: &str, imsi: &str) -> usize {
    let long = format!(r#"{{"customerNumber":"{number}","x":"{}"}}"#, number.repeat(2_000));
    let deep = format!("{}{number}{}", "[".repeat(5_000), "]".repeat(5_000));
    let bodies = [
        (400, format!(r#"{{"msisdn":"{number}"}}"#)),
        (400, format!(r#"{{"customerNumber":"{imsi}"}}"#)),
        (400, format!(r#"{{"customerNumber":{imsi}}}"#)),
        (400, format!(r#"{{"customerNumber":"0{number}"}}"#)),
        (400, format!(r#"{{"customerNumber":["{number}"]}}"#)),
        (400, format!(r#"{{"{number}":"{imsi}"}}"#)),
        (400, format!(r#"["{number}"]"#)),
        (400, number.to_owned()),
        (400, format!(r#"{{"customerNumber":"{number}"#)),
        (400, deep),
        (413, long),
        (200, format!(r#"{{"customerNumber":{number},"imsi":"{imsi}"}}"#)),
    ];
    for (status, body) in &bodies {
        let answer = bank.post(IMSI, &[], body).unwrap();
        assert_eq!(answer.status, *status, "{answer:?}");
    }
    bodies.len()
}

/// A number where none belongs: path, query, headers; and tokens that are none.
fn places(bank: &Bank, number: &str) -> usize {
    assert_eq!(bank.get(&format!("/subscribers/{number}")).unwrap().status, 404);
    assert_eq!(bank.get(&format!("{IMSI}/{number}?n=%2B{number}")).unwrap().status, 404);
    assert_eq!(bank.get(&format!("/livez?customerNumber={number}")).unwrap().status, 200);
    assert_eq!(bank.get(&format!("{IMSI}?customerNumber={number}")).unwrap().status, 405);
    let body = format!(r#"{{"customerNumber":"{number}"}}"#);
    for name in ["X-Request-ID", "X-Correlation-ID", "User-Agent", "Cookie", "Referer", "Idempotency-Key", "X-Custom"] {
        let answer = bank.post(SWAP, &[(name, number)], &body).unwrap();
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    let not_json = bank.http().post(bank.url(IMSI)).bearer_auth(bank.token()).header("Content-Type", number);
    assert_eq!(bank.send(not_json.body(body.clone())).unwrap().status, 415);
    let token = bank.token();
    let tokens = [format!("Bearer {number}"), format!("Bearer {token}x"), format!("Basic {token}"), token.to_owned()];
    for authorization in &tokens {
        let request = bank.http().post(bank.url(IMSI)).header("Authorization", authorization).body(body.clone());
        let answer = bank.send(request.header("Content-Type", "application/json")).unwrap();
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    4 + 7 + 1 + tokens.len()
}

/// Bytes that are no HTTP, or barely.
fn raw_requests(server: &Running, bank: &Bank, number: &str) {
    let authorization = format!("Authorization: Bearer {}", bank.token());
    for request in [
        format!("{number} / HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /{number} HTTP/9.9\r\n{authorization}\r\n\r\n"),
        format!("GET /{number} HTTP/1.1\r\n{number}\r\n\r\n"),
        format!("POST {IMSI} HTTP/1.1\r\n{authorization}\r\nContent-Length: {number}x\r\n\r\n{number}"),
        format!("POST {IMSI} HTTP/1.1\r\n{authorization}\r\nTransfer-Encoding: chunked\r\n\r\n{number}\r\n"),
        format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", number.repeat(20_000)),
        format!("\u{0}\u{1}{number}\u{7f}\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(READ_WITHIN)).unwrap();
        // The server may hang up at the first bad byte; what matters is what it writes down.
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert_eq!(bank.get("/livez").unwrap().status, 200);
}

#[test]
fn files_without_the_keys_reveal_no_imsi_secret_or_token() {
    let lab = Lab::new();
    let sample = lab.sample(LINES, 2);
    // One row that is refused: what is listed of it must not be what stood there.
    let refused = sample.rows[0].imsi.clone();
    let extract = fs::read_to_string(&sample.path).unwrap();
    fs::write(&sample.path, format!("{extract}2547,{refused},2020-01-01,,,active,PAYG\n")).unwrap();
    lab.import(&sample.path);
    let numbers = sample.served();
    let events = lab.path("events.ndjson");
    let (at, imsi) = (days_ago(0).to_string(), "639021999999999");
    lab.canaries.imsi(imsi);
    let event = serde_json::json!({ "id": "e1", "at": at, "type": "sim_replaced", "msisdn": numbers[0], "imsi": imsi });
    fs::write(&events, format!("{event}\n")).unwrap();
    lab.laini(&["registry", "apply", events.to_str().unwrap()]);

    let app = lab.partner_app("Bank A", "production");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    for number in &numbers[..50] {
        assert_eq!(bank.check(IMSI, number).status, 200);
    }
    let scanned = assert_reveals_nothing(&lab);
    // Also while the newest rows lie in the WAL, and after they were moved.
    server.stop();
    assert_reveals_nothing(&lab);
    assert!(
        ["registry-1.db", "ledger.db", "ledger.db-wal", "accounts.db", "registry-events.db"]
            .iter()
            .all(|name| scanned.contains(*name)),
        "{scanned:?}"
    );
}

/// Searches every file of the data directory but the keys; the names of those files.
fn assert_reveals_nothing(lab: &Lab) -> HashSet<String> {
    let imsis: HashSet<u64> = lab.canaries.imsis().iter().map(|imsi| imsi.parse().unwrap()).collect();
    let words = lab.canaries.words();
    assert!(imsis.len() > 1_000 && words.len() >= 2);
    let files = fs::read_dir(lab.data()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files
        .map(|path: std::path::PathBuf| {
            let bytes = fs::read(&path).unwrap();
            assert!(!holds_imsi(&bytes, &imsis), "{} holds an IMSI", path.display());
            for word in &words {
                let holds = bytes.windows(word.len()).any(|window| window == word.as_bytes());
                assert!(!holds, "{} holds a secret or token", path.display());
            }
            name(&path)
        })
        .collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Whether one of the IMSIs stands there as text, or as a number with either end first.
fn holds_imsi(bytes: &[u8], imsis: &HashSet<u64>) -> bool {
    let is_text = |window: &[u8]| {
        window.iter().all(u8::is_ascii_digit)
            && imsis.contains(&window.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    };
    // 15 digits fit into 7 bytes, so a longer number ends or begins with these.
    let is_number = |window: &[u8]| {
        let big = window.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let little = window.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        imsis.contains(&big) || imsis.contains(&little)
    };
    bytes.windows(15).any(is_text) || bytes.windows(7).any(is_number)
}

#[test]
fn an_imsi_in_a_file_would_be_found() {
    let imsi = 639_021_581_515_286_u64;
    let imsis = HashSet::from([imsi]);
    for held in [imsi.to_string().into_bytes(), imsi.to_be_bytes().to_vec(), imsi.to_le_bytes().to_vec()] {
        let file = [b"abc1", held.as_slice(), b"2xyz"].concat();
        assert!(holds_imsi(&file, &imsis));
    }
    assert!(!holds_imsi(b"639021581515287 and more of the like", &imsis));
}
