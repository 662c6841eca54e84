//! More connections than the system has file descriptors for.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::bank::{Bank, IMSI};
use crate::running::{Lab, wait_until};

const CONNECTIONS: usize = 500;
const DESCRIPTORS: usize = 256;
/// What the server keeps for its files.
const DESCRIPTORS_KEPT: usize = 128;
const SEED: u64 = 8;
const WITHIN: Duration = Duration::from_secs(30);
const LIVEZ: &[u8] = b"GET /livez HTTP/1.1\r\nHost: laini\r\n\r\n";

#[test]
fn a_flood_of_connections_up_to_the_descriptor_limit_is_told_and_passes() {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, SEED).served();
    let app = lab.partner_app("Bank A", "production");
    let limited = format!("ulimit -n {DESCRIPTORS}; exec \"$@\"");
    let server = lab.start(lab.command_under(&["sh", "-c", &limited, "sh"], &["serve", "--listen", "127.0.0.1:0"]));
    let bank = Bank::of(&server, &app);
    assert_eq!(bank.try_check(IMSI, &numbers[0], None).unwrap().status, 200);

    let mut flood: Vec<TcpStream> = (0..CONNECTIONS).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    for stream in &mut flood {
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        // One that was closed already is no failure of the test's.
        let _ = stream.write_all(LIVEZ);
    }
    let (mut answered, mut told, mut closed) = (0, 0, 0);
    for stream in &mut flood {
        match status(stream) {
            Some(200) => answered += 1,
            Some(503) => told += 1,
            Some(other) => panic!("a flooded connection got {other}"),
            None => closed += 1,
        }
    }
    let places = DESCRIPTORS - DESCRIPTORS_KEPT;
    assert!((places / 2..=places).contains(&answered), "{answered} answered, {told} told, {closed} closed");
    assert!(told > 0, "{answered} answered, {told} told, {closed} closed");
    assert_eq!(bank.try_check(IMSI, &numbers[1], None).unwrap().status, 200, "a caller from before the flood");
    assert!(!server.printed().1.contains("could not be accepted"), "the descriptors ran out");

    drop(flood);
    wait_until("places come back", WITHIN, || {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream.write_all(LIVEZ).is_ok() && status(&mut stream) == Some(200)
    });
    server.stop();
    println!(
        "family=HTTP flood cases={CONNECTIONS} failures=0 seed={SEED} answered={answered} told={told} closed={closed}"
    );
}

/// The status of one answer; `None` where the connection was closed without any.
fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut line = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut line).ok()?;
    std::str::from_utf8(&line[9..]).ok()?.parse().ok()
}
