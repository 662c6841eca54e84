use std::collections::BTreeMap;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{CheckId, Overlap, PriceKey, ProductUnits, Span, Tally, TallyError, Unit};
use laini_core::partner::{PartnerId, Product};
use laini_core::store::{PlacedRow, RowQuery};

use crate::{Office, Problem};

/// Rows that are read at once.
pub(super) const ROWS_PER_PAGE: usize = 4_000;
/// Rows of several prices among one another that one product may have: nodes learn of a price within seconds.
const OVERLAP_ROWS_MAX: usize = 4_000_000;
/// Rows that can share the first part of an id: one for each writer.
const ROWS_OF_A_POSITION: usize = 1_000;

/// The rows of a close, counted: by partner and product, units in the order of the ledger.
pub(super) struct Counting {
    pub(super) tally: Tally,
    in_order: BTreeMap<(PartnerId, Product), Vec<(PriceKey, u64)>>,
}

impl Counting {
    /// What was counted of a product of a partner, and its units in the order of the ledger.
    pub(super) fn of(&self, partner: PartnerId, product: Product) -> (ProductUnits, Vec<(PriceKey, u64)>) {
        let in_order = self.in_order.get(&(partner, product)).cloned().unwrap_or_default();
        (self.tally.of(partner, product), in_order)
    }
}

/// Rows of the ledger that are counted: whose, and who is told how far that is.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) office: &'a Office,
    /// Only this partner's rows; `None` = everybody's.
    pub(super) partner: Option<PartnerId>,
    /// Is told how many rows more were read, and up to which instant.
    pub(super) told: &'a dyn Fn(u64, Timestamp),
}

impl<'a> Reading<'a> {
    /// The rows of one partner or of all; nobody is told.
    pub(super) fn of(office: &'a Office, partner: Option<PartnerId>) -> Self {
        Self { office, partner, told: &|_, _| {} }
    }

    /// Counts the rows of a close, without what was paid from balances.
    pub(super) fn count(self, span: &Span, prepaid: &BTreeMap<PartnerId, Timestamp>) -> Result<Counting, Problem> {
        let mut tally = Tally::new(span.clone(), self.partner).without_prepaid(prepaid.clone());
        self.each_row(span.from(), span.now.end, |placed| tally.push(placed).map_err(cannot_be_counted))?;
        let reversed: Result<Vec<PlacedRow>, Problem> =
            tally.reversed().into_iter().map(|id| placed(self.office, id)).collect();
        tally.settle(&reversed?).map_err(cannot_be_counted)?;
        let mut in_order = BTreeMap::new();
        for partner in tally.partners() {
            for product in Product::ALL {
                let units = tally.of(partner, product);
                let among = match units.overlap() {
                    Some(overlap) => self.among(&tally, (partner, product), overlap)?,
                    None => Vec::new(),
                };
                in_order.insert((partner, product), units.in_order(among));
            }
        }
        Ok(Counting { tally, in_order })
    }

    /// The rows between two instants, one by one in the order of ids.
    pub(super) fn each_row(
        self,
        from: Option<Timestamp>,
        until: Timestamp,
        mut take: impl FnMut(&PlacedRow) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let (partner, limit) = (self.partner, ROWS_PER_PAGE);
        let mut query = RowQuery { from, until: Some(until), partner, limit, ..RowQuery::default() };
        loop {
            let page = block_on(self.office.ledger.placed(query.clone()))?;
            page.iter().try_for_each(&mut take)?;
            let Some(last) = page.last() else { return Ok(()) };
            (self.told)(u64::try_from(page.len()).unwrap_or(u64::MAX), last.row.at);
            if page.len() < ROWS_PER_PAGE {
                return Ok(());
            }
            query.after = Some(last.row.id);
        }
    }

    /// The units of a product where rows of several prices lie among one another.
    fn among(
        self,
        tally: &Tally,
        of: (PartnerId, Product),
        Overlap { from, to }: Overlap,
    ) -> Result<Vec<Unit>, Problem> {
        let mut units = Vec::new();
        self.each_row(Some(from.0), to.0 + SignedDuration::from_micros(1), |placed| {
            let unit = Unit::of(&placed.row).filter(|unit| (unit.key.partner, unit.key.product) == of);
            let Some(unit) = unit.filter(|unit| {
                tally.span().has(placed) && !tally.is_void(unit.place.1) && !tally.is_prepaid(&placed.row)
            }) else {
                return Ok(());
            };
            if units.len() == OVERLAP_ROWS_MAX {
                let told =
                    format!("more than {OVERLAP_ROWS_MAX} checks of one product lie among those of another price");
                return Err(Problem::Store(told));
            }
            units.push(unit);
            Ok(())
        })?;
        Ok(units)
    }
}

/// The row of this id, with its place.
pub(super) fn placed(office: &Office, id: CheckId) -> Result<PlacedRow, Problem> {
    let before = CheckId::from_parts(id.position().saturating_sub(1), u64::MAX);
    let page = block_on(office.ledger.chain(Some(before), ROWS_OF_A_POSITION))?;
    let found = page.rows.into_iter().find(|link| link.row.id == id);
    let found = found.ok_or_else(|| cannot_be_counted(TallyError::Dangling(id)))?;
    Ok(PlacedRow { row: found.row, writer: found.writer, seq: found.seq })
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn cannot_be_counted(error: TallyError) -> Problem {
    Problem::Store(error.to_string())
}
