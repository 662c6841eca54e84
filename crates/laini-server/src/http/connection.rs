use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Version;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Front;
use super::error::ResetConnection;
use super::origin::Origin;
use super::pulse::{Expired, Pulse, Watched};
use crate::Limits;

/// The longest header of an HTTP/1 request, its first line included; beyond it, 431.
const HTTP1_HEADER_BYTES_MAX: usize = 32 * 1024;
/// The longest header list of an HTTP/2 request.
const HTTP2_HEADER_BYTES_MAX: u32 = 32 * 1024;

/// Speaks HTTP/1.1 or HTTP/2 on connections.
#[derive(Clone)]
pub(super) struct Speaker {
    builder: Builder<TokioExecutor>,
    front: Arc<Front>,
    header_timeout_ms: u64,
    idle_timeout_ms: u64,
}

impl Speaker {
    pub(super) fn new(front: Arc<Front>, limits: &Limits) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // The pulse does it, and tells a slow header from an idle connection.
            .header_read_timeout(None)
            // A client that has said everything may close its side and still be answered.
            .half_close(true)
            .max_buf_size(HTTP1_HEADER_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(HTTP2_HEADER_BYTES_MAX)
            .max_concurrent_streams(limits.http2_streams);
        Self { builder, front, header_timeout_ms: limits.header_timeout_ms, idle_timeout_ms: limits.idle_timeout_ms }
    }

    /// Serves one connection to its end; from `drain` on it finishes what is under way and closes.
    pub(super) async fn serve(self, stream: TcpStream, origin: Origin, mut drain: watch::Receiver<()>) {
        let pulse = Arc::new(Pulse::new(self.header_timeout_ms, self.idle_timeout_ms));
        let service = service_fn(|request| {
            let under_way = pulse.request_began(hyper::Request::version(&request));
            let front = Arc::clone(&self.front);
            let pulse = Arc::clone(&pulse);
            async move {
                let is_alone = hyper::Request::version(&request) != Version::HTTP_2;
                let response = front.answer(request, origin).await;
                drop(under_way);
                match response.extensions().get::<ResetConnection>() {
                    None => Ok(response),
                    Some(reset) => {
                        // Over HTTP/2 an error resets its stream; the others go on.
                        if is_alone {
                            pulse.end_by_reset();
                        }
                        Err(*reset)
                    }
                }
            }
        });
        let io = TokioIo::new(Watched { stream, pulse: Arc::clone(&pulse) });
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let mut expired = pin!(pulse.expired());
        let mut draining = false;
        loop {
            tokio::select! {
                // What can be read is read before a drain closes what seems idle.
                biased;
                // Errors are the peer's: broken connections and malformed heads, answered by hyper.
                _ = connection.as_mut() => return,
                how = expired.as_mut() => {
                    if matches!(how, Expired::Idle) {
                        connection.as_mut().graceful_shutdown();
                        // A peer that reads nothing would hold the place for ever.
                        let _ = timeout(Duration::from_millis(self.header_timeout_ms), connection).await;
                    }
                    return;
                }
                _ = drain.changed(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
