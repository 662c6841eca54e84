//! HTTP/1.1 by hand: what is sent is exactly what the test wrote.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing in these tests takes this long; what does hangs.
pub(crate) const HANGS_AFTER: Duration = Duration::from_secs(20);

/// What HTTP itself answers before there is a request: a wish for the body, headers that are too large.
const OF_HTTP: [u16; 2] = [100, 431];

/// What bytes go over in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Duplex for S {}

/// One connection.
pub(crate) struct Connection {
    stream: Box<dyn Duplex>,
    unread: Vec<u8>,
    /// What the next answer answers, where that is known.
    asked: Option<RequestLine>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json;charset=UTF-8"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no text {field} in {self:?}")).to_owned()
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn over(stream: impl Duplex) -> Self {
        Self { stream: Box::new(stream), unread: Vec::new(), asked: None }
    }

    /// Sends bytes; a peer that has closed already is no failure of the test's.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.asked = RequestLine::of(bytes.as_ref()).or(self.asked.take());
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    pub(crate) async fn finish_sending(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The next answer; `None` where the connection was closed before a whole one came. Its status is one that the
    /// document tells of.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        let reply = timeout(HANGS_AFTER, self.read_reply()).await.expect("the server hangs")?;
        if !OF_HTTP.contains(&reply.status)
            && let Some(asked) = self.asked.take()
        {
            asked.is_told_of(reply.status);
        }
        Some(reply)
    }

    /// Waits for the end of the connection; returns what still came.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.unread);
        let reading = async { while self.fill(&mut rest).await {} };
        timeout(HANGS_AFTER, reading).await.expect("the server hangs");
        rest
    }

    async fn read_reply(&mut self) -> Option<Reply> {
        let mut bytes = std::mem::take(&mut self.unread);
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if !self.fill(&mut bytes).await {
                return None;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
            let body = self.read_chunks(bytes.split_off(end + 4)).await?;
            return Some(Reply { status, headers, body });
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, length)| length.parse().unwrap());
        while bytes.len() < end + 4 + length {
            if !self.fill(&mut bytes).await {
                return None;
            }
        }
        self.unread = bytes.split_off(end + 4 + length);
        let body = String::from_utf8(bytes.split_off(end + 4)).unwrap();
        Some(Reply { status, headers, body })
    }

    /// A body of chunks, of which `bytes` came already.
    async fn read_chunks(&mut self, mut bytes: Vec<u8>) -> Option<String> {
        let mut body = Vec::new();
        loop {
            let line = bytes.windows(2).position(|two| two == b"\r\n");
            let chunk =
                line.map(|end| (end + 2, usize::from_str_radix(str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap()));
            match chunk.filter(|(begins, length)| bytes.len() >= begins + length + 2) {
                Some((begins, length)) => {
                    body.extend_from_slice(&bytes[begins..begins + length]);
                    bytes.drain(..begins + length + 2);
                    if length == 0 {
                        self.unread = bytes;
                        return String::from_utf8(body).ok();
                    }
                }
                None if self.fill(&mut bytes).await => {}
                None => return None,
            }
        }
    }

    async fn fill(&mut self, bytes: &mut Vec<u8>) -> bool {
        let mut chunk = [0; 4_096];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => false,
            Ok(read) => {
                bytes.extend_from_slice(&chunk[..read]);
                true
            }
        }
    }
}

/// How a request begins.
struct RequestLine {
    method: String,
    path: String,
}

impl RequestLine {
    /// `None` where bytes do not begin as a request does.
    fn of(bytes: &[u8]) -> Option<Self> {
        let line = str::from_utf8(bytes).ok()?.split("\r\n").next()?;
        let (method, rest) = line.split_once(' ')?;
        let (target, _) = rest.split_once(" HTTP/1.1")?;
        let path = target.split('?').next()?;
        Some(Self { method: method.to_ascii_lowercase(), path: path.to_owned() })
    }

    /// Fails where the document describes what was asked and not that it can be answered so.
    fn is_told_of(&self, status: u16) {
        static DOCUMENT: LazyLock<Value> = LazyLock::new(laini_server::openapi::document);
        let paths = DOCUMENT["paths"].as_object().unwrap();
        let exact = paths.get(&self.path);
        let described = exact.or_else(|| paths.iter().find(|(path, _)| self.is_at(path)).map(|(_, methods)| methods));
        if let Some(operation) = described.and_then(|methods| methods.get(&self.method)) {
            let Self { method, path } = self;
            let told = &operation["responses"];
            assert!(told.get(status.to_string()).is_some(), "{method} {path} is answered {status}, told are {told:#}");
        }
    }

    /// Whether a path is one of a template's.
    fn is_at(&self, template: &str) -> bool {
        let (ours, theirs) = (self.path.split('/'), template.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours.zip(theirs).all(|(ours, theirs)| theirs.starts_with('{') || ours == theirs)
    }
}

/// `Authorization` of Basic credentials.
pub(crate) fn basic(key: &str, secret: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{key}:{secret}")))
}

/// A whole request. `headers` are lines that end in CRLF.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nHost: laini.test\r\n{headers}{length}\r\n{body}")
}

/// A whole check.
pub(crate) fn check(path: &str, token: &str, body: &str) -> String {
    check_under(path, token, "", body)
}

/// A whole check with further headers, lines that end in CRLF.
pub(crate) fn check_under(path: &str, token: &str, headers: &str, body: &str) -> String {
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}");
    request("POST", path, &headers, body)
}
