use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;

/// No answer of a check is longer.
const ANSWER_BYTES_AT_MOST: usize = 16 * 1024;

/// One kept HTTP/1.1 connection with at most one request under way.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// When the request that is under way fell due.
    pub(super) asked: Option<Duration>,
    received: Vec<u8>,
}

/// What reading brought.
pub(super) enum Progress {
    /// Not yet a whole answer.
    Waiting,
    Answered(Answer),
    /// The server closed it, or something else than an answer came.
    Broken,
}

/// One whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Whether the server closes the connection after it.
    pub(super) closes: bool,
    /// How long it tells the caller to wait.
    pub(super) retry_after: Option<Duration>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr, within: Duration) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, within)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, asked: None, received: Vec::with_capacity(1_024) })
    }

    /// Sends a request that fell due at `due`; `false` where the connection does not take it whole.
    pub(super) fn ask(&mut self, request: &[u8], due: Duration) -> bool {
        self.asked = Some(due);
        self.received.clear();
        matches!(self.stream.write(request), Ok(sent) if sent == request.len())
    }

    /// Reads what is there.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Progress {
        match self.stream.read(buffer) {
            Ok(0) => Progress::Broken,
            Ok(length) => {
                self.received.extend_from_slice(&buffer[..length]);
                match whole_answer(&self.received) {
                    Ok(Some(answer)) if self.asked.is_some() => Progress::Answered(answer),
                    Ok(None) if self.received.len() <= ANSWER_BYTES_AT_MOST => Progress::Waiting,
                    _ => Progress::Broken,
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Progress::Waiting,
            Err(_) => Progress::Broken,
        }
    }
}

/// Something else than HTTP.
#[derive(Debug, PartialEq, Eq)]
struct NoHttp;

/// The answer that `bytes` are, once they are all there.
fn whole_answer(bytes: &[u8]) -> Result<Option<Answer>, NoHttp> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| NoHttp)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).ok_or(NoHttp)?;
    let (mut length, mut closes, mut retry_after) = (None, false, None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<usize>().ok();
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.trim().eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("retry-after") {
            retry_after = value.trim().parse().ok().map(Duration::from_secs);
        }
    }
    let whole = end + 4 + length.ok_or(NoHttp)?;
    match bytes.len() {
        have if have < whole => Ok(None),
        have if have == whole => Ok(Some(Answer { status, closes, retry_after })),
        _ => Err(NoHttp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is_there() {
        let answer =
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nconnection: close\r\nretry-after: 3\r\n\r\n{}";
        for cut in 0..answer.len() {
            assert_eq!(whole_answer(&answer[..cut]), Ok(None), "{cut}");
        }
        let whole = Answer { status: 503, closes: true, retry_after: Some(Duration::from_secs(3)) };
        assert_eq!(whole_answer(answer), Ok(Some(whole)));
        assert_eq!(whole_answer(&[answer, &b"x"[..]].concat()), Err(NoHttp), "nobody asked for more");
    }

    #[test]
    fn what_is_no_answer_is_told_from_a_part_of_one() {
        for wrong in ["SSH-2.0\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            assert_eq!(whole_answer(wrong.as_bytes()), Err(NoHttp), "{wrong}");
        }
    }
}
