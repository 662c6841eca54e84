//! What a command says: data on standard output, everything else on standard error.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::failure::Hinted;

/// Where a command's words go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    json: bool,
}

impl Out {
    /// For scripts (`json`) or for people.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether scripts are reading.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// The command's result: one JSON line, or the text that `human` makes.
    pub(crate) fn data<T: Serialize>(self, data: &T, human: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(data)? } else { human(data) };
        Self::line(&text)
    }

    /// A line of data as it is.
    pub(crate) fn line(text: &str) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()) {
            // The reader has seen enough (`| head`).
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }

    /// A remark for people; scripts do not see it among the data.
    pub(crate) fn note(text: &str) {
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Why the command failed, and what to do.
    pub(crate) fn failure(self, error: &anyhow::Error) {
        let hint = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()).map(Hinted::hint);
        if self.json {
            let body = serde_json::json!({ "error": format!("{error:#}"), "hint": hint });
            Self::note(&body.to_string());
            return;
        }
        Self::note(&format!("error: {error:#}"));
        if let Some(hint) = hint {
            Self::note(&format!("hint: {hint}"));
        }
    }
}
