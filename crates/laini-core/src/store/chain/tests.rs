use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use super::*;
use crate::billing::{Currency, Outcome};
use crate::partner::{AppId, Environment, PartnerId, Product};
use crate::store::{
    AskedPage, AskedQuery, BoxFuture, ChainPage, Draft, FoundCheck, PlacedRow, Recorded, RowQuery, Submission,
    Submitted, Usage, WriterEnd,
};

const WRITER: u32 = 7;

fn key() -> ChainKey {
    ChainKey::new(&[9; 32])
}

fn row(place: u64) -> LedgerRow {
    LedgerRow {
        id: CheckId::from_parts(1 << 50 | place << 12, place * 31),
        at: Timestamp::from_second(1_795_000_000 + place.cast_signed()).unwrap(),
        partner: PartnerId::from_stored(11),
        app: AppId::from_stored(12),
        agreement: Some(AgreementId::from_stored(13)),
        product: Product::Imsi,
        environment: Environment::Production,
        purpose: crate::partner::Purpose::FraudPrevention,
        outcome: Outcome::Answered,
        price_version: 1,
        list_price: Money::new(2_000, Currency::KES),
        charge: Money::new(2_000, Currency::KES),
        as_of: Some(Timestamp::from_second(1_795_000_000).unwrap()),
        policy_version: 1,
        reverses: None,
        side_digest: [3; 32],
    }
}

/// A clean chain of `length` rows of one writer.
fn chain(writer: u32, length: u64) -> Vec<ChainRow> {
    let mut mac = Mac::GENESIS;
    let link = |seq| {
        let row = row(seq);
        mac = key().link(mac, writer, seq, &row);
        ChainRow { side_digest_now: Some(row.side_digest), row, writer, seq, mac }
    };
    (1..=length).map(link).collect()
}

fn head(row: &ChainRow) -> ChainHead {
    ChainHead { at: row.row.at, writer: row.writer, seq: row.seq, mac: row.mac }
}

fn breaks(rows: impl IntoIterator<Item = ChainRow>, heads: Vec<ChainHead>) -> Vec<ChainBreak> {
    let mut verifier = ChainVerifier::new(key(), heads);
    for row in rows {
        verifier.push(row);
    }
    verifier.finish().1
}

#[test]
fn a_clean_chain_verifies_against_its_heads() {
    let rows = chain(WRITER, 50);
    let heads = vec![head(&rows[9]), head(&rows[49])];
    let mut verifier = ChainVerifier::new(key(), heads);
    for row in rows {
        verifier.push(row);
    }
    assert_eq!(verifier.finish(), (50, vec![]));
}

#[test]
fn rows_may_come_out_of_order_as_far_as_requests_ran_at_once() {
    let mut rows = chain(WRITER, 60);
    for group in rows.chunks_mut(6) {
        group.reverse();
    }
    assert_eq!(breaks(rows, vec![]), []);
}

#[test]
fn writers_have_chains_of_their_own() {
    let rows = chain(1, 20).into_iter().zip(chain(2, 20)).flat_map(|(one, two)| [one, two]);
    assert_eq!(breaks(rows, vec![]), []);
}

#[test]
fn each_altered_field_is_found_at_its_row_alone() {
    let later = Timestamp::from_second(1_795_999_999).unwrap();
    let alterations: [fn(&mut LedgerRow, Timestamp); 17] = [
        |row, _| row.id = CheckId::from_parts(row.id.position(), row.id.tail() ^ 1),
        |row, _| row.id = CheckId::from_parts(row.id.position() ^ 1, row.id.tail()),
        |row, later| row.at = later,
        |row, _| row.partner = PartnerId::from_stored(99),
        |row, _| row.app = AppId::from_stored(99),
        |row, _| row.agreement = None,
        |row, _| row.product = Product::Age,
        |row, _| row.environment = Environment::Sandbox,
        |row, _| row.purpose = crate::partner::Purpose::Onboarding,
        |row, _| row.outcome = Outcome::Repeated,
        |row, _| row.price_version = 2,
        |row, _| row.list_price.minor = 1,
        |row, _| row.charge.minor = 0,
        |row, _| row.charge.currency = Currency::parse("UGX").unwrap(),
        |row, _| row.as_of = None,
        |row, _| row.reverses = Some(row.id),
        |row, _| row.policy_version = 2,
    ];
    for (number, alter) in alterations.into_iter().enumerate() {
        let mut rows = chain(WRITER, 9);
        alter(&mut rows[4].row, later);
        assert_eq!(breaks(rows, vec![]), [ChainBreak::Altered { writer: WRITER, seq: 5 }], "alteration {number}");
    }
}

