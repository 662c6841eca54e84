use laini_core::store::{AskedCheck, AskedQuery, Ledger, LedgerError};

/// Reads every check that fits, page by page, in ascending order of id: however many there are, one page is in memory.
/// `take` is told each page and how many rows were looked at for it; its error ends the scan.
pub async fn scan<E: From<LedgerError>>(
    ledger: &dyn Ledger,
    mut query: AskedQuery,
    mut take: impl FnMut(Vec<AskedCheck>, u64) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let page = ledger.asked(query.clone()).await?;
        take(page.checks, page.looked_at)?;
        query.after = page.after;
        if query.after.is_none() {
            return Ok(());
        }
    }
}
