use futures_util::stream;

use super::*;

const SILENCE: Duration = Duration::from_mins(1);

/// A form as a browser sends it, in pieces of so many bytes.
fn in_pieces(form: &[u8], bytes: usize) -> Body {
    let pieces: Vec<_> = form.chunks(bytes).map(|piece| Ok::<_, String>(Bytes::copy_from_slice(piece))).collect();
    Body::from_stream(stream::iter(pieces))
}

fn form(file: &[u8]) -> Vec<u8> {
    let field = |name: &str, value: &str| {
        format!("--x-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut form = (field("csrf", "abc") + &field("as_of", "2026-11-22")).into_bytes();
    form.extend_from_slice(
        b"--x-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n",
    );
    form.extend_from_slice(file);
    form.extend_from_slice(b"\r\n--x-1--\r\n");
    form
}

/// What is read of a form that comes in pieces: its fields and its file.
async fn read(form: &[u8], bytes: usize) -> Result<(Vec<(String, String)>, Option<Vec<u8>>), String> {
    let (fields, file) =
        Coming::begin("x-1", in_pieces(form, bytes), SILENCE).await.map_err(|error| error.to_string())?;
    let Some(file) = file else { return Ok((fields, None)) };
    let (content, read) = file.content();
    let content = content.collect().await.map_err(|error| error.to_string())?.to_bytes().to_vec();
    // Whoever waits for the reader goes on.
    assert!(read.await.is_err());
    Ok((fields, Some(content)))
}

#[tokio::test]
async fn a_file_is_read_as_it_comes_however_it_is_cut() {
    let files: [&[u8]; 4] = [b"", b"msisdn,imsi\r\n1,2\r\n", b"\r\n--x-\r\n--x-2\r\n\r\r\n--x", &[0xff; 5_000]];
    for file in files {
        for bytes in [1, 2, 3, 7, 64, 1_000_000] {
            let (fields, content) = read(&form(file), bytes).await.unwrap();
            let expected = [("csrf", "abc"), ("as_of", "2026-11-22")].map(|(name, value)| (name.into(), value.into()));
            assert_eq!((fields, content.as_deref()), (expected.to_vec(), Some(file)), "{bytes}");
        }
    }
}

#[tokio::test]
async fn what_breaks_off_never_ends_as_a_file_does() {
    let whole = form(b"msisdn,imsi\r\n1,2\r\n");
    let delimiter_ends = whole.len() - 4;
    for end in 0..delimiter_ends {
        assert!(read(&whole[..end], 9).await.is_err(), "{end}");
    }
    assert!(read(&whole[..delimiter_ends], 9).await.is_ok());
}

#[tokio::test]
async fn what_is_no_form_is_refused_before_it_grows() {
    let endless = stream::repeat_with(|| Ok::<_, String>(Bytes::from_static(&[b'-'; 1_024])));
    assert!(Coming::begin("x-1", Body::from_stream(endless), SILENCE).await.is_err());
    let mut long = b"--x-1\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n".to_vec();
    long.resize(OPENING_BYTES_MAX * 2, b'a');
    assert!(read(&long, 1_000).await.is_err());
    let many = b"--x-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n".repeat(OPENING_PARTS_MAX + 1);
    assert!(read(&many, 1_000).await.is_err());
    let (_, none) =
        read(b"--x-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x-1--\r\n", 5).await.unwrap();
    assert_eq!(none, None);
}
