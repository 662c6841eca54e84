//! What every ledger finds of who asked about whom.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

use std::sync::Arc;

use laini_core::billing::Outcome;
use laini_core::partner::{AppId, PartnerId};
use laini_core::store::{AskedCheck, AskedQuery, Draft, Ledger};

use super::ledger::{Desk, LedgerHome, QUESTION, Question, at, record};

/// Every page of a scan, one after the other.
async fn every(ledger: &Arc<dyn Ledger>, query: AskedQuery) -> Vec<AskedCheck> {
    let (mut query, mut found) = (query, Vec::new());
    loop {
        let page = ledger.asked(query.clone()).await.unwrap();
        assert!(page.checks.len() <= query.limit, "{} of {}", page.checks.len(), query.limit);
        found.extend(page.checks);
        let Some(after) = page.after else { return found };
        let goes_on = query.after.is_none_or(|before| (after < before) == query.newest_first && after != before);
        assert!(goes_on, "a scan goes on");
        query.after = Some(after);
    }
}

pub async fn checks_are_found_by_their_numbers(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    let other = PartnerId::from_stored(77);
    let mut drafts: Vec<_> =
        (0..9u32).map(|n| desk.answered(Question { line: n % 3, ..QUESTION }, at(n.into()))).collect();
    drafts[4].partner = other;
    drafts[5].outcome = Outcome::NotServed;
    for draft in &drafts {
        record(&ledger, draft).await;
    }
    let hash = |line: usize| drafts[line].subject.hash;
    let everything = AskedQuery { limit: 100, ..AskedQuery::default() };
    let cases = [
        (everything.clone(), vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (AskedQuery { numbers: vec![hash(1)], ..everything.clone() }, vec![1, 4, 7]),
        (AskedQuery { numbers: vec![hash(0), hash(2)], ..everything.clone() }, vec![0, 2, 3, 5, 6, 8]),
        (AskedQuery { numbers: vec![hash(1)], partner: Some(other), ..everything.clone() }, vec![4]),
        (AskedQuery { from: Some(at(2)), until: Some(at(5)), ..everything.clone() }, vec![2, 3, 4]),
        (AskedQuery { numbers: vec![hash(1)], from: Some(at(2)), until: Some(at(7)), ..everything.clone() }, vec![4]),
        (AskedQuery { after: Some(drafts[6].id), ..everything.clone() }, vec![7, 8]),
        (AskedQuery { app: Some(drafts[0].app), ..everything.clone() }, vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (AskedQuery { app: Some(AppId::from_stored(99)), ..everything.clone() }, vec![]),
        (AskedQuery { outcome: Some(Outcome::NotServed), ..everything.clone() }, vec![5]),
        (AskedQuery { outcome: Some(Outcome::Withheld), ..everything.clone() }, vec![]),
        (AskedQuery { newest_first: true, ..everything.clone() }, vec![8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (AskedQuery { newest_first: true, limit: 2, ..everything.clone() }, vec![8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (AskedQuery { newest_first: true, numbers: vec![hash(1)], limit: 1, ..everything.clone() }, vec![7, 4, 1]),
        (AskedQuery { newest_first: true, after: Some(drafts[6].id), ..everything.clone() }, vec![5, 4, 3, 2, 1, 0]),
        (AskedQuery { newest_first: true, from: Some(at(2)), until: Some(at(5)), ..everything.clone() }, vec![4, 3, 2]),
    ];
    for (query, expected) in cases {
        let found = every(&ledger, query.clone()).await;
        let places = |check: &AskedCheck| drafts.iter().position(|draft: &Draft| draft.id == check.row.id).unwrap();
        assert_eq!(found.iter().map(places).collect::<Vec<_>>(), expected, "{query:?}");
        for check in &found {
            let draft = &drafts[places(check)];
            assert_eq!(check.subject.as_ref(), Some(&draft.subject), "{query:?}");
            assert_eq!(check.number, Some(draft.subject.hash));
            assert_eq!(check.row.partner, draft.partner);
        }
    }
}

pub async fn a_scan_comes_in_pages_and_ends(home: &dyn LedgerHome) {
    let (ledger, desk) = (home.open(), Desk::default());
    assert_eq!(every(&ledger, AskedQuery { limit: 2, ..AskedQuery::default() }).await, vec![]);
    let drafts: Vec<_> = (0..7u32).map(|n| desk.answered(Question { line: n % 2, ..QUESTION }, at(n.into()))).collect();
    for draft in &drafts {
        record(&ledger, draft).await;
    }
    for limit in 1..9 {
        for numbers in [vec![], vec![drafts[1].subject.hash]] {
            let expected = if numbers.is_empty() { 7 } else { 3 };
            let found = every(&ledger, AskedQuery { numbers, limit, ..AskedQuery::default() }).await;
            assert_eq!(found.len(), expected, "{limit}");
        }
    }
}
