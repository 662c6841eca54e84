//! Where log lines go: standard error, for people or as JSON.

use crate::config::{LogConfig, LogFormat};

/// Starts logging. A second start in one process is ignored.
pub(crate) fn start(config: &LogConfig) {
    let builder =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(config.level.filter()).with_target(false);
    let started = match config.format {
        LogFormat::Human => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // The first one stays.
    let _ = started;
}