#[test]
fn a_link_of_another_key_or_writer_does_not_fit() {
    let mut rows = chain(WRITER, 3);
    rows[1].mac = ChainKey::new(&[8; 32]).link(rows[0].mac, WRITER, 2, &rows[1].row);
    // The forged link, and the honest one after it that no longer follows.
    let expected = [2, 3].map(|seq| ChainBreak::Altered { writer: WRITER, seq });
    assert_eq!(breaks(rows, vec![]), expected);
    let mut moved = chain(WRITER, 3);
    for row in &mut moved {
        row.writer = 8;
    }
    assert_eq!(breaks(moved, vec![]).len(), 3);
}

#[test]
fn swapped_rows_are_found() {
    let mut rows = chain(WRITER, 9);
    let (third, fourth) = (rows[2].row.clone(), rows[3].row.clone());
    (rows[2].row, rows[3].row) = (fourth, third);
    assert_eq!(breaks(rows, vec![]), [3, 4].map(|seq| ChainBreak::Altered { writer: WRITER, seq }));
}

#[test]
fn a_missing_row_is_found_with_the_one_after_it() {
    let mut rows = chain(WRITER, 9);
    rows.remove(4);
    let expected = [ChainBreak::Missing { writer: WRITER, seq: 5 }];
    assert_eq!(breaks(rows.clone(), vec![]), expected);
    rows.remove(0);
    let expected = [ChainBreak::Missing { writer: WRITER, seq: 1 }, expected[0]];
    assert_eq!(breaks(rows, vec![]), expected);
}

#[test]
fn what_is_kept_behind_a_missing_row_is_bounded() {
    let rows = chain(WRITER, PLACES_AHEAD as u64 + 10);
    let mut verifier = ChainVerifier::new(key(), vec![]);
    for row in rows.into_iter().skip(1) {
        verifier.push(row);
    }
    assert!(verifier.writers[&WRITER].early.is_empty());
    assert_eq!(verifier.finish().1, [ChainBreak::Missing { writer: WRITER, seq: 1 }]);
}

#[test]
fn a_doubled_row_is_found() {
    let mut rows = chain(WRITER, 9);
    rows.insert(5, rows[4].clone());
    assert_eq!(breaks(rows, vec![]), [ChainBreak::Doubled { writer: WRITER, seq: 5 }]);
}

#[test]
fn a_cut_tail_is_found_by_the_head_written_elsewhere() {
    let mut rows = chain(WRITER, 9);
    let heads = vec![head(&rows[3]), head(&rows[8])];
    rows.truncate(6);
    assert_eq!(breaks(rows.clone(), vec![]), []);
    let lost = ChainBreak::HeadLost { writer: WRITER, seq: 9, at: heads[1].at };
    assert_eq!(breaks(rows, heads.clone()), [lost]);
    // Everything gone: both heads say so.
    assert_eq!(breaks([], heads).len(), 2);
}

#[test]
fn a_rewritten_tail_is_found_by_the_head_written_elsewhere() {
    let rows = chain(WRITER, 9);
    let heads = vec![head(&rows[8])];
    let mut forged = rows[..8].to_vec();
    let mut last = rows[8].clone();
    last.row.charge.minor = 0;
    // Whoever has the key can forge a link, but not the head that lies elsewhere.
    last.mac = key().link(forged[7].mac, WRITER, 9, &last.row);
    forged.push(last);
    assert_eq!(breaks(forged, heads.clone()), [ChainBreak::HeadLost { writer: WRITER, seq: 9, at: heads[0].at }]);
}

