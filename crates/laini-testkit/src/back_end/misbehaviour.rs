use std::io::Write as _;

use Seen::{Bad, NotServed, TooSlow, Unavailable, Unknown};
use Step::{Close, Drip, Read, Repeat, Reset, Stall, Write};

use super::{HEALTHY, Step, json};

/// One way in which a back end does not answer as it should.
pub struct Misbehaviour {
    /// What it does.
    pub name: &'static str,
    /// How whoever asked a check must see it.
    pub seen: Seen,
    script: fn() -> Vec<Step>,
}

/// What a check is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// 502: the answer cannot be believed.
    Bad,
    /// 503: it cannot be reached, or refuses work.
    Unavailable,
    /// 504: it takes too long.
    TooSlow,
    /// 404: the number is not served. No misbehaviour, if the settings name it.
    NotServed,
    /// 503 of another code: the back end does not know. No misbehaviour, if the settings name it.
    Unknown,
}

impl Seen {
    /// Status and code of a check's answer (contract §4).
    pub fn status_and_code(self) -> (u16, &'static str) {
        match self {
            Bad => (502, "502.002.01"),
            Unavailable => (503, "503.002.01"),
            TooSlow => (504, "504.002.01"),
            NotServed => (404, "404.002.01"),
            Unknown => (503, "503.002.02"),
        }
    }
}

impl Misbehaviour {
    /// What each connection does.
    pub fn steps(&self) -> Vec<Step> {
        (self.script)()
    }
}

macro_rules! ways {
    ($($name:literal => $seen:ident, $script:expr;)*) => {
        &[$(Misbehaviour { name: $name, seen: $seen, script: || $script }),*]
    };
}

