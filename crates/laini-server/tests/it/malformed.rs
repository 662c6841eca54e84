//! Requests that are none: each gets a 4xx or its connection closed, never a hang, never a 5xx.

use crate::wire::{Connection, request};
use crate::world::World;

#[tokio::test]
async fn malformed_requests_are_refused_or_cut() {
    let world = World::start_with(|settings| {
        settings.limits.header_timeout_ms = 300;
        settings.limits.body_timeout_ms = 300;
        settings.limits.idle_timeout_ms = 300;
    })
    .await;
    let cases = corpus(&world.token(&world.sandbox).await);
    assert!(cases.len() >= 60, "{}", cases.len());
    let asked = cases.len();
    for (name, bytes) in cases {
        let mut connection = Connection::open(world.address).await;
        connection.send(&bytes).await;
        let mut answers = 0;
        while let Some(reply) = connection.reply().await {
            assert!((400..500).contains(&reply.status), "{name}: {reply:?}");
            answers += 1;
            assert!(answers <= 2, "{name}: smuggled an answer: {reply:?}");
        }
    }
    assert_eq!(world.get("/livez").await.status, 200);
    assert!(world.ledger.outcomes().is_empty());
    println!("family=HTTP cases={asked} failures=0 seed=none: a list");
}

/// Checks by a known app, with framing that says one thing and another.
fn smuggling(token: &str) -> Vec<(&'static str, Vec<u8>)> {
    let inner = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let post = |headers: &str, rest: &str| {
        let known = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n");
        format!("POST /imsi/v1/checkATI HTTP/1.1\r\n{known}{headers}\r\n{rest}").into_bytes()
    };
    vec![
        ("length and chunked", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n")),
        ("two lengths", post("Content-Length: 3\r\nContent-Length: 5\r\n", "{}{}{")),
        ("lengths in a list", post("Content-Length: 3, 5\r\n", "{}{}{")),
        ("negative length", post("Content-Length: -1\r\n", "")),
        ("length with a plus", post("Content-Length: +5\r\n", "{}{}{")),
        ("length in hexadecimal", post("Content-Length: 0x5\r\n", "{}{}{")),
        ("length that overflows", post("Content-Length: 99999999999999999999999\r\n", "{}")),
        ("length that is huge", post("Content-Length: 18446744073709551615\r\n", "{}")),
        ("length that is empty", post("Content-Length: \r\n", "{}")),
        ("length with a space", post("Content-Length : 2\r\n", "{}")),
        ("chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")),
        ("chunked not last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")),
        ("another encoding", post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n")),
        ("an encoding with a tab", post("Transfer-Encoding:\tchunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n")),
        ("an encoding that is misspelt", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")),
        ("a folded encoding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")),
        ("a chunk size that is none", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n")),
        ("a chunk size that is negative", post("Transfer-Encoding: chunked\r\n", "-2\r\n{}\r\n0\r\n\r\n")),
        ("a chunk size that overflows", post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n{}")),
        ("a chunk without its end", post("Transfer-Encoding: chunked\r\n", "2\r\n{}0\r\n\r\n")),
        ("a chunk that is longer", post("Transfer-Encoding: chunked\r\n", "2\r\n{}{}\r\n0\r\n\r\n")),
        ("a chunk extension without end", post("Transfer-Encoding: chunked\r\n", &format!("2;{}", "x".repeat(40_000)))),
        ("trailers without end", post("Transfer-Encoding: chunked\r\n", &format!("0\r\n{}", "a: b\r\n".repeat(9_000)))),
        ("a body that is a request", post(&format!("Content-Length: {}\r\n", inner.len()), inner)),
        ("an upgrade", post("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", "")),
    ]
}

fn heads() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing but line ends", text("\r\n\r\n\r\n\r\n")),
        ("only a word", text("HELLO\r\n\r\n")),
        ("no version", text("GET /\r\n\r\n")),
        ("no path", text("GET HTTP/1.1\r\n\r\n")),
        ("two spaces", text("GET  /  HTTP/1.1\r\n\r\n")),
        ("a version that is none", text("GET / HTTP/9.9\r\n\r\n")),
        ("a version in lower case", text("GET / http/1.1\r\n\r\n")),
        ("a version without number", text("GET / HTTP/\r\n\r\n")),
        ("a method with a slash", text("G/ET / HTTP/1.1\r\n\r\n")),
        ("a method with a null", b"G\0ET / HTTP/1.1\r\n\r\n".to_vec()),
        ("a path with a space", text("GET /a b HTTP/1.1\r\n\r\n")),
        ("a path with a null", b"GET /\0 HTTP/1.1\r\n\r\n".to_vec()),
        ("a path with bytes that are no text", b"GET /\xff\xfe HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec()),
        ("a relative path", text("GET livez HTTP/1.1\r\n\r\n")),
        ("a path of 64 KiB", format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(65_536)).into_bytes()),
        ("percent signs that mean nothing", text("GET /%zz%%1 HTTP/1.1\r\nConnection: close\r\n\r\n")),
        ("connect", text("CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")),
        ("trace", text("TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
        ("options for all", text("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
        ("another server's address", text("GET http://evil.test/x HTTP/1.1\r\nConnection: close\r\n\r\n")),
    ]
}

fn headers() -> Vec<(&'static str, Vec<u8>)> {
    let with = |headers: &str| format!("GET /nowhere HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").into_bytes();
    let raw =
        |header: &[u8]| [b"GET /nowhere HTTP/1.1\r\nConnection: close\r\n".as_slice(), header, b"\r\n\r\n"].concat();
    vec![
        ("a header without colon", with("Header\r\n")),
        ("a header without name", with(": value\r\n")),
        ("a header with a space in its name", with("A b: value\r\n")),
        ("a header name with a null", raw(b"A\0b: value")),
        ("a header value with a null", raw(b"A: va\0lue")),
        ("a header value with a bare return", raw(b"A: va\rlue")),
        ("a header value with control bytes", raw(b"A: \x01\x02\x7f")),
        ("a header value that is no text", raw(b"A: \xff\xfe")),
        ("a folded header", with("A: b\r\n c\r\n")),
        ("a header of 64 KiB", with(&format!("A: {}\r\n", "b".repeat(65_536)))),
        ("a thousand headers", with(&"A: b\r\n".repeat(1_000))),
        ("line ends without return", b"GET /nowhere HTTP/1.1\nConnection: close\n\n".to_vec()),
        ("half a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\n".to_vec()),
        ("a preface and then nonsense", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense nonsense".to_vec()),
        ("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("random bytes", (0..=255u8).rev().collect()),
        ("a request that ends early", request("GET", "/nowhere", "", "").as_bytes()[..20].to_vec()),
        ("a body that ends early", b"POST /imsi/v1/checkATI HTTP/1.1\r\nContent-Length: 9\r\n\r\n{".to_vec()),
    ]
}

fn corpus(token: &str) -> Vec<(&'static str, Vec<u8>)> {
    [smuggling(token), heads(), headers()].concat()
}
