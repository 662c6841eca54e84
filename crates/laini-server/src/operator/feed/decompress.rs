use std::io::{self, BufRead, BufReader, Read};

/// What a stream is packed with is told by its first bytes, never by its name.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BUFFER_BYTES: usize = 256 * 1024;

/// A stream that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Reading failed.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It begins like zstd and is not.
    #[error("begins like zstd, but cannot be unpacked: {0}")]
    Zstd(String),
}

/// The plain bytes of a stream that may be gzip (also of several members) or zstd.
pub fn decompressed<'a>(input: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>, InputError> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    // A pipe may give the first byte alone; four are enough to tell.
    let mut start = Vec::with_capacity(4);
    while start.len() < 4 {
        let taken = {
            let available = input.fill_buf()?;
            let wanted = (4 - start.len()).min(available.len());
            start.extend_from_slice(&available[..wanted]);
            wanted
        };
        if taken == 0 {
            break;
        }
        input.consume(taken);
    }
    let packed_gzip = start.starts_with(GZIP);
    let packed_zstd = start == ZSTD;
    let whole = io::Cursor::new(start).chain(input);
    if packed_gzip {
        return Ok(Box::new(flate2::read::MultiGzDecoder::new(whole)));
    }
    if packed_zstd {
        let decoder = ruzstd::decoding::StreamingDecoder::new(whole).map_err(|e| InputError::Zstd(e.to_string()))?;
        return Ok(Box::new(decoder));
    }
    Ok(Box::new(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn plain(packed: &[u8]) -> Result<String, String> {
        let mut text = String::new();
        let mut stream = decompressed(packed).map_err(|e| e.to_string())?;
        stream.read_to_string(&mut text).map_err(|e| e.to_string())?;
        Ok(text)
    }

    #[test]
    fn plain_gzip_and_zstd_are_told_apart_by_their_bytes() {
        assert_eq!(plain(b"msisdn,imsi"), Ok("msisdn,imsi".into()));
        assert_eq!(plain(b""), Ok(String::new()));
        assert_eq!(plain(b"ab"), Ok("ab".into()));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"one").unwrap();
        let mut twice = gzip.finish().unwrap();
        twice.extend(twice.clone());
        assert_eq!(plain(&twice), Ok("oneone".into()));
        let zstd = ruzstd::encoding::compress_to_vec(&b"two"[..], ruzstd::encoding::CompressionLevel::Fastest);
        assert_eq!(plain(&zstd), Ok("two".into()));
    }

    #[test]
    fn a_torn_stream_is_an_error() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&[7; 10_000]).unwrap();
        let packed = gzip.finish().unwrap();
        assert!(plain(&packed[..packed.len() - 9]).is_err());
        assert!(plain(&[0x28, 0xb5, 0x2f, 0xfd, 0xff]).is_err());
    }
}
