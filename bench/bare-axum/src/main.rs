//! What HTTP costs before any work: axum on the ordinary multi-thread runtime, answering fixed bytes.
//!
//! The peer that the durable check is measured beside. It answers `POST /imsi/v1/checkATI` with the
//! head and body of one real answer, so that the kernel has the same work on both sides.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::response::Response;
use axum::routing::post;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::net::TcpListener;

/// What hyper writes by itself.
const WRITTEN_BY_HYPER: &[&str] = &["connection", "content-length", "date", "transfer-encoding"];

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [_, answer, _, listen, _, ready_file] = args.as_slice() else {
        bail!("usage: bare-axum --answer FILE --listen ADDRESS --ready-file FILE, in this order")
    };
    let (headers, body) = read_answer(Path::new(answer))?;
    let handler = move |_request: Bytes| {
        let mut response = Response::new(axum::body::Body::from(body.clone()));
        *response.headers_mut() = headers.clone();
        std::future::ready(response)
    };
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let ready = serde_json::json!({ "base_url": format!("http://{}", listener.local_addr()?) });
    write_whole(&PathBuf::from(ready_file), &ready.to_string())?;
    axum::serve(listener, Router::new().route("/imsi/v1/checkATI", post(handler))).await?;
    Ok(())
}

/// The headers and the body of an answer as it came over the wire.
fn read_answer(path: &Path) -> Result<(HeaderMap, Bytes)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (head, body) = text.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").with_context(|| format!("'{line}' is no header"))?;
        if !WRITTEN_BY_HYPER.contains(&name.to_ascii_lowercase().as_str()) {
            headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
        }
    }
    Ok((headers, Bytes::from(body.to_owned())))
}

/// Writes a file that nobody sees half-written.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("tmp");
    std::fs::write(&beside, text)?;
    Ok(std::fs::rename(beside, path)?)
}
