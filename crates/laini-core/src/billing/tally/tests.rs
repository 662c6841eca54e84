use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::billing::{Band, Carried, Coverage, FreeUnits, LATE_ROWS, LineKind, Money, Price, Run, allot};
use crate::partner::{AppId, Purpose};

const BANK: PartnerId = PartnerId::from_stored(1);
const WRITERS: u32 = 2;

/// What can happen to a ledger.
#[derive(Debug, Clone)]
enum Step {
    /// A check so many seconds later, recorded by a writer; its id was minted so long before it was decided.
    Check { writer: u32, later_s: u32, minted_before_s: u32, outcome: Outcome, is_sandbox: bool },
    /// A check that was decided so long ago and is recorded only now.
    Late { writer: u32, ago_s: u32 },
    /// The charge of the check so many places back is taken back.
    Reversal { back: usize },
    /// The price becomes another one; the other writer learns of it so many checks later.
    Price { price: Price, unheard: u32 },
    /// The month is closed.
    Close,
}

fn price() -> impl Strategy<Value = Price> {
    (any::<bool>(), 0u64..12, 1u64..8, 0i64..500, 0i64..500, 0i64..2_000, 0i64..900).prop_map(
        |(monthly, free, first, a, b, monthly_minimum_minor, set_up_minor)| Price {
            free: if monthly { FreeUnits::PerMonth(free) } else { FreeUnits::Once(free) },
            bands: vec![Band { up_to: Some(first), unit_minor: a }, Band { up_to: None, unit_minor: b }],
            monthly_minimum_minor,
            set_up_minor,
            ..Price::flat(0, Money::new(0, Currency::KES))
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let writer = 1..=WRITERS;
    let outcome = prop_oneof![
        6 => Just(Outcome::Answered), 1 => Just(Outcome::Repeated), 1 => Just(Outcome::NotServed), 1 => Just(Outcome::Unknown)
    ];
    let check = (writer.clone(), 0u32..3, 0u32..4, outcome, prop::bool::weighted(0.1)).prop_map(
        |(writer, later_s, minted_before_s, outcome, is_sandbox)| Step::Check {
            writer,
            later_s,
            minted_before_s,
            outcome,
            is_sandbox,
        },
    );
    prop_oneof![
        20 => check,
        2 => (writer, 0u32..40).prop_map(|(writer, ago_s)| Step::Late { writer, ago_s }),
        2 => (0usize..30).prop_map(|back| Step::Reversal { back }),
        2 => (price(), 0u32..4).prop_map(|(price, unheard)| Step::Price { price, unheard }),
        2 => Just(Step::Close),
    ]
}

/// A ledger that grows, and the closes of it.
struct Bench {
    now: Timestamp,
    minted: u64,
    rows: Vec<PlacedRow>,
    seqs: BTreeMap<u32, u64>,
    prices: Vec<Price>,
    /// For so many checks the second writer goes on with the price before.
    unheard: u32,
    closes: Vec<Span>,
    carried: Carried,
    /// Every line of every close.
    amounts: i64,
    free: u64,
    naive: Naive,
}

/// The same, one row after the other.
#[derive(Default)]
struct Naive {
    ever: u64,
    amounts: i64,
}

impl Bench {
    fn new(first: Price) -> Self {
        Self {
            now: Timestamp::from_second(1_795_000_000).unwrap(),
            minted: 0,
            rows: Vec::new(),
            seqs: BTreeMap::new(),
            prices: vec![Price { version: 1, ..first }],
            unheard: 0,
            closes: Vec::new(),
            carried: Carried::nothing(Product::Imsi),
            amounts: 0,
            free: 0,
            naive: Naive::default(),
        }
    }

    fn record(&mut self, writer: u32, row: LedgerRow) {
        let seq = self.seqs.entry(writer).or_default();
        *seq += 1;
        self.rows.push(PlacedRow { row, writer, seq: *seq });
    }

    fn row(&mut self, writer: u32, at: Timestamp, minted: Timestamp, outcome: Outcome, is_sandbox: bool) -> LedgerRow {
        self.minted += 1;
        let knows_before = writer == 2 && self.unheard > 0;
        self.unheard = self.unheard.saturating_sub(u32::from(knows_before));
        let price = &self.prices[self.prices.len().saturating_sub(1 + usize::from(knows_before))];
        let list = price.stamp().list;
        LedgerRow {
            id: CheckId::from_parts(CheckId::floor(minted).position() + self.minted % 4_000, self.minted),
            at,
            partner: BANK,
            app: AppId::from_stored(1),
            agreement: Some(AgreementId::from_stored(u64::from(price.version))),
            product: Product::Imsi,
            environment: if is_sandbox { Environment::Sandbox } else { Environment::Production },
            purpose: Purpose::FraudPrevention,
            outcome,
            price_version: price.version,
            list_price: list,
            charge: if outcome == Outcome::Answered { list } else { Money::new(0, Currency::KES) },
            as_of: None,
            policy_version: 1,
            side_digest: [0; 32],
            reverses: None,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Check { writer, later_s, minted_before_s, outcome, is_sandbox } => {
                self.now += jiff::SignedDuration::from_secs(later_s.into());
                let minted = self.now - jiff::SignedDuration::from_secs(minted_before_s.into());
                let row = self.row(writer, self.now, minted, outcome, is_sandbox);
                self.record(writer, row);
            }
            Step::Late { writer, ago_s } => {
                let at = self.now - jiff::SignedDuration::from_secs(ago_s.into());
                let row = self.row(writer, at, at, Outcome::Answered, false);
                self.record(writer, row);
            }
            Step::Reversal { back } => {
                let is_reversed = |id| self.rows.iter().any(|placed| placed.row.reverses == Some(id));
                let charged = |placed: &&PlacedRow| placed.row.is_charged() && !is_reversed(placed.row.id);
                let Some(found) = self.rows.iter().rev().filter(charged).nth(back).cloned() else { return };
                self.minted += 1;
                let id = CheckId::from_parts(CheckId::floor(self.now).position() + self.minted % 4_000, self.minted);
                let row = found.row.reversal(id, self.now.max(found.row.at));
                self.record(found.writer, row);
            }
            Step::Price { price, unheard } => {
                let version = u32::try_from(self.prices.len()).unwrap() + 1;
                self.prices.push(Price { version, ..price });
                self.unheard = unheard;
            }
            Step::Close => self.close(),
        }
    }

    fn price(&self, key: PriceKey) -> &Price {
        &self.prices[usize::try_from(key.version).unwrap() - 1]
    }

    fn tally(&self, span: &Span, order: impl Fn(&PlacedRow) -> CheckId) -> Tally {
        let mut rows = self.rows.clone();
        rows.sort_by_key(order);
        let mut tally = Tally::new(span.clone(), None);
        for row in &rows {
            tally.push(row).unwrap();
        }
        let reversed = tally.reversed();
        let rows: Vec<PlacedRow> = rows.into_iter().filter(|placed| reversed.contains(&placed.row.id)).collect();
        tally.settle(&rows).unwrap();
        tally
    }

    fn close(&mut self) {
        // The end lies a little before the newest row: what is newer waits.
        let end = self.now - jiff::SignedDuration::from_secs(2);
        let before = self.closes.last().map(|span| span.now.clone());
        if before.as_ref().is_some_and(|before| before.end >= end) {
            return;
        }
        let span = Span { before, now: Coverage { end, marks: self.seqs.clone() } };
        let tally = self.tally(&span, |placed| placed.row.id);
        assert!(
            self.rows.iter().filter(|row| span.has(row)).all(|row| span.from().is_none_or(|from| row.row.at >= from))
        );
        let units = tally.of(BANK, Product::Imsi);
        let among = self.rows.iter().filter(|row| span.has(row) && !tally.is_void(row.row.id));
        let among: Vec<Unit> = among.filter_map(|row| Unit::of(&row.row)).collect();
        let in_order = units.in_order(among.clone());
        self.compare_with_one_by_one(&span, among, &in_order);
        let run = |(key, units): &(PriceKey, u64)| Run { price: self.price(*key), units: *units };
        let runs: Vec<Run<'_>> = in_order.iter().map(run).collect();
        let taken_back: Vec<Run<'_>> = units.taken_back.iter().map(run).collect();
        let allotted = allot(&self.carried, &runs, &taken_back, None).unwrap();
        assert_eq!(allot(&self.carried, &runs, &taken_back, None).unwrap(), allotted, "closed twice");
        let sum =
            |kind| allotted.lines.iter().filter(|line| line.kind == kind).map(|line| line.amount_minor).sum::<i64>();
        let counted: u64 = in_order.iter().map(|(_, units)| units).sum();
        let taken: u64 = units.taken_back.iter().map(|(_, units)| units).sum();
        // The same, one row after the other.
        let (mut one_by_one, mut in_month) = (0, 0);
        let ever = self.naive.ever.saturating_sub(taken);
        for (key, units) in &in_order {
            for _ in 0..*units {
                one_by_one += self.price(*key).cost(ever + in_month, in_month, 1).unwrap().minor;
                in_month += 1;
            }
        }
        assert_eq!(sum(LineKind::Units), one_by_one);
        assert!(sum(LineKind::TakenBack) <= 0 && sum(LineKind::Free) == 0);
        self.naive = Naive {
            ever: ever + counted,
            amounts: self.naive.amounts + one_by_one + sum(LineKind::TakenBack) + sum(LineKind::SetUp),
        };
        self.amounts += allotted.lines.iter().map(|line| line.amount_minor).sum::<i64>();
        self.free +=
            allotted.lines.iter().filter(|line| line.kind == LineKind::Free).map(|line| line.units).sum::<u64>();
        assert_eq!((self.amounts, allotted.carried.units_ever()), (self.naive.amounts, self.naive.ever));
        self.carried = allotted.carried;
        self.closes.push(span);
    }

    /// The runs are the units one by one, in the order of the ledger.
    fn compare_with_one_by_one(&self, span: &Span, mut among: Vec<Unit>, in_order: &[(PriceKey, u64)]) {
        among.sort_by_key(|unit| unit.place);
        let unrolled =
            in_order.iter().flat_map(|(key, units)| std::iter::repeat_n(*key, usize::try_from(*units).unwrap()));
        assert_eq!(unrolled.collect::<Vec<_>>(), among.iter().map(|unit| unit.key).collect::<Vec<_>>());
        // In whatever order they are read: here in that in which they were written.
        let reversed = self.tally(span, |_| CheckId::from_parts(0, 0));
        let units = reversed.of(BANK, Product::Imsi);
        let among = self.rows.iter().filter(|row| span.has(row) && !reversed.is_void(row.row.id));
        assert_eq!(units.in_order(among.filter_map(|row| Unit::of(&row.row)).collect()), in_order);
    }

    /// Units that no close has yet, and those that closes have: together all that the ledger has.
    fn check_sums(&self) {
        let counts = self.rows.iter().filter(|placed| Unit::of(&placed.row).is_some()).count();
        let reversals = self.rows.iter().filter(|placed| is_reversal(placed)).count();
        let is_closed = |placed: &&PlacedRow| self.closes.last().is_some_and(|span| span.now.has(placed));
        let open = self.rows.iter().filter(|row| !is_closed(row));
        let (mut open_units, mut open_reversals) = (0, 0);
        for placed in open {
            open_units += usize::from(Unit::of(&placed.row).is_some());
            open_reversals += usize::from(is_reversal(placed));
        }
        // Each row is in one close at most.
        for placed in &self.rows {
            let closes = self.closes.iter().filter(|span| span.has(placed)).count();
            assert_eq!(closes, usize::from(is_closed(&placed)));
        }
        let billed = usize::try_from(self.carried.units_ever()).unwrap();
        assert_eq!(counts + open_reversals, billed + open_units + reversals);
    }
}

fn is_reversal(placed: &PlacedRow) -> bool {
    placed.row.reverses.is_some() && placed.row.environment == Environment::Production
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_asked_is_what_was_invoiced_and_what_is_not_yet(
        first in price(), steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut bench = Bench::new(first);
        for step in steps {
            bench.take(step);
            bench.check_sums();
        }
        bench.now += jiff::SignedDuration::from_secs(60);
        bench.take(Step::Close);
        bench.check_sums();
        let units = bench.rows.iter().filter(|row| Unit::of(&row.row).is_some()).count();
        let reversals = bench.rows.iter().filter(|row| is_reversal(row)).count();
        prop_assert_eq!(bench.carried.units_ever(), u64::try_from(units - reversals).unwrap());
        prop_assert!(LATE_ROWS.as_secs() > 0);
    }
}
