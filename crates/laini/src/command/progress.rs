//! Progress bars: rate and time left for people, nothing for scripts.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::out::Out;

/// A bar over bytes or rows; silent where standard error is no terminal.
pub(crate) fn bar(out: Out, what: &'static str, unit: &str, length: Option<u64>) -> ProgressBar {
    let target = if out.is_json() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
    let bar = ProgressBar::with_draw_target(length, target);
    let template = match (unit, length.is_some()) {
        ("bytes", true) => "{prefix:>10} [{bar:30}] {bytes}/{total_bytes} {msg} · {eta} left",
        ("bytes", false) => "{prefix:>10} {bytes} {msg} · {elapsed}",
        (_, true) => "{prefix:>10} [{bar:30}] {human_pos}/{human_len} rows · {per_sec} · {eta} left",
        (_, false) => "{prefix:>10} {human_pos} rows · {per_sec} · {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Counts the bytes that pass, for a bar that cannot see the file itself.
pub(crate) struct Counted<R> {
    input: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    /// Counts what is read from `input` into `bytes`.
    pub(crate) fn new(input: R, bytes: Arc<AtomicU64>) -> Self {
        Self { input, bytes }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let taken = self.input.read(buffer)?;
        self.bytes.fetch_add(taken as u64, Ordering::Relaxed);
        Ok(taken)
    }
}
