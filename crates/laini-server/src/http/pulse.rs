use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Version;
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::server::TlsStream;

use crate::Limits;

/// What a connection is doing, and since when: tells a slow header from an idle connection.
///
/// hyper's own header timeout runs while a connection lies idle and arms a timer per request. Here
/// the bytes that come and the requests that start only note the time, and one timer per connection
/// looks now and then.
pub(super) struct Pulse {
    header_timeout: Duration,
    idle_timeout: Duration,
    answer_timeout: Duration,
    beat: Mutex<Beat>,
    /// Whether answers wait for the peer to take them; the instant is in the beat.
    is_stalled: AtomicBool,
    ends_by_reset: AtomicBool,
}

struct Beat {
    phase: Phase,
    /// On HTTP/2 bytes come without a request (settings, pings), so they start no header.
    multiplexed: bool,
    /// Since when answers wait, and were never taken whole.
    stalled: Option<Instant>,
}

enum Phase {
    /// Nothing is asked.
    Idle { since: Instant },
    /// A header has begun, or the connection has just been opened.
    Header { since: Instant },
    /// So many requests are under way; each has limits of its own.
    Busy { requests: u32 },
}

/// Why a connection ends.
pub(super) enum Expired {
    /// Its header did not come in time.
    Header,
    /// It lay idle for too long.
    Idle,
    /// The peer does not take its answers.
    Stalled,
}

impl Pulse {
    pub(super) fn new(limits: &Limits) -> Self {
        let phase = Phase::Header { since: Instant::now() };
        Self {
            header_timeout: Duration::from_millis(limits.header_timeout_ms),
            idle_timeout: Duration::from_millis(limits.idle_timeout_ms),
            answer_timeout: Duration::from_millis(limits.answer_timeout_ms),
            beat: Mutex::new(Beat { phase, multiplexed: false, stalled: None }),
            is_stalled: AtomicBool::new(false),
            ends_by_reset: AtomicBool::new(false),
        }
    }

    /// Notes that a request's header is complete; the request is over when the guard is dropped.
    pub(super) fn request_began(self: &Arc<Self>, version: Version) -> Request {
        let mut beat = self.beat();
        beat.multiplexed |= version == Version::HTTP_2;
        let requests = if let Phase::Busy { requests } = beat.phase { requests + 1 } else { 1 };
        beat.phase = Phase::Busy { requests };
        Request(Arc::clone(self))
    }

    /// Resolves when the connection must end.
    pub(super) async fn expired(&self) -> Expired {
        loop {
            let now = Instant::now();
            let look_again = now + self.header_timeout.min(self.answer_timeout);
            let (due, expired) =
                self.beat().due().map_or((look_again, Expired::Idle), |(since, expired)| match expired {
                    Expired::Header => (since + self.header_timeout, expired),
                    Expired::Idle => (since + self.idle_timeout, expired),
                    Expired::Stalled => (since + self.answer_timeout, expired),
                });
            if due <= now {
                return expired;
            }
            // What begins right after this look is due no earlier than the next one.
            sleep_until(due.min(look_again)).await;
        }
    }

    /// From here on the end of the connection is a reset.
    pub(super) fn end_by_reset(&self) {
        self.ends_by_reset.store(true, Ordering::Relaxed);
    }

    fn bytes_came(&self) {
        let mut beat = self.beat();
        if matches!(beat.phase, Phase::Idle { .. }) && !beat.multiplexed {
            beat.phase = Phase::Header { since: Instant::now() };
        }
    }

    /// Notes whether the peer took what there was for it.
    fn flushed(&self, is_taken: bool) {
        if is_taken != self.is_stalled.load(Ordering::Relaxed) {
            return;
        }
        self.is_stalled.store(!is_taken, Ordering::Relaxed);
        self.beat().stalled = (!is_taken).then(Instant::now);
    }

    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beat {
    /// Since when it has been doing what it does, and what it ends for if that lasts too long.
    fn due(&self) -> Option<(Instant, Expired)> {
        match self.phase {
            _ if let Some(since) = self.stalled => Some((since, Expired::Stalled)),
            Phase::Header { since } => Some((since, Expired::Header)),
            Phase::Idle { since } => Some((since, Expired::Idle)),
            Phase::Busy { .. } => None,
        }
    }
}

/// A request under way.
pub(super) struct Request(Arc<Pulse>);

impl Drop for Request {
    fn drop(&mut self) {
        let mut beat = self.0.beat();
        beat.phase = match beat.phase {
            Phase::Busy { requests } if requests > 1 => Phase::Busy { requests: requests - 1 },
            _ => Phase::Idle { since: Instant::now() },
        };
    }
}

/// A connection, in the clear or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// The TCP connection underneath.
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A stream whose incoming bytes are noted, and whose end can be a reset.
pub(super) struct Watched<S: Socket> {
    pub(super) stream: S,
    pub(super) pulse: Arc<Pulse>,
}

impl<S: Socket> Drop for Watched<S> {
    fn drop(&mut self) {
        if self.pulse.ends_by_reset.load(Ordering::Relaxed) {
            // Without a linger time the system answers what is unsent with a reset. If it will not, the
            // peer sees an ordinary end.
            let _ = set_socket_linger(self.stream.tcp(), Some(Duration::ZERO));
        }
    }
}

impl<S: Socket> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pulse.bytes_came();
        }
        polled
    }
}

impl<S: Socket> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if polled.is_pending() {
            self.pulse.flushed(false);
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        if polled.is_pending() {
            self.pulse.flushed(false);
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Reached once everything is written, so a peer that takes a little now and then is stalled still.
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.pulse.flushed(polled.is_ready());
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
