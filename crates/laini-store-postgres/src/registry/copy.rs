use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::{SinkExt as _, pin_mut};
use laini_core::line::{HashedImsi, Msisdn};
use laini_store::registry::columns::key;
use laini_store::registry::{Batch, Row};

use super::generations::table;
use crate::database::{Link, Transaction, within};
use crate::error::DbError;

/// Lines that one transaction copies.
const PIECE_LINES: usize = 250_000;
/// Bytes that travel together; larger than what most batches of lines take.
const CHUNK_BYTES: usize = 512 << 10;
/// What a row of [`COLUMNS`] takes at most, without an operator's hash.
const ROW_BYTES: usize = 128;

const COLUMNS: &str = "generation, msisdn, registered, flags, swapped, holder, paired, imsi, hashed_imsi";
const COLUMN_COUNT: i16 = 9;
/// A missing value.
const NULL: i32 = -1;

/// Lines on their way into the table of a generation, in the binary form of COPY.
#[derive(Default)]
pub(super) struct Piece {
    chunks: Vec<Bytes>,
    rows: usize,
    /// Lines among them: a number that only refused rows named is none.
    pub(super) lines: u64,
}

impl Piece {
    /// Adds some lines, in ascending order of number.
    pub(super) fn add(&mut self, generation: i64, batch: &Batch) {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES.max(batch.len() * ROW_BYTES));
        for (number, row) in batch {
            put(&mut chunk, generation, *number, row);
            self.lines += u64::from(row.is_known());
        }
        self.rows += batch.len();
        self.chunks.push(chunk.freeze());
    }

    /// Whether it is as large as a transaction should be.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= PIECE_LINES
    }

    /// Copies it, all or nothing.
    pub(super) async fn copy(&self, link: &Link, generation: i64) -> Result<(), DbError> {
        let sql = format!("COPY {} ({COLUMNS}) FROM STDIN (FORMAT binary)", table(generation));
        link.transact(async |transaction: &Transaction<'_>| {
            let copying = async {
                let sink = transaction.connection().client().copy_in::<_, Bytes>(&sql).await?;
                pin_mut!(sink);
                sink.feed(header()).await?;
                for chunk in &self.chunks {
                    sink.feed(chunk.clone()).await?;
                }
                sink.feed(trailer()).await?;
                sink.finish().await
            };
            within(link.until(), copying).await.map(drop)
        })
        .await
    }
}

fn header() -> Bytes {
    let mut header = BytesMut::from(&b"PGCOPY\n\xff\r\n\0"[..]);
    // No flags, and no extension.
    header.put_i32(0);
    header.put_i32(0);
    header.freeze()
}

fn trailer() -> Bytes {
    Bytes::from_static(b"\xff\xff")
}

fn put(to: &mut BytesMut, generation: i64, number: Msisdn, row: &Row) {
    to.put_i16(COLUMN_COUNT);
    for value in [generation, key(number), row.registered, row.flags] {
        put_integer(to, Some(value));
    }
    for value in [row.swapped, row.holder, row.paired] {
        put_integer(to, value);
    }
    put_bytes(to, row.imsi.as_ref().map(<[u8; 16]>::as_slice));
    put_bytes(to, row.hashed.as_ref().map(HashedImsi::as_str).map(str::as_bytes));
}

fn put_integer(to: &mut BytesMut, value: Option<i64>) {
    match value {
        Some(value) => {
            to.put_i32(8);
            to.put_i64(value);
        }
        None => to.put_i32(NULL),
    }
}

fn put_bytes(to: &mut BytesMut, value: Option<&[u8]>) {
    match value {
        // 16 bytes, or at most 64 letters.
        Some(value) => {
            to.put_i32(i32::try_from(value.len()).unwrap_or(NULL));
            to.put_slice(value);
        }
        None => to.put_i32(NULL),
    }
}
