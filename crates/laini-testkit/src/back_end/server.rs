use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{HEALTHY, Step, json};

/// A connection that is still open then is given up.
const CONNECTION_LIVES: Duration = Duration::from_secs(30);
const DRIP_EVERY: Duration = Duration::from_millis(50);
/// Stands for the number that was asked about, once in what is written.
const NUMBER: &[u8] = b"{msisdn}";
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A back end on a free port of loopback, on a thread of its own. Ends with its value.
pub struct BackEnd {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// `None` = healthy.
    script: Mutex<Option<Arc<[Step]>>>,
    connections: AtomicU64,
    requests: AtomicU64,
    /// The head and body of the newest request.
    newest: Mutex<String>,
}

impl BackEnd {
    /// One that speaks plain HTTP.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// One that speaks TLS.
    pub fn start_tls(config: Arc<rustls::ServerConfig>) -> Self {
        Self::start_with(Some(TlsAcceptor::from(config)))
    }

    fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = accept(listener, tls, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on each new connection does this; connections that are open go on as they began.
    pub fn misbehave(&self, steps: impl Into<Arc<[Step]>>) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = Some(steps.into());
    }

    /// From now on each new connection answers every request.
    pub fn recover(&self) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Connections that were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Requests that were read so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The newest request, as it came.
    pub fn newest_request(&self) -> String {
        self.shared.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for BackEnd {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(timeout(CONNECTION_LIVES, async move {
            let script = shared.script.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // Whatever the other side does to the connection is its own affair.
            let _ = match tls {
                None => play(stream, script, &shared).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => play(stream, script, &shared).await,
                    Err(error) => Err(error),
                },
            };
        }));
    }
}

/// A stream that can go away with a reset.
trait Stream: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn play(mut stream: impl Stream, script: Option<Arc<[Step]>>, shared: &Shared) -> io::Result<()> {
    stream.tcp().set_nodelay(true)?;
    let Some(script) = script else {
        loop {
            let number = read_request(&mut stream, shared).await?;
            write(&mut stream, &json(HEALTHY), &number).await?;
        }
    };
    let mut number = String::new();
    for step in script.iter() {
        match step {
            Step::Read => number = read_request(&mut stream, shared).await?,
            Step::Write(bytes) => write(&mut stream, bytes, &number).await?,
            Step::Repeat(bytes) => loop {
                write(&mut stream, bytes, &number).await?;
            },
            Step::Drip(bytes) => {
                for byte in bytes {
                    stream.write_all(&[*byte]).await?;
                    sleep(DRIP_EVERY).await;
                }
            }
            Step::Stall => while stream.read(&mut [0; 1024]).await? > 0 {},
            Step::Reset => {
                stream.tcp().set_zero_linger()?;
                return Ok(());
            }
            Step::Close => {
                stream.shutdown().await?;
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn write(stream: &mut impl Stream, bytes: &[u8], number: &str) -> io::Result<()> {
    let place = bytes.windows(NUMBER.len()).position(|window| window == NUMBER);
    if let Some((before, after)) = place.map(|place| bytes.split_at(place)) {
        stream.write_all(&[before, number.as_bytes(), &after[NUMBER.len()..]].concat()).await?;
    } else {
        stream.write_all(bytes).await?;
    }
    stream.flush().await
}

/// Reads a request; the number that it asks about: the longest run of digits in its URL or body.
async fn read_request(stream: &mut impl Stream, shared: &Shared) -> io::Result<String> {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    let whole = loop {
        if let Some(whole) = whole_request(&read) {
            break whole;
        }
        let count = stream.read(&mut chunk).await?;
        if count == 0 || read.len() > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend_from_slice(&chunk[..count]);
    };
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let request = String::from_utf8_lossy(&read[..whole]).into_owned();
    let asked = request.lines().enumerate().filter(|(at, line)| *at == 0 || line.starts_with('{'));
    let runs = asked.flat_map(|(_, line)| line.split(|c: char| !c.is_ascii_digit()));
    let number = runs.max_by_key(|run| run.len()).unwrap_or_default().to_owned();
    *shared.newest.lock().unwrap_or_else(PoisonError::into_inner) = request;
    Ok(number)
}

/// The length of the request that `read` begins with, if all of it is there.
fn whole_request(read: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(read);
    let head = text.find("\r\n\r\n")? + 4;
    let length = text[..head]
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
    let body: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    (read.len() >= head + body).then_some(head + body)
}
