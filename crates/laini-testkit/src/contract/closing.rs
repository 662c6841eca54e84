//! What a month's close reads of a ledger.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use laini_core::store::{RowQuery, WriterEnd};

use super::ledger::{ALL, Desk, LedgerHome, QUESTION, Question, all, app, at, record};

pub async fn rows_come_with_their_places(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    assert_eq!(ledger.placed(ALL).await.unwrap(), []);
    // Recorded one by one, against the order of their ids: places are in the order of commits.
    let drafts: Vec<_> = (0..6)
        .map(|line| desk.answered(Question { line, app: app(u64::from(line % 2)), ..QUESTION }, at(i64::from(line))))
        .collect();
    for draft in drafts.iter().rev() {
        record(&ledger, draft).await;
    }
    let placed = ledger.placed(ALL).await.unwrap();
    assert_eq!(placed.iter().map(|placed| placed.seq).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1]);
    assert_eq!(placed.iter().map(|placed| placed.row.clone()).collect::<Vec<_>>(), all(&ledger).await);
    let chain = ledger.chain(None, 100).await.unwrap().rows;
    assert!(placed.iter().zip(&chain).all(|(placed, link)| (placed.writer, placed.seq) == (link.writer, link.seq)));
    let query = RowQuery { app: Some(app(1)), until: Some(at(5)), limit: 1, ..ALL };
    let first = ledger.placed(query.clone()).await.unwrap();
    let second = ledger.placed(RowQuery { after: Some(first[0].row.id), ..query }).await.unwrap();
    assert_eq!([first[0].seq, second[0].seq], [5, 3]);
}

pub async fn the_end_of_each_chain_is_known(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    assert_eq!(ledger.ends(None).await.unwrap(), []);
    let (early, late) = (desk.answered(QUESTION, at(0)), desk.answered(Question { line: 2, ..QUESTION }, at(7)));
    record(&ledger, &late).await;
    record(&ledger, &early).await;
    let chain = ledger.chain(None, 100).await.unwrap().rows;
    let last = chain.iter().max_by_key(|link| link.seq).unwrap();
    let ends = ledger.ends(None).await.unwrap();
    // The newest instant of a chain is that of its last row or of one before it.
    let [WriterEnd { writer, seq, at: newest, mac }] = ends[..] else { panic!("{ends:?}") };
    assert_eq!((writer, seq, mac), (last.writer, last.seq, last.mac));
    assert!([at(0), at(7)].contains(&newest));
    drop(ledger);
    assert_eq!(home.open().ends(None).await.unwrap(), ends);
}
