use laini_core::line::BrokenSeal;

/// Why what was kept cannot be used, or a load cannot go on, whatever the engine is.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// An IMSI or a line that was sealed under another key, or for another number.
    #[error(transparent)]
    Seal(#[from] BrokenSeal),
    /// A row that holds what is never written.
    #[error("a registry database is damaged ({0}); load a snapshot, or restore a backup")]
    Damaged(&'static str),
    /// A temporary file of a load.
    #[error("a temporary file of the snapshot failed: {0}")]
    Spill(#[from] std::io::Error),
    /// Another step of the same load failed first.
    #[error("a step of the load ended early")]
    Interrupted,
}