#[test]
fn an_altered_side_row_is_found_and_a_removed_one_is_retention() {
    let mut rows = chain(WRITER, 9);
    rows[4].side_digest_now = None;
    assert_eq!(breaks(rows.clone(), vec![]), []);
    rows[4].side_digest_now = Some([4; 32]);
    assert_eq!(breaks(rows, vec![]), [ChainBreak::SideAltered { writer: WRITER, seq: 5 }]);
}

#[test]
fn rows_committed_behind_the_reader_are_filled_in_by_reading_again() {
    let rows = chain(WRITER, 20);
    let mut verifier = ChainVerifier::new(key(), vec![]);
    assert_eq!(verifier.passed_over(), None);
    // The reader was past the ids of rows 16 and 17 when these were committed.
    for row in rows.iter().filter(|row| !(16..=17).contains(&row.seq)) {
        verifier.push(row.clone());
    }
    let again = verifier.passed_over().unwrap();
    assert!(again < rows[15].row.id);
    for row in &rows {
        verifier.fill(row.clone());
    }
    // Rows later than any seen are of no concern to this verification.
    verifier.fill(chain(WRITER, 30).pop().unwrap());
    assert_eq!(verifier.passed_over(), None);
    assert_eq!(verifier.finish(), (20, vec![]));
}

/// A ledger under steady traffic: each read of a page finds as many rows more as it takes away.
struct Traffic {
    rows: Vec<ChainRow>,
    /// How many of them were committed when the verification began.
    before: usize,
    /// A row that is committed behind the reader: only from this page on.
    late: Option<(u64, usize)>,
    pages: AtomicUsize,
}

/// Far fewer than the 4,000 that are asked for, as an engine may do.
const TRAFFIC_PAGE: usize = 10;

impl Traffic {
    /// A row a second; all but the first `before` come during the verification.
    fn new(before: usize, late: Option<(u64, usize)>) -> Self {
        let mut mac = Mac::GENESIS;
        let link = |seq| {
            let row = row(seq * 1_000);
            mac = key().link(mac, WRITER, seq, &row);
            ChainRow { side_digest_now: None, row, writer: WRITER, seq, mac }
        };
        Self { rows: (1..=2_000).map(link).collect(), before, late, pages: AtomicUsize::new(0) }
    }

    /// Rows seen, breaks, and pages that it took.
    fn verify(&self) -> (u64, Vec<ChainBreak>, usize) {
        let mut verifying = pin!(verify_ledger(self, key(), |_| {}));
        let Poll::Ready(verified) = verifying.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("this ledger never waits");
        };
        let (rows, breaks) = verified.unwrap();
        (rows, breaks, self.pages.load(Ordering::Relaxed))
    }
}