/// Every way. The settings that they are seen under: `never_when = ["/last_swap_at = null"]`,
/// `not_served_when = ["status 404"]`, `unknown_when = ['/status = "migrating"']`.
pub const MISBEHAVIOURS: &[Misbehaviour] = ways! {
    // The connection.
    "resets when it is reached" => Unavailable, vec![Reset];
    "closes when it is reached" => Unavailable, vec![Close];
    "resets after the request" => Unavailable, vec![Read, Reset];
    "closes after the request" => Unavailable, vec![Read, Close];
    "closes within the head" => Unavailable, vec![Read, write("HTTP/1.1 200 OK\r\ncontent-ty"), Close];
    "resets within the body" => Unavailable, vec![Read, Write(half(&good())), Reset];
    "closes within the body" => Unavailable, vec![Read, Write(half(&good())), Close];
    "closes before the length it stated" => Unavailable, vec![Read, write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n\r\n{\"msisdn\":"), Close];
    "closes within a chunk" => Unavailable, vec![Read, write(&chunked("400\r\n{\"msisdn\":")), Close];
    // Time.
    "reads and says nothing" => TooSlow, vec![Read, Stall];
    "does not even read" => TooSlow, vec![Stall];
    "stops within the head" => TooSlow, vec![Read, write("HTTP/1.1 200 OK\r\nserver: a"), Stall];
    "stops after the head" => TooSlow, vec![Read, write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n"), Stall];
    "stops within the body" => TooSlow, vec![Read, Write(half(&good())), Stall];
    "drips its head" => TooSlow, vec![Read, Drip(good())];
    "drips its body" => TooSlow, vec![Read, write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n"), Drip(vec![b' '; 400])];
    "keeps saying that it goes on" => TooSlow, vec![Read, Repeat(b"HTTP/1.1 102 Processing\r\n\r\n".to_vec())];
    // What it says of itself.
    "fails (500)" => Bad, status("500 Internal Server Error");
    "fails (502)" => Bad, status("502 Bad Gateway");
    "fails (504)" => Bad, status("504 Gateway Timeout");
    "sheds load (503)" => Unavailable, status("503 Service Unavailable");
    "limits us (429)" => Unavailable, status("429 Too Many Requests");
    "refuses our credential (401)" => Bad, status("401 Unauthorized");
    "forbids (403)" => Bad, status("403 Forbidden");
    "has no content (204)" => Bad, vec![Read, write("HTTP/1.1 204 No Content\r\n\r\n"), Close];
    "answers a part (206)" => Bad, vec![Read, Write(replaced("200 OK", "206 Partial Content")), Close];
    "redirects (302)" => Bad, vec![Read, write("HTTP/1.1 302 Found\r\nlocation: /lines/254722000000\r\ncontent-length: 0\r\n\r\n"), Close];
    "makes up a status (999)" => Bad, vec![Read, Write(replaced("200 OK", "999 Fine")), Close];
    "is gone (410), which no setting names" => Bad, status("410 Gone");
    "does not serve the number (404)" => NotServed, status("404 Not Found");
    "does not know (by a word that the settings name)" => Unknown, said(&[("\"active\"", "\"migrating\"")]);
    // HTTP.
    "speaks HTTP/0.9" => Bad, vec![Read, write(HEALTHY), Close];
    "speaks HTTP/2" => Bad, vec![Read, Write(vec![0, 0, 0, 4, 0, 0, 0, 0, 0]), Close];
    "is no HTTP at all" => Bad, vec![Read, Write(b"\x00\xff\x15\x03\x01\x00\x02SSH-2.0\r\n\r\n".to_vec()), Close];
    "has a giant header" => Bad, vec![Read, Write(with_header(&format!("x-fill: {}", "a".repeat(200_000)))), Close];
    "has a thousand headers" => Bad, vec![Read, Write(with_header(&vec!["x: y"; 1_000].join("\r\n"))), Close];
    "states two lengths" => Bad, vec![Read, Write(with_header("content-length: 3")), Close];
    "states a length of no number" => Bad, vec![Read, Write(replaced("content-length: ", "content-length: -")), Close];
    "states a length that is too short" => Bad, vec![Read, Write(replaced("content-length: 1", "content-length: ")), Close];
    "makes up a transfer coding" => Bad, vec![Read, write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: zip\r\n\r\n{}"), Close];
    "has garbage for a chunk's length" => Bad, vec![Read, write(&chunked("zz;;;\r\n{}\r\n0\r\n\r\n")), Close];
    "has a chunk's extension without an end" => Bad, vec![Read, write(&chunked("1;a=")), Repeat(vec![b'a'; 4_096])];
    "has a header without an end" => Bad, vec![Read, write("HTTP/1.1 200 OK\r\nx-fill: "), Repeat(vec![b'a'; 4_096])];
    // Size.
    "states 100 MB" => Bad, vec![Read, write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n"), Repeat(vec![b' '; 65_536])];
    "sends chunks without an end" => Bad, vec![Read, write(&chunked("")), Repeat(b"400\r\n".iter().copied().chain([b' '; 1_024]).chain(*b"\r\n").collect())];
    "sends until it closes, without an end" => Bad, vec![Read, write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"), Repeat(vec![b' '; 65_536])];
    "sends a gzip bomb" => Bad, vec![Read, Write(gzip_bomb()), Close];
    // Form.
    "is empty" => Bad, vec![Read, Write(json("")), Close];
    "is no JSON" => Bad, vec![Read, Write(json("status=active")), Close];
    "is half a JSON text" => Bad, vec![Read, Write(json(&HEALTHY[..90])), Close];
    "is two JSON texts" => Bad, vec![Read, Write(json(&format!("{HEALTHY}{{}}"))), Close];
    "begins with a byte order mark" => Bad, vec![Read, Write(json(&format!("\u{feff}{HEALTHY}"))), Close];
    "is an array" => Bad, vec![Read, Write(json(&format!("[{HEALTHY}]"))), Close];
    "is null" => Bad, vec![Read, Write(json("null")), Close];
    "is nested without an end" => Bad, vec![Read, Write(json(&"[".repeat(50_000))), Close];
    "says a thing twice" => Bad, said(&[("\"status\":", "\"status\":\"terminated\",\"status\":")]);
    "is in Latin-1" => Bad, vec![Read, Write(replaced("application/json", "application/json; charset=iso-8859-1")), Close];
    "is in no encoding" => Bad, vec![Read, Write(not_utf_8()), Close];
    "is a page" => Bad, vec![Read, Write(replaced("application/json", "text/html")), Close];
    "does not say what it is" => Bad, vec![Read, Write(replaced("content-type: application/json\r\n", "")), Close];
    // Facts.
    "speaks of another number" => Bad, said(&[("{msisdn}", "254711999999")]);
    "does not say of which number" => Bad, said(&[("\"msisdn\":\"{msisdn}\",", "")]);
    "has a status that no setting names" => Bad, said(&[("\"active\"", "\"ACTIVE_2\"")]);
    "has a null status" => Bad, said(&[("\"active\"", "null")]);
    "has a number for an IMSI" => Bad, said(&[("\"639021860913909\"", "639021860913909")]);
    "has a short IMSI" => Bad, said(&[("639021860913909", "63902186091390")]);
    "has no IMSI" => Bad, said(&[("\"639021860913909\"", "null")]);
    "was registered in the future" => Bad, said(&[("2015-01-01", "2099-01-01")]);
    "was registered on no day" => Bad, said(&[("2015-01-01", "2015-02-30")]);
    "was registered in another form" => Bad, said(&[("2015-01-01", "01/01/2015")]);
    "was swapped in the future" => Bad, said(&[("null", "\"2099-01-01\"")]);
    "was swapped before its registration" => Bad, said(&[("null", "\"2014-06-01\"")]);
    "was swapped, yes or no" => Bad, said(&[("null", "true")]);
    "is silent about swaps" => Bad, said(&[(",\"last_swap_at\":null", "")]);
    "has an empty swap date" => Bad, said(&[("null", "\"\"")]);
    "was swapped in 1900, which no setting names" => Bad, said(&[("null", "\"1900-01-01\"")]);
    "has a word for a restriction" => Bad, said(&[("false", "\"false\"")]);
};

fn good() -> Vec<u8> {
    json(HEALTHY)
}

fn write(text: &str) -> Step {
    Write(text.as_bytes().to_vec())
}

fn half(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - 40].to_vec()
}

fn status(line: &str) -> Vec<Step> {
    vec![Read, write(&format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nretry-after: 1\r\n\r\n")), Close]
}

fn chunked(rest: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{rest}")
}

/// A good answer with something else in its place.
fn replaced(old: &str, new: &str) -> Vec<u8> {
    String::from_utf8(good()).expect("text").replacen(old, new, 1).into_bytes()
}

fn with_header(header: &str) -> Vec<u8> {
    replaced("\r\n", &format!("\r\n{header}\r\n"))
}

/// A good answer, but for what it says.
fn said(changes: &[(&str, &str)]) -> Vec<Step> {
    let body = changes.iter().fold(HEALTHY.to_owned(), |body, (old, new)| body.replacen(old, new, 1));
    vec![Read, Write(json(&body)), Close]
}

fn not_utf_8() -> Vec<u8> {
    let mut bytes = good();
    let end = bytes.len() - 1;
    bytes[end - 1] = 0xff;
    bytes
}

/// 64 MiB of spaces in 64 KiB.
fn gzip_bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let spaces = vec![b' '; 65_536];
    for _ in 0..1_024 {
        encoder.write_all(&spaces).expect("memory");
    }
    let bomb = encoder.finish().expect("memory");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n";
    [format!("{head}content-length: {}\r\n\r\n", bomb.len()).into_bytes(), bomb].concat()
}
