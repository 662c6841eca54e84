use std::error::Error as _;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tower::ServiceExt as _;

use crate::registry::UpstreamLimits;

/// Headers that an answer may have.
const HEADERS_MAX: usize = 64;

type Connections = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The connections to the back end.
pub(crate) struct Exchange {
    connector: HttpsConnector<HttpConnector>,
    kept: Connections,
    fresh: Connections,
    response_bytes_max: usize,
}

/// Which connection carries a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// One that lies idle, where there is one.
    Any,
    /// A new one: an idle one may have been closed on the other side a moment ago.
    Fresh,
}

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Of a 200 that says that it is JSON; else not looked at.
    pub(crate) body: Bytes,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// No connection, or it was cut: another one may do better.
    Connection(String),
    /// The back end failed (5xx): it may do better.
    Failing(u16),
    /// It refuses work for now.
    Shedding(u16),
    /// What came is not what was asked for.
    Answer(&'static str),
}

impl Exchange {
    pub(crate) fn new(tls: ClientConfig, limits: &UpstreamLimits) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(Duration::from_millis(limits.connect_timeout_ms)));
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let connector = connector.wrap_connector(tcp);
        let connections = |idle_max| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_millis(limits.idle_timeout_ms))
                .pool_max_idle_per_host(idle_max)
                .http1_max_headers(HEADERS_MAX)
                .http1_max_buf_size(limits.response_header_bytes_max)
                .build(connector.clone())
        };
        let (kept, fresh) = (connections(limits.idle_connections_max), connections(0));
        Self { connector, kept, fresh, response_bytes_max: limits.response_bytes_max }
    }

    /// Makes a connection, TLS included, and sends nothing over it.
    pub(crate) async fn connect(&self, to: Uri) -> Result<(), String> {
        let connection = self.connector.clone().oneshot(to).await;
        connection.map(drop).map_err(|error| in_words(&*error))
    }

    /// Sends one request and reads its whole answer, within what is allowed.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>, over: Over) -> Result<Reply, Broken> {
        let connections = if over == Over::Any { &self.kept } else { &self.fresh };
        let response = connections.request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Err(Broken::Shedding(status.as_u16()));
            }
            _ if status.is_server_error() => return Err(Broken::Failing(status.as_u16())),
            // Read only where something is read from it.
            StatusCode::OK => {}
            _ => return Ok(Reply { status: status.as_u16(), body: Bytes::new() }),
        }
        is_plain_json(response.headers())?;
        let body = self.read(response.into_body()).await?;
        Ok(Reply { status: status.as_u16(), body })
    }

    async fn read(&self, mut body: Incoming) -> Result<Bytes, Broken> {
        const TOO_LARGE: Broken = Broken::Answer("it is larger than allowed");
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| cut(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            if read.len() + data.len() > self.response_bytes_max {
                return Err(TOO_LARGE);
            }
            read.extend_from_slice(data);
        }
        Ok(read.freeze())
    }
}

/// JSON in UTF-8, as it is.
fn is_plain_json(headers: &HeaderMap) -> Result<(), Broken> {
    if headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err(Broken::Answer("it has several lengths"));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Broken::Answer("it is compressed, which was not asked for"));
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(stated), None) = (types.next(), types.next()) else {
        return Err(Broken::Answer("it does not say that it is JSON"));
    };
    let stated = stated.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = stated.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
        return Err(Broken::Answer("it does not say that it is JSON"));
    }
    let charset = parts.find_map(|part| part.strip_prefix("charset=")).map(|name| name.trim_matches('"'));
    if charset.is_some_and(|name| name != "utf-8" && name != "utf8") {
        return Err(Broken::Answer("it is not in UTF-8"));
    }
    Ok(())
}

fn broken(error: &hyper_util::client::legacy::Error) -> Broken {
    let cause = error.source();
    match cause.and_then(|cause| cause.downcast_ref::<hyper::Error>()) {
        Some(cause) => cut(cause),
        None => Broken::Connection(in_words(error)),
    }
}

fn cut(error: &hyper::Error) -> Broken {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    // So the library says that chunks are malformed; TLS says the same of an alert.
    let is_malformed = cause.is_some_and(|cause| {
        let is_tls = matches!(cause.get_ref(), Some(inner) if inner.is::<rustls::Error>());
        matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) && !is_tls
    });
    if error.is_parse() || is_malformed { Broken::Answer("it is no HTTP") } else { Broken::Connection(in_words(error)) }
}

/// The causes speak of sockets and certificates only, never of the URL.
fn in_words(error: &dyn std::error::Error) -> String {
    const CAUSES_SHOWN_MAX: usize = 4;
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.take(CAUSES_SHOWN_MAX).fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
