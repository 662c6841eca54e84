use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use laini_core::store::FeedResult;
use laini_wire::operator::{EventCounts, EventResult, EventsSummary};

use crate::operator::feed::Applied;

/// Lines that wait or were refused are told with their reason, up to so many; the rest by their result.
const REASONS_MAX: usize = 100_000;
/// How much of the answer is made at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What became of each line of a feed: a byte a line, so that the answer can wait until the upload has
/// ended. A client that writes first and reads then would else be waited for while it waits.
#[derive(Debug, Default)]
pub(super) struct Told {
    lines: VecDeque<Word>,
    reasons: VecDeque<EventResult>,
    counts: EventCounts,
}

/// The result of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Blank,
    Accepted,
    Repeated,
    Waiting,
    Refused,
}

impl Word {
    fn of(result: &FeedResult) -> Self {
        match result {
            FeedResult::Accepted => Self::Accepted,
            FeedResult::Repeated => Self::Repeated,
            FeedResult::Waits(_) => Self::Waiting,
            FeedResult::Refused(_) | FeedResult::Conflict | FeedResult::Unreadable => Self::Refused,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Blank => "",
            Self::Accepted => "accepted",
            Self::Repeated => "repeated",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }
}

impl Told {
    /// How many lines there were, blank ones too.
    pub(super) fn lines(&self) -> u64 {
        self.lines.len() as u64
    }

    /// What there was in all.
    pub(super) fn counts(&self) -> EventCounts {
        self.counts
    }

    /// Takes note of the next line.
    pub(super) fn note(&mut self, applied: Applied) {
        let word = Word::of(&applied.result);
        let place = usize::try_from(applied.line).unwrap_or(usize::MAX);
        self.lines.resize(place.saturating_sub(1).max(self.lines.len()), Word::Blank);
        self.lines.push_back(word);
        let counts = &mut self.counts;
        counts.events += 1;
        *match word {
            Word::Accepted => &mut counts.accepted,
            Word::Repeated => &mut counts.repeated,
            Word::Waiting => &mut counts.waiting,
            Word::Refused | Word::Blank => &mut counts.refused,
        } += 1;
        if applied.reason.is_some() && self.reasons.len() < REASONS_MAX {
            let (line, event, reason) = (applied.line, Some(applied.event), applied.reason);
            self.reasons.push_back(EventResult { line, result: word.text().to_owned(), event, reason });
        }
    }

    /// The answer: of a known length where it is short, else made while it is read.
    pub(super) fn into_body(self) -> axum::body::Body {
        let mut telling = TellingBody { told: self, line: 0, is_over: false, first: None };
        let first = telling.next_chunk();
        if telling.is_over {
            return first.into();
        }
        telling.first = Some(first);
        axum::body::Body::new(telling)
    }
}

/// NDJSON: an [`EventResult`] a line, then the [`EventsSummary`].
struct TellingBody {
    told: Told,
    line: u64,
    is_over: bool,
    /// Made already.
    first: Option<Vec<u8>>,
}

impl TellingBody {
    /// The next results; empty at the end.
    fn next_chunk(&mut self) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        while chunk.len() < CHUNK_BYTES - 1_024 {
            let Some(word) = self.told.lines.pop_front() else {
                if !self.is_over {
                    self.is_over = true;
                    write_line(&mut chunk, &EventsSummary { summary: self.told.counts });
                }
                break;
            };
            self.line += 1;
            if word == Word::Blank {
                continue;
            }
            let with_reason = self.told.reasons.pop_front_if(|reason| reason.line == self.line);
            let (line, result) = (self.line, word.text().to_owned());
            let plain = || EventResult { line, result, event: None, reason: None };
            write_line(&mut chunk, &with_reason.unwrap_or_else(plain));
        }
        chunk
    }
}

fn write_line(chunk: &mut Vec<u8>, line: &impl serde::Serialize) {
    // Writing plain structures into memory cannot fail.
    let _ = serde_json::to_writer(&mut *chunk, line);
    chunk.push(b'\n');
}

impl Body for TellingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let chunk = match self.first.take() {
            Some(first) => first,
            None => self.next_chunk(),
        };
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_line_is_told_in_order_and_blank_ones_are_left_out() {
        let mut told = Told::default();
        for line in [2, 3, 70_000] {
            let refused = line == 3;
            told.note(Applied {
                line,
                event: format!("e{line}"),
                result: if refused { FeedResult::Conflict } else { FeedResult::Accepted },
                reason: refused.then(|| "why".to_owned()),
            });
        }
        assert_eq!(told.lines(), 70_000);
        let body = told.into_body();
        let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let expected = concat!(
            "{\"line\":2,\"result\":\"accepted\"}\n",
            "{\"line\":3,\"result\":\"refused\",\"event\":\"e3\",\"reason\":\"why\"}\n",
            "{\"line\":70000,\"result\":\"accepted\"}\n",
            "{\"summary\":{\"events\":3,\"accepted\":2,\"repeated\":0,\"waiting\":0,\"refused\":1}}\n",
        );
        assert_eq!(std::str::from_utf8(&text).unwrap(), expected);
    }
}
