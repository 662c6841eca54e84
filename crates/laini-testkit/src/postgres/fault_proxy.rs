use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{LocalSet, spawn_local};

/// A link to one server that breaks in the ways that links break. It understands as much of PostgreSQL's
/// protocol as it takes to know where a request ends and its reply; plain connections only.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    faults: Mutex<Faults>,
    random: Mutex<fastrand::Rng>,
    counts: Counts,
}

/// What the link does. By default it only passes on.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// What is sent to the server is lost from now on; the connection stays.
    pub is_deaf: bool,
    /// What the server sends is lost from now on; the connection stays.
    pub is_mute: bool,
    /// What becomes of new connections.
    pub door: Door,
    /// After so many requests in all every connection breaks at its next one: whoever sent them is gone.
    pub dies_after: Option<u64>,
    /// Every request waits so long before it goes on.
    pub delay: Duration,
    /// What happens to some requests; the first rule that fits one counts.
    pub rules: Vec<Rule>,
}

/// What becomes of new connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Door {
    /// They are made.
    #[default]
    Open,
    /// They are reset as soon as they are made.
    Cut,
    /// They are refused, as by a server that has too many (53300).
    Full,
}

/// What happens to a share of the requests.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Only to requests whose SQL holds this; all where it is empty.
    pub holds: &'static str,
    /// To so many of a thousand of them.
    pub per_mille: u32,
    /// What.
    pub act: Act,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The server never sees it; the connection breaks.
    LoseRequest,
    /// The server does it, and the connection breaks before the reply.
    LoseReply,
    /// The server fails with this SQLSTATE instead; of a kind that ends sessions (57P01, 08006), the
    /// connection breaks after it.
    Fail(&'static str),
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    struck: AtomicU64,
}

