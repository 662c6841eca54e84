use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream::try_unfold;
use http_body_util::BodyExt as _;
use laini_office::Problem;
use memchr::memmem;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::upload::{Part, part};

/// The fields that stand before the file may have so many bytes, and there are so many of them at most.
const OPENING_BYTES_MAX: usize = 64 * 1024;
const OPENING_PARTS_MAX: usize = 32;
/// What stands after the file is passed over: the form's end, as a rule.
const CLOSING_FRAMES_MAX: usize = 16;

/// A file of a form that is read as it comes, and is nowhere whole.
pub(crate) struct Coming {
    body: Body,
    /// What has come of it already.
    held: BytesMut,
    /// What stands between it and the part after it.
    delimiter: String,
    /// How long nothing may come.
    silence: Duration,
    /// Whether its end was seen.
    is_over: bool,
}

impl Coming {
    /// Reads the fields of a form up to its file, which is to be its last part; `None` = nobody chose one.
    pub(crate) async fn begin(
        boundary: &str,
        body: Body,
        silence: Duration,
    ) -> Result<(Vec<(String, String)>, Option<Self>), Problem> {
        let (held, delimiter) = (BytesMut::new(), format!("\r\n--{boundary}"));
        let mut form = Self { body, held, delimiter, silence, is_over: false };
        let (mut fields, mut at) = (Vec::new(), 0);
        while fields.len() < OPENING_PARTS_MAX {
            match part(&form.delimiter, &form.held, at).map_err(|_| unreadable())? {
                Some(Part::End) => return Ok((fields, None)),
                Some(Part::Field(field, next)) => {
                    fields.extend(field);
                    at = next;
                }
                Some(Part::File(_, begins)) => {
                    let _ = form.held.split_to(begins);
                    return Ok((fields, Some(form)));
                }
                None if form.held.len() > OPENING_BYTES_MAX => return Err(unreadable()),
                None => match form.frame().await {
                    Ok(Some(data)) => form.held.extend_from_slice(&data),
                    Ok(None) | Err(_) => return Err(unreadable()),
                },
            }
        }
        Err(unreadable())
    }

    /// Its content, and what resolves once all of it was read, or nobody reads it any more.
    pub(crate) fn content(self) -> (Body, oneshot::Receiver<()>) {
        // Its end goes with the file, wherever that is let go of.
        let (reader, read) = oneshot::channel::<()>();
        let content = try_unfold((self, reader), |(mut file, reader)| async move {
            let piece = file.piece().await?;
            Ok::<_, &'static str>(piece.map(|piece| (piece, (file, reader))))
        });
        (Body::from_stream(content), read)
    }

    /// The next piece of the file; `None` = that was all. A form that ends before its file does is an error.
    async fn piece(&mut self) -> Result<Option<Bytes>, &'static str> {
        if self.is_over {
            for _ in 0..CLOSING_FRAMES_MAX {
                if !matches!(self.frame().await, Ok(Some(_))) {
                    break;
                }
            }
            return Ok(None);
        }
        loop {
            if let Some(end) = memmem::find(&self.held, self.delimiter.as_bytes()) {
                self.is_over = true;
                return Ok(Some(self.held.split_to(end).freeze()));
            }
            // The last bytes may be the beginning of the delimiter.
            let sure = self.held.len().saturating_sub(self.delimiter.len() - 1);
            if sure > 0 {
                return Ok(Some(self.held.split_to(sure).freeze()));
            }
            match self.frame().await? {
                Some(data) => self.held.extend_from_slice(&data),
                None => return Err("the form broke off"),
            }
        }
    }

    /// What comes next of the body; `None` = it ends.
    async fn frame(&mut self) -> Result<Option<Bytes>, &'static str> {
        match timeout(self.silence, self.body.frame()).await {
            Err(_) => Err("nothing came for too long"),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) => Err("the connection broke"),
            // Trailers say nothing here.
            Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
        }
    }
}

fn unreadable() -> Problem {
    Problem::invalid("form", "it did not come whole; send it again")
}

#[cfg(test)]
mod tests;
