//! A partner's receiver on loopback: keeps what it gets, fails when it was told to.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

/// One delivery as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) signature: String,
    pub(crate) body: Value,
    /// Whether it was answered 200.
    pub(crate) is_taken: bool,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    /// Every so-many-th delivery is answered 500; 0 = none.
    fails_each: AtomicUsize,
    /// What it shows to whoever connects; `None` = it speaks no TLS.
    certificate: Mutex<Option<Arc<ServerConfig>>>,
    is_over: AtomicBool,
}

/// A receiver; it stops when dropped.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::new(Shared::default()));
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for stream in listener.incoming() {
                    if shared.is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    let shared = Arc::clone(&shared);
                    // A server that is killed leaves a broken request behind; that is no delivery.
                    thread::spawn(move || stream.ok().and_then(|stream| serve(stream, &shared)));
                }
            })
        };
        Self { address, shared, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/laini", self.address)
    }

    /// Where it is reached once it shows a certificate.
    pub(crate) fn tls_url(&self) -> String {
        format!("https://localhost:{}/laini", self.address.port())
    }

    /// From now on it speaks TLS, with this certificate.
    pub(crate) fn show(&self, certificate: Arc<ServerConfig>) {
        *self.shared.certificate.lock().unwrap() = Some(certificate);
    }

    pub(crate) fn fails_each(&self, n: usize) {
        self.shared.fails_each.store(n, Ordering::SeqCst);
    }

    /// Everything that came but challenges.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().unwrap().join();
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> Option<()> {
    match shared.certificate.lock().unwrap().clone() {
        None => take(stream, shared),
        Some(certificate) => take(StreamOwned::new(ServerConnection::new(certificate).ok()?, stream), shared),
    }
}

/// One request, whole, and its answer; a challenge is echoed.
fn take(stream: impl Read + Write, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut id, mut signature) = (0, String::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "webhook-id" => value.clone_into(&mut id),
            "webhook-signature" => value.clone_into(&mut signature),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let json: Value = serde_json::from_slice(&body).ok()?;
    let mut is_taken = true;
    if json["type"] != "challenge" {
        let mut received = shared.received.lock().unwrap();
        let each = shared.fails_each.load(Ordering::SeqCst);
        is_taken = each == 0 || !(received.len() + 1).is_multiple_of(each);
        received.push(Received { id, signature, body: json, is_taken });
    }
    let status = if is_taken { "200 OK" } else { "500 Internal Server Error" };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).and_then(|()| stream.flush()).ok()
}