impl Ledger for Traffic {
    fn record(&self, _: Draft) -> BoxFuture<'_, Result<Recorded, LedgerError>> {
        panic!("a verification writes nothing")
    }

    fn submit(&self, _: Submission) -> BoxFuture<'_, Result<Submitted, LedgerError>> {
        panic!("a verification writes nothing")
    }

    fn find(&self, _: CheckId) -> BoxFuture<'_, Result<Option<FoundCheck>, LedgerError>> {
        panic!("a verification reads the chain")
    }

    fn usage(&self, _: Timestamp, _: Timestamp) -> BoxFuture<'_, Result<Vec<Usage>, LedgerError>> {
        panic!("a verification reads the chain")
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<CheckId>, LedgerError>> {
        Box::pin(async { Ok(Some(self.rows[self.before - 1].row.id)) })
    }

    fn rows(&self, _: RowQuery) -> BoxFuture<'_, Result<Vec<LedgerRow>, LedgerError>> {
        panic!("a verification reads the chain")
    }

    fn placed(&self, _: RowQuery) -> BoxFuture<'_, Result<Vec<PlacedRow>, LedgerError>> {
        panic!("a verification reads the chain")
    }

    fn ends(&self, _: Option<CheckId>) -> BoxFuture<'_, Result<Vec<WriterEnd>, LedgerError>> {
        panic!("a verification reads the chain")
    }

    fn chain(&self, after: Option<CheckId>, limit: usize) -> BoxFuture<'_, Result<ChainPage, LedgerError>> {
        let pages = self.pages.fetch_add(1, Ordering::Relaxed) + 1;
        let committed = self.before + pages * TRAFFIC_PAGE;
        assert!(committed < self.rows.len(), "a verification must end however busy the ledger is");
        let is_there = |row: &&ChainRow| self.late.is_none_or(|(seq, page)| row.seq != seq || pages >= page);
        let rows = self.rows[..committed].iter().filter(|row| Some(row.row.id) > after).filter(is_there);
        let page = ChainPage { rows: rows.take(limit.min(TRAFFIC_PAGE)).cloned().collect() };
        Box::pin(async { Ok(page) })
    }

    fn asked(&self, _: AskedQuery) -> BoxFuture<'_, Result<AskedPage, LedgerError>> {
        panic!("a verification reads the chain")
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<ChainHead>, LedgerError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[test]
fn a_second_reading_ends_once_nothing_is_passed_over() {
    // Ten pages hold what stood there (and one row more); six later ones lead to the place passed over.
    let traffic = Traffic::new(100, Some((80, 9)));
    assert_eq!(traffic.verify(), (101, vec![], 10 + 6));
}

#[test]
fn a_second_reading_ends_where_no_row_can_have_been_passed_over() {
    let traffic = Traffic::new(100, Some((80, usize::MAX)));
    let (rows, breaks, pages) = traffic.verify();
    assert_eq!((rows, breaks), (100, vec![ChainBreak::Missing { writer: WRITER, seq: 80 }]));
    assert!(pages < 30, "{pages}");
}

#[test]
fn heads_are_followed_from_those_that_stand_and_one_that_differs_is_named() {
    let rows = Traffic::new(1, None).rows;
    let head_at = |place: usize| head(&rows[place - 1]);
    let verify = |from: &[ChainHead], to: ChainHead| {
        let (traffic, to) = (Traffic::new(200, None), [to]);
        let mut verifying = pin!(verify_heads(&traffic, key(), from, &to, None, |_, _| {}));
        let Poll::Ready(found) = verifying.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("this ledger never waits");
        };
        found.unwrap()
    };
    let (from, to) = (head_at(50), head_at(120));
    let forged = |head: ChainHead| ChainHead { mac: Mac([7; 32]), ..head };
    let lost = |seq| vec![ChainBreak::HeadLost { writer: WRITER, seq, at: to.at }];
    assert_eq!(verify(&[], to), []);
    assert_eq!(verify(&[from], to), []);
    assert_eq!(verify(&[from], forged(to)), lost(120));
    assert_eq!(verify(&[forged(from)], to), [ChainBreak::Altered { writer: WRITER, seq: 51 }]);
    // A writer that wrote nothing since, and one that would have gone back.
    assert_eq!(verify(&[to], to), []);
    assert_eq!(verify(&[to], forged(to)), lost(120));
    assert_eq!(verify(&[to], ChainHead { seq: 119, ..to }), lost(119));
}

#[test]
fn a_link_survives_its_hexadecimal_form() {
    let mac = chain(WRITER, 1)[0].mac;
    assert_eq!(Mac::parse(&mac.hex()), Some(mac));
    for bad in ["", "00", &mac.hex()[1..], &"G".repeat(64), &mac.hex().to_uppercase(), &"é".repeat(32)] {
        assert_eq!(Mac::parse(bad), None, "{bad}");
    }
}
