//! Where log lines go: standard error, for people or as JSON, each with the request it belongs to.

use std::fmt;
use std::panic::{self, PanicHookInfo};

use laini_server::observe::current_request;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::fmt::format::{DefaultFields, JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, Layer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat, LogLevel};

/// The log of this process.
#[derive(Clone)]
pub(crate) struct Log {
    level: Handle<LevelFilter, Registry>,
}

/// Starts logging, panics included.
pub(crate) fn start(config: &LogConfig) -> Log {
    let (level, handle) = reload::Layer::new(LevelFilter::from_level(config.level.filter()));
    let lines = Layer::new().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(level);
    let started = match config.format {
        LogFormat::Human => {
            registry.with(lines.fmt_fields(DefaultFields::new()).with_ansi(false).event_format(Human)).try_init()
        }
        LogFormat::Json => registry.with(lines.fmt_fields(JsonFields::new()).event_format(Json)).try_init(),
    };
    // A process logs once; a second start would find the first one's lines in place.
    if started.is_ok() {
        panic::set_hook(Box::new(log_panic));
    }
    Log { level: handle }
}

impl Log {
    /// Logs as much as `level` says from now on.
    pub(crate) fn set_level(&self, level: LogLevel) {
        // It fails only where logging has ended.
        let _ = self.level.reload(LevelFilter::from_level(level.filter()));
    }
}

/// A panic as a log line. What it says is told only where it stands in the program's text: a message
/// made at run time can hold what must not be seen.
fn log_panic(info: &PanicHookInfo<'_>) {
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    let said = info.payload().downcast_ref::<&str>().copied().unwrap_or("(its message is not logged)");
    let thread = std::thread::current();
    tracing::error!(at, said, thread = thread.name().unwrap_or("unnamed"), "panicked");
}

/// `instant LEVEL message key=value request=…`
struct Human;

impl<S, N> FormatEvent<S, N> for Human
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        SystemTime.format_time(&mut line)?;
        write!(line, " {:>5} ", event.metadata().level())?;
        context.format_fields(line.by_ref(), event)?;
        if let Some(id) = current_request() {
            write!(line, " request={}", id.request_ref())?;
        }
        writeln!(line)
    }
}

/// `{"timestamp":…,"level":…,"request":…,"fields":{"message":…}}`
struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        write!(line, "\",\"level\":\"{}\",", event.metadata().level())?;
        if let Some(id) = current_request() {
            write!(line, "\"request\":\"{}\",", id.request_ref())?;
        }
        line.write_str("\"fields\":")?;
        context.format_fields(line.by_ref(), event)?;
        line.write_str("}\n")
    }
}
