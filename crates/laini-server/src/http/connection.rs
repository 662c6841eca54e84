use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::Version;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::ResetConnection;
use super::origin::Origin;
use super::pulse::{Expired, Pulse, Socket, Watched};
use super::tls::client_certificate;
use super::{Front, Tls};
use crate::Limits;

/// The longest header of an HTTP/1 request, its first line included; beyond it, 431.
const HTTP1_HEADER_BYTES_MAX: usize = 32 * 1024;
/// The longest header list of an HTTP/2 request.
const HTTP2_HEADER_BYTES_MAX: u32 = 32 * 1024;
/// Streams of an HTTP/2 connection that the peer reset and nobody has looked at yet.
const HTTP2_RESETS_PENDING_MAX: usize = 20;
/// Streams of an HTTP/2 connection that were reset for the peer's errors.
const HTTP2_ERROR_RESETS_MAX: usize = 100;
/// Of an answer, so much waits in memory for an HTTP/2 peer to take it.
const HTTP2_SEND_BUFFER_BYTES: usize = 64 * 1024;
/// How often an HTTP/2 peer is asked whether it is still there.
const HTTP2_PING_INTERVAL_MS: u64 = 20_000;
/// How long it may take to say so.
const HTTP2_PING_TIMEOUT_MS: u64 = 10_000;

/// Speaks HTTP/1.1 or HTTP/2 on connections.
#[derive(Clone)]
pub(super) struct Speaker {
    builder: Builder<TokioExecutor>,
    front: Arc<Front>,
    limits: Limits,
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
            .max_concurrent_streams(limits.http2_streams)
            // A peer that opens streams and resets them at once is cut: after so many that it reset
            // before they were looked at, and so many that were reset for errors of its own.
            .max_pending_accept_reset_streams(HTTP2_RESETS_PENDING_MAX)
            .max_local_error_reset_streams(HTTP2_ERROR_RESETS_MAX)
            .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES)
            // Finds peers that are gone while their requests are under way.
            .keep_alive_interval(Duration::from_millis(HTTP2_PING_INTERVAL_MS))
            .keep_alive_timeout(Duration::from_millis(HTTP2_PING_TIMEOUT_MS));
        Self { builder, front, limits: limits.clone() }
    }

    /// Shakes hands and serves; the handshake counts as part of the first header.
    pub(super) async fn serve_tls(self, tls: &Tls, stream: TcpStream, origin: Origin, drain: watch::Receiver<()>) {
        let patience = Duration::from_millis(self.limits.header_timeout_ms);
        // A failed handshake is the peer's affair.
        if let Ok(Ok(stream)) = timeout(patience, tls.accept(stream)).await {
            let origin = Origin { certificate: client_certificate(&stream), ..origin };
            self.serve(stream, origin, drain).await;
        }
    }

    /// Serves one connection to its end; from `drain` on it finishes what is under way and closes.
    pub(super) async fn serve<S: Socket>(self, stream: S, origin: Origin, mut drain: watch::Receiver<()>) {
        let pulse = Arc::new(Pulse::new(&self.limits));
        let service = service_fn(|request| {
            let under_way = pulse.request_began(hyper::Request::version(&request));
            let front = Arc::clone(&self.front);
            let pulse = Arc::clone(&pulse);
            async move {
                let is_alone = hyper::Request::version(&request) != Version::HTTP_2;
                let response = front.answer(request.map(Body::new), origin).await;
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
                    if matches!(how, Expired::Stalled) {
                        // What it does not take is thrown away with the connection.
                        pulse.end_by_reset();
                    }
                    if matches!(how, Expired::Idle) {
                        connection.as_mut().graceful_shutdown();
                        // A peer that reads nothing would hold the place for ever.
                        let _ = timeout(Duration::from_millis(self.limits.header_timeout_ms), connection).await;
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
