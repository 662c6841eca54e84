//! The server's rules and the SDK's come to the same invoice, whatever was asked: they were written apart.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use laini_client::{ExportedRow, check_invoice, invoices};
use laini_core::billing::{
    Band, Buyer, Carried, Chained, CheckId, Coverage, Covered, Currency, FreeUnits, InvoiceStatement, Money, Month,
    Outcome, Price, PriceKey, Run, Seller, Span, StatedPrice, Tally, Terms, Unit, allot, state,
};
use laini_core::partner::{AgreementId, AppId, Environment, PartnerId, Product, Purpose};
use laini_core::store::{LedgerRow, PlacedRow};
use proptest::prelude::*;

const BANK: PartnerId = PartnerId::from_stored(1);
const END: Timestamp = Timestamp::constant(1_796_072_400, 0);

fn price() -> impl Strategy<Value = Price> {
    (any::<bool>(), 0u64..12, 1u64..8, 0i64..500, 0i64..500, 0i64..3_000, 0i64..900).prop_map(
        |(monthly, free, first, a, b, monthly_minimum_minor, set_up_minor)| Price {
            free: if monthly { FreeUnits::PerMonth(free) } else { FreeUnits::Once(free) },
            bands: vec![Band { up_to: Some(first), unit_minor: a }, Band { up_to: None, unit_minor: b }],
            monthly_minimum_minor,
            set_up_minor,
            ..Price::flat(1, Money::new(0, Currency::KES))
        },
    )
}

/// A row: how long before the end, of which writer, product, version; what came of it; which one it takes back.
type Asked = (i64, u32, bool, u32, u8, Option<usize>);

fn rows(asked: &[Asked]) -> Vec<PlacedRow> {
    let mut rows: Vec<PlacedRow> = Vec::new();
    let mut seqs: BTreeMap<u32, u64> = BTreeMap::new();
    for (number, (before_ms, writer, is_swap, version, kind, reverses)) in (1u64..).zip(asked) {
        let seq = seqs.entry(*writer).or_default();
        *seq += 1;
        let at = END - SignedDuration::from_millis(*before_ms);
        let list = Money::new(100, Currency::KES);
        let row = LedgerRow {
            id: CheckId::from_parts(CheckId::floor(at).position() + number, number),
            at,
            partner: BANK,
            app: AppId::from_stored(1),
            agreement: Some(AgreementId::from_stored(u64::from(*version))),
            product: if *is_swap { Product::Swap } else { Product::Imsi },
            environment: if *kind == 9 { Environment::Sandbox } else { Environment::Production },
            purpose: Purpose::FraudPrevention,
            outcome: if *kind == 8 { Outcome::Unknown } else { Outcome::Answered },
            price_version: *version,
            list_price: list,
            charge: if *kind == 8 { Money::new(0, Currency::KES) } else { list },
            as_of: None,
            policy_version: 1,
            side_digest: [0; 32],
            reverses: None,
        };
        let is_reversed = |id| rows.iter().any(|placed: &PlacedRow| placed.row.reverses == Some(id));
        let found = reverses.and_then(|place| rows.get(place)).map(|placed| placed.row.clone());
        let found = found.filter(|row| row.is_charged() && !is_reversed(row.id));
        let row = match found {
            Some(charged) => charged.reversal(row.id, at.max(charged.at)),
            None => row,
        };
        rows.push(PlacedRow { row, writer: *writer, seq: *seq });
    }
    rows
}

fn covered(coverage: &Coverage) -> Covered {
    let chain = |(writer, seq): (&u32, &u64)| Chained { writer: *writer, seq: *seq, mac: "00".repeat(32) };
    Covered { end: coverage.end, chains: coverage.marks.iter().map(chain).collect() }
}