impl FaultProxy {
    /// A link to the server at this port of loopback. What is drawn by lot is drawn from `seed`.
    pub fn start(server: u16, seed: u64) -> Self {
        let random = Mutex::new(fastrand::Rng::with_seed(seed));
        let shared = Arc::new(Shared { faults: Mutex::default(), random, counts: Counts::default() });
        let (stop, stopped) = oneshot::channel();
        let (told, port) = mpsc::channel();
        let inner = Arc::clone(&shared);
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            LocalSet::new().block_on(&runtime, async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                told.send(listener.local_addr().unwrap().port()).unwrap();
                tokio::select! {
                    () = accept(listener, server, inner) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::spawn(run);
        Self { port: port.recv().unwrap(), shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the link does from now on.
    pub fn set(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Requests that came, and those that something happened to.
    pub fn counts(&self) -> (u64, u64) {
        let counts = &self.shared.counts;
        (counts.requests.load(Ordering::Relaxed), counts.struck.load(Ordering::Relaxed))
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn faults(&self) -> Faults {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happens to a request of this text.
    fn draw(&self, sql: &str) -> Option<Act> {
        let faults = self.faults();
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let rule = faults.rules.iter().find(|rule| sql.contains(rule.holds))?;
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let is_struck = random.u32(0..1_000) < rule.per_mille;
        if is_struck {
            self.counts.struck.fetch_add(1, Ordering::Relaxed);
        }
        is_struck.then_some(rule.act)
    }
}

async fn accept(listener: TcpListener, server: u16, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let shared = Arc::clone(&shared);
        spawn_local(async move {
            let faults = shared.faults();
            if faults.door == Door::Cut {
                return reset(&client);
            }
            let _ = client.set_nodelay(true);
            if faults.door == Door::Full {
                let mut client = client;
                let mut startup = [0; 1024];
                let _ = client.read(&mut startup).await;
                let _ = client.write_all(&error("FATAL", "53300", "too many connections")).await;
                return;
            }
            let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)).await else { return };
            let _ = upstream.set_nodelay(true);
            Connection::new(shared).run(client, upstream).await;
        });
    }
}

/// Ends a connection as a crash does: with a reset.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// What becomes of a request whose reply is awaited.
#[derive(Debug, Clone, Copy)]
struct Fate {
    act: Option<Act>,
}

/// One connection: frames in both directions.
struct Connection {
    shared: Arc<Shared>,
    /// Requests at the server, in their order.
    awaited: RefCell<VecDeque<Fate>>,
    /// The text of each prepared statement by its name.
    statements: RefCell<HashMap<Vec<u8>, String>>,
    is_started: Cell<bool>,
    broken: Notify,
}

impl Connection {
    fn new(shared: Arc<Shared>) -> Rc<Self> {
        Rc::new(Self {
            shared,
            awaited: RefCell::default(),
            statements: RefCell::default(),
            is_started: Cell::new(false),
            broken: Notify::new(),
        })
    }

    async fn run(self: Rc<Self>, client: TcpStream, server: TcpStream) {
        // Whatever ends it, both sides see a reset.
        reset(&client);
        reset(&server);
        let (client_in, client_out) = client.into_split();
        let (server_in, server_out) = server.into_split();
        let up = Rc::clone(&self);
        let down = Rc::clone(&self);
        tokio::select! {
            _ = up.requests(client_in, server_out) => {}
            _ = down.replies(server_in, client_out) => {}
            () = self.broken.notified() => {}
        }
    }

    async fn requests(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        self.startup(&mut from, &mut to).await?;
        let (mut request, mut sql) = (Vec::new(), String::new());
        loop {
            let frame = frame(&mut from).await?;
            if !self.is_started.get() {
                to.write_all(&frame).await?;
                continue;
            }
            self.note(&frame, &mut sql);
            let is_whole = matches!(frame[0], b'Q' | b'S' | b'X') || frame[0] == b'c' || frame[0] == b'f';
            let is_copy = frame[0] == b'd';
            request.extend_from_slice(&frame);
            if !is_whole && !is_copy {
                continue;
            }
            let is_asking = matches!(frame[0], b'Q' | b'S');
            self.forward(std::mem::take(&mut request), std::mem::take(&mut sql), is_asking, &mut to).await?;
        }
    }

    /// The first message has no kind; one that asks for TLS comes before it.
    async fn startup(&self, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) -> io::Result<()> {
        loop {
            let length = from.read_u32().await?;
            let mut rest = vec![0; (length as usize).saturating_sub(4)];
            from.read_exact(&mut rest).await?;
            to.write_all(&length.to_be_bytes()).await?;
            to.write_all(&rest).await?;
            if rest[..4] != TLS_REQUEST.to_be_bytes() {
                return Ok(());
            }
        }
    }

    async fn forward(&self, request: Vec<u8>, sql: String, is_asking: bool, to: &mut OwnedWriteHalf) -> io::Result<()> {
        let faults = self.shared.faults();
        if !faults.delay.is_zero() {
            tokio::time::sleep(faults.delay).await;
        }
        if faults.is_deaf {
            return Ok(());
        }
        if !is_asking {
            return to.write_all(&request).await;
        }
        let is_dead =
            faults.dies_after.is_some_and(|count| self.shared.counts.requests.load(Ordering::Relaxed) >= count);
        let act = self.shared.draw(&sql);
        if is_dead || act == Some(Act::LoseRequest) {
            self.broken.notify_one();
            return Ok(());
        }
        self.awaited.borrow_mut().push_back(Fate { act });
        match act {
            Some(Act::Fail(state)) => to.write_all(&failing(state)).await,
            _ => to.write_all(&request).await,
        }
    }

    async fn replies(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut is_first = true;
        loop {
            // The answer to a wish for TLS is one byte: no.
            if is_first {
                let mut byte = [0];
                from.read_exact(&mut byte).await?;
                if byte == *b"N" {
                    to.write_all(&byte).await?;
                    continue;
                }
                is_first = false;
                let frame = rest_of_frame(byte[0], &mut from).await?;
                to.write_all(&frame).await?;
                continue;
            }
            let frame = frame(&mut from).await?;
            let is_end = frame[0] == b'Z';
            let fate = if self.is_started.get() { self.awaited.borrow().front().copied() } else { None };
            let act = fate.and_then(|fate| fate.act);
            if act != Some(Act::LoseReply) && !self.shared.faults().is_mute {
                to.write_all(&frame).await?;
            }
            if !is_end {
                continue;
            }
            if self.is_started.replace(true) {
                self.awaited.borrow_mut().pop_front();
            }
            if act == Some(Act::LoseReply) || matches!(act, Some(Act::Fail("57P01" | "08006"))) {
                self.broken.notify_one();
            }
        }
    }

    /// Collects the SQL of a request: its own text, or that of a statement prepared before.
    fn note(&self, frame: &[u8], sql: &mut String) {
        let body = &frame[5..];
        let mut parts = body.split(|byte| *byte == 0);
        match frame[0] {
            b'Q' => sql.push_str(&String::from_utf8_lossy(parts.next().unwrap_or_default())),
            b'P' => {
                let name = parts.next().unwrap_or_default().to_vec();
                let text = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
                sql.push_str(&text);
                self.statements.borrow_mut().insert(name, text);
            }
            b'B' => {
                let name = parts.nth(1).unwrap_or_default();
                if let Some(text) = self.statements.borrow().get(name).filter(|_| !name.is_empty()) {
                    sql.push_str(text);
                }
            }
            _ => {}
        }
    }
}

/// What a client sends that wishes for TLS, in place of a protocol version.
const TLS_REQUEST: u32 = 80_877_103;

async fn frame(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    rest_of_frame(kind, from).await
}

async fn rest_of_frame(kind: u8, from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut frame = vec![0; length as usize + 1];
    frame[0] = kind;
    frame[1..5].copy_from_slice(&length.to_be_bytes());
    from.read_exact(&mut frame[5..]).await?;
    Ok(frame)
}

/// A request that fails at the server itself, so that a transaction under way fails with it.
fn failing(state: &str) -> Vec<u8> {
    let sql = format!("DO $$ BEGIN RAISE EXCEPTION 'a made-up failure' USING ERRCODE = '{state}'; END $$\0");
    let mut frame = vec![b'Q'];
    frame.extend_from_slice(&u32::try_from(sql.len() + 4).unwrap().to_be_bytes());
    frame.extend_from_slice(sql.as_bytes());
    frame
}

fn error(severity: &str, state: &str, message: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in [(b'S', severity), (b'V', severity), (b'C', state), (b'M', message)] {
        body.push(field);
        body.extend_from_slice(value.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut frame = vec![b'E'];
    frame.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    frame.extend_from_slice(&body);
    frame
}
