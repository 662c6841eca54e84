//! Documents that are none, sent over a real socket: refused by what they are, early, and without filling the memory.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bank::{Answer, Bank};
use crate::feed_http::peak_kib;
use crate::running::{Lab, Running};

const GIB: u64 = 1 << 30;
const PIECE_BYTES: usize = 64 * 1024;
/// What is on its way when the refusal comes: what was read, and what lies in sockets.
const SENT_AT_MOST: u64 = 64 << 20;
const GROWN_KIB_AT_MOST: u64 = 64 * 1024;
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// An administrator, and a partner's documents.
struct Folder {
    clerk: Bank,
    path: String,
}

impl Folder {
    fn of(lab: &Lab, server: &Running) -> Self {
        let partner = lab.json(&["partner", "list"])[0]["partner"].as_str().unwrap().to_owned();
        let added = lab.json(&["staff", "add", "admin@mobile.example", "--role", "admin"]);
        let clerk = Bank::of_person(server, added["token"].as_str().unwrap());
        Self { clerk, path: format!("/office/v1/partners/{partner}/documents") }
    }

    fn send(&self, name: &str, coding: Option<&str>, bytes: Vec<u8>) -> Answer {
        let url = self.clerk.url(&format!("{}?purpose=other&name={name}", self.path));
        let request = self.clerk.http().post(url).bearer_auth(self.clerk.token());
        let request = request.header("content-type", "application/octet-stream").body(bytes);
        let request = coding.into_iter().fold(request, |request, coding| request.header("content-encoding", coding));
        self.clerk.send(request).unwrap()
    }

    fn listed(&self) -> usize {
        let request = self.clerk.http().get(self.clerk.url(&self.path)).bearer_auth(self.clerk.token());
        self.clerk.send(request).unwrap().json()["documents"].as_array().unwrap().len()
    }

    /// Streams a gibibyte of zeros until the answer is there or it is all sent; the answer, and how much was sent.
    fn stream(&self, server: &Running, is_announced: bool) -> (String, u64) {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        socket.set_read_timeout(Some(ANSWERED_WITHIN)).unwrap();
        socket.set_write_timeout(Some(ANSWERED_WITHIN)).unwrap();
        let mut answers = socket.try_clone().unwrap();
        let length =
            if is_announced { format!("Content-Length: {GIB}") } else { "Transfer-Encoding: chunked".to_owned() };
        let head = format!(
            "POST {}?purpose=other&name=zeros.pdf HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{length}\r\n\r\n",
            self.path,
            server.address(),
            self.clerk.token()
        );
        let (sent, zeros) = (AtomicU64::new(0), vec![0; PIECE_BYTES]);
        let answer = thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let (mut answer, mut piece) = (Vec::new(), [0; 4_096]);
                // What follows the body that was refused may break the connection; the answer is there by then.
                while let Ok(read @ 1..) = answers.read(&mut piece) {
                    answer.extend_from_slice(&piece[..read]);
                    if answer.ends_with(b"}") {
                        break;
                    }
                }
                String::from_utf8(answer).unwrap()
            });
            let mut write = |bytes: &[u8]| socket.write_all(bytes).is_ok();
            let mut goes_on = write(head.as_bytes());
            while goes_on && !reading.is_finished() && sent.load(Ordering::Relaxed) < GIB {
                goes_on = if is_announced {
                    write(&zeros)
                } else {
                    write(format!("{PIECE_BYTES:x}\r\n").as_bytes()) && write(&zeros) && write(b"\r\n")
                };
                sent.fetch_add(PIECE_BYTES as u64, Ordering::Relaxed);
            }
            reading.join().unwrap()
        });
        (answer, sent.into_inner())
    }
}

/// A picture of so many dots that says nothing of them.
fn png(width: u32, height: u32) -> Vec<u8> {
    let chunk =
        |kind: &[u8], body: &[u8]| [&u32::try_from(body.len()).unwrap().to_be_bytes(), kind, body, &[0; 4]].concat();
    let size = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &size), chunk(b"IDAT", &[]), chunk(b"IEND", &[])].concat()
}

#[test]
fn bad_documents_are_refused_early_and_flat_in_memory() {
    let lab = Lab::new();
    lab.json(&["partner", "add", "Bank A"]);
    let server = lab.serve();
    let folder = Folder::of(&lab, &server);
    let piece = vec![0; PIECE_BYTES];
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..(GIB >> 2) / PIECE_BYTES as u64 {
        bomb.write_all(&piece).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let active = b"%PDF-1.7\n<< /S /JavaScript /JS (app.alert(1)) >>\nstartxref\n0\n%%EOF\n".to_vec();
    let before = peak_kib(&server);
    for (name, coding, bytes, why) in [
        ("invoice.pdf", None, b"#!/bin/sh\nrm -rf /\n".to_vec(), "it is no PDF"),
        ("invoice.sh", None, b"#!/bin/sh\nrm -rf /\n".to_vec(), "it is no PDF, JPEG or PNG"),
        ("form.pdf", None, active, "scripts"),
        ("bomb.pdf", None, bomb.clone(), "it is no PDF"),
        ("bomb.pdf", Some("gzip"), bomb, "it is no PDF"),
        ("scan.png", None, png(100_000, 100_000), "more than 50 million dots"),
    ] {
        let answer = folder.send(name, coding, bytes);
        let said = answer.field("errorMessage");
        assert!(answer.status == 400 && said.contains(why), "{name}: {answer:?}");
    }
    for is_announced in [true, false] {
        let (answer, sent) = folder.stream(&server, is_announced);
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("413.002.01"), "{answer}");
        assert!(sent < SENT_AT_MOST, "{sent} bytes were taken before they were refused");
    }
    let grown = peak_kib(&server).saturating_sub(before);
    assert!(grown < GROWN_KIB_AT_MOST, "{grown} KiB");
    assert_eq!(folder.listed(), 0);
    // The next one is taken.
    assert_eq!(folder.send("scan.png", None, png(100, 100)).status, 200);
    assert_eq!(folder.listed(), 1);
    server.stop();
}