/// The invoice by the server's rules; `None` where they have nothing to say.
fn invoice(rows: &[PlacedRow], span: &Span, prices: &[Price; 2], carried: &[Carried; 2]) -> InvoiceStatement {
    let mut tally = Tally::new(span.clone(), None);
    for row in rows {
        tally.push(row).unwrap();
    }
    let reversed = tally.reversed();
    let of: Vec<PlacedRow> = rows.iter().filter(|placed| reversed.contains(&placed.row.id)).cloned().collect();
    tally.settle(&of).unwrap();
    let among = rows.iter().filter(|row| span.has(row) && !tally.is_void(row.row.id));
    let among: Vec<Unit> = among.filter_map(|row| Unit::of(&row.row)).collect();
    let price = |key: &PriceKey| &prices[usize::try_from(key.version - 1).unwrap()];
    let (mut lines, mut carried_out, mut stated) = (Vec::new(), Vec::new(), Vec::new());
    for before in carried {
        let units = tally.of(BANK, before.product);
        let of_it = among.iter().filter(|unit| unit.key.product == before.product).copied().collect();
        let in_order = units.in_order(of_it);
        let run = |(key, units): &(PriceKey, u64)| Run { price: price(key), units: *units };
        let runs: Vec<Run<'_>> = in_order.iter().map(run).collect();
        let taken_back: Vec<Run<'_>> = units.taken_back.iter().map(run).collect();
        let allotted = allot(before, &runs, &taken_back, Some(&prices[0])).unwrap();
        lines.extend(allotted.lines);
        carried_out.push(allotted.carried);
        stated.extend(prices.iter().map(|price| StatedPrice::of(before.product, price, price.version == 1)));
    }
    let terms = Terms {
        number: 7,
        month: Month::parse("2026-11").unwrap(),
        issued: END,
        due: "2026-12-31".parse().unwrap(),
        seller: Seller::default(),
        buyer: Buyer::default(),
        covered_before: span.before.as_ref().map(covered),
        covered: covered(&span.now),
        prepaid_from: None,
        tax_basis_points: 1_600,
    };
    state(terms, Currency::KES, stated, (carried.to_vec(), carried_out), lines).unwrap()
}

fn exported(placed: &PlacedRow) -> ExportedRow {
    let row = &placed.row;
    ExportedRow {
        request_ref_id: row.id.request_ref(),
        at: row.at.to_string(),
        product: row.product.word().to_owned(),
        environment: row.environment.word().to_owned(),
        outcome: row.outcome.word().to_owned(),
        price_version: row.price_version,
        reverses: row.reverses.map(CheckId::request_ref).unwrap_or_default(),
        writer: placed.writer,
        seq: placed.seq,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn both_come_to_the_same_and_miss_every_row(
        prices in [price(), price()],
        asked in prop::collection::vec(
            (-500i64..5_000, 1u32..3, any::<bool>(), 1u32..3, 0u8..10, prop::option::weighted(0.15, 0usize..40)), 0..60,
        ),
        carried in [(0u64..9, 0u64..9, any::<bool>()), (0u64..9, 0u64..9, any::<bool>())],
        marks in (0u64..20, 0u64..20, prop::option::of(1_000i64..3_000)),
        missed in any::<prop::sample::Index>(),
    ) {
        let prices = { let [a, b] = prices; [a, Price { version: 2, ..b }] };
        let products = [Product::Imsi, Product::Swap];
        let carried: Vec<Carried> = products.iter().zip(carried).map(|(product, (units_before, units, is_set_up))| {
            Carried { product: *product, units_before, units, is_set_up }
        }).collect();
        let carried: [Carried; 2] = carried.try_into().unwrap();
        let rows = rows(&asked);
        let marks_of = |one, two| BTreeMap::from([(1, one), (2, two)]);
        let before = marks.2.map(|ms| Coverage {
            end: END - SignedDuration::from_millis(ms),
            marks: marks_of(marks.0, marks.1),
        });
        let span = Span { before, now: Coverage { end: END, marks: marks_of(marks.0 + 12, marks.1 + 12) } };
        let statement = invoice(&rows, &span, &prices, &carried);
        let sent: invoices::InvoiceStatement = serde_json::from_slice(&serde_json::to_vec(&statement).unwrap()).unwrap();
        let checked = check_invoice(&sent, rows.iter().rev().map(exported)).unwrap();
        prop_assert_eq!(&checked.differences, &Vec::<String>::new());
        prop_assert_eq!(checked.total_minor, statement.total_minor);
        // An invoice with another cent, or with a unit that is not in the export, is found.
        let mut forged = sent.clone();
        forged.total_minor += 1;
        prop_assert!(!check_invoice(&forged, rows.iter().map(exported)).unwrap().differences.is_empty());
        let units: Vec<&PlacedRow> = rows.iter().filter(|row| {
            span.has(row) && Unit::of(&row.row).is_some() && !rows.iter().any(|other| other.row.reverses == Some(row.row.id))
        }).collect();
        if !units.is_empty() {
            let gone = missed.get(&units).row.id;
            let fewer = rows.iter().filter(|row| row.row.id != gone).map(exported);
            prop_assert!(!check_invoice(&sent, fewer).unwrap().differences.is_empty());
        }
    }
}
