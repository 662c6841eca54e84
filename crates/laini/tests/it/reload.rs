//! What a running server hears from its operator: SIGHUP, a second signal, the service manager.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Signal, kill_process};

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, Running, days_ago, wait_until};

const WITHIN: Duration = Duration::from_secs(10);
const RELOADED: &str = "settings reloaded";

fn hang_up(server: &Running) {
    kill_process(server.pid, Signal::HUP).unwrap();
}

#[test]
fn a_reload_takes_over_what_it_can_names_what_waits_and_survives_a_broken_file() {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let file = lab.data().join("laini.toml");
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let body = format!(r#"{{"customerNumber":"{}","x":"{}"}}"#, numbers[0], "x".repeat(2_000));
    assert_eq!(bank.post(IMSI, &[], &body).unwrap().status, 200);

    fs::write(&file, "[server]\nbody_bytes_max = 1024\nidle_timeout_ms = 60000\n").unwrap();
    hang_up(&server);
    wait_until("the limit is lower", WITHIN, || bank.post(IMSI, &[], &body).unwrap().status == 413);
    wait_until("it is told", WITHIN, || server.printed().1.contains(RELOADED));
    let told = server.printed().1;
    let waits = told.lines().find(|line| line.contains("wait for a restart")).unwrap();
    assert!(waits.contains("server.idle_timeout_ms") && !waits.contains("body_bytes_max"), "{waits}");

    fs::write(&file, "[server]\nbody_bytes_max = \"many\"\n").unwrap();
    hang_up(&server);
    wait_until("it is told", WITHIN, || server.printed().1.contains("cannot be reloaded"));
    assert_eq!(bank.post(IMSI, &[], &body).unwrap().status, 413);

    fs::remove_file(&file).unwrap();
    hang_up(&server);
    wait_until("the default holds again", WITHIN, || bank.post(IMSI, &[], &body).unwrap().status == 200);
    server.stop();
}

#[test]
fn a_reload_changes_which_feeds_make_the_as_of() {
    let lab = Lab::new();
    let number = lab.import_sample(100, 2).served().remove(0);
    let app = lab.partner_app("Bank A", "production");
    let events = lab.path("events.ndjson");
    let now = Timestamp::from_second(days_ago(0).as_second()).unwrap().to_string();
    fs::write(&events, format!(r#"{{"type":"heartbeat","source":"hlr-2","at":"{now}"}}"#)).unwrap();
    lab.laini(&["registry", "apply", events.to_str().unwrap()]);
    let server = lab.serve();
    let bank = Bank::of(&server, &app);
    let as_of = || bank.check(IMSI, &number).header("laini-as-of").to_owned();
    let cut = as_of();
    assert_ne!(cut, now);
    let file = lab.data().join("laini.toml");
    fs::write(&file, "[registry]\nrequired_feeds = [\"hlr-2\"]\n").unwrap();
    hang_up(&server);
    wait_until("the other feed counts", WITHIN, || as_of() == now);
    fs::remove_file(&file).unwrap();
    hang_up(&server);
    wait_until("the default holds again", WITHIN, || as_of() == cut);
    server.stop();
}

#[test]
fn the_service_manager_is_told_when_it_serves_and_when_it_stops() {
    let lab = Lab::new();
    let path = lab.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(WITHIN)).unwrap();
    let told = || {
        let mut state = [0; 64];
        let length = manager.recv(&mut state).unwrap();
        String::from_utf8_lossy(&state[..length]).into_owned()
    };
    let mut command = lab.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path);
    let server = lab.start(command);
    assert_eq!(told(), "READY=1");
    server.stop();
    assert_eq!(told(), "STOPPING=1");
}
