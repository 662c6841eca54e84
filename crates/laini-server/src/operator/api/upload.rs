use std::io::{self, Read};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Limits;
use crate::http::ApiError;

/// Chunks of a body that are read ahead while those before are recorded: the slower the disk, the more
/// goes into one commit.
const CHUNKS_AHEAD: usize = 64;

/// How much of an upload that was refused is read all the same,
const DRAINED_BYTES_MAX: usize = 1024 * 1024;
/// and for how long.
const DRAIN_TIMEOUT_MS: u64 = 1_000;

/// A body on its way to a thread that reads it as a file.
pub(super) struct Upload {
    chunks: mpsc::Receiver<Result<Bytes, &'static str>>,
    chunk: Bytes,
    /// Why the body broke off.
    broken: Option<&'static str>,
}

impl Upload {
    /// Begins to read a body. One that falls silent, breaks off or grows too large ends in an error, never
    /// in an end.
    pub(super) fn begin(mut body: Body, limits: &Limits) -> Self {
        let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let (silence, mut left) = (Duration::from_millis(limits.upload_silence_ms), limits.upload_bytes);
        tokio::spawn(async move {
            loop {
                let chunk = match timeout(silence, body.frame()).await {
                    Err(_) => Err("nothing came for too long"),
                    Ok(None) => return,
                    Ok(Some(Err(_))) => Err("the connection broke"),
                    // Trailers say nothing here.
                    Ok(Some(Ok(frame))) => Ok(frame.into_data().unwrap_or_default()),
                };
                let chunk = chunk.and_then(|data| {
                    left = left.checked_sub(data.len() as u64).ok_or("it is larger than one upload may be")?;
                    Ok(data)
                });
                let is_last = chunk.is_err();
                // The reader may have stopped before the end.
                if sender.send(chunk).await.is_err() {
                    return drain(body).await;
                }
                if is_last {
                    return;
                }
            }
        });
        Self { chunks, chunk: Bytes::new(), broken: None }
    }
}

impl Read for Upload {
    /// Waits for the first byte only, and takes what has come beyond it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.broken.is_none() {
            if self.chunk.is_empty() {
                let next = if filled == 0 { self.chunks.blocking_recv() } else { self.chunks.try_recv().ok() };
                match next {
                    Some(Ok(chunk)) => self.chunk = chunk,
                    Some(Err(why)) => self.broken = Some(why),
                    None => return Ok(filled),
                }
            }
            let taken = self.chunk.len().min(buffer.len() - filled);
            buffer[filled..filled + taken].copy_from_slice(&self.chunk[..taken]);
            self.chunk.advance(taken);
            filled += taken;
        }
        match self.broken {
            Some(why) if filled == 0 => Err(io::Error::new(io::ErrorKind::InvalidData, why)),
            _ => Ok(filled),
        }
    }
}

/// Reads a little more of a body that nobody wants: a client that still sends must not find its connection
/// reset before it has read why.
pub(super) async fn drain(body: Body) {
    let rest = Limited::new(body, DRAINED_BYTES_MAX);
    // However it ends, the connection is told to.
    let _ = timeout(Duration::from_millis(DRAIN_TIMEOUT_MS), rest.collect()).await;
}

/// Refuses what is packed in a way that cannot be read. How it is packed is told by its first bytes, so
/// the header is only held against the ways there are.
pub(super) fn readable(headers: &HeaderMap) -> Result<(), ApiError> {
    const KNOWN: [&str; 4] = ["identity", "gzip", "x-gzip", "zstd"];
    let is_known = |value: &axum::http::HeaderValue| {
        value.to_str().is_ok_and(|text| KNOWN.iter().any(|known| text.trim().eq_ignore_ascii_case(known)))
    };
    if headers.get_all(CONTENT_ENCODING).iter().all(is_known) { Ok(()) } else { Err(ApiError::NotJson) }
}
