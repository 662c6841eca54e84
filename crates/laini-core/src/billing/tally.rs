use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{CheckId, Currency, Outcome, Span};
use crate::partner::{AgreementId, Environment, PartnerId, Product};
use crate::store::{LedgerRow, PlacedRow};

/// Reversals that one close takes at most: each is the trace of a failed commit, and they are kept while it counts.
const REVERSALS_MAX: usize = 1_000_000;

/// Where a row stands in the order of the ledger: by instant, then by id.
pub type Place = (Timestamp, CheckId);

/// Under which price a check was recorded, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceKey {
    /// Who pays.
    pub partner: PartnerId,
    /// For what.
    pub product: Product,
    /// The version of the price.
    pub version: u32,
    /// Under which agreement; `None` = the row names none.
    pub agreement: Option<AgreementId>,
}

/// Checks that were counted under one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub units: u64,
    /// What their rows say that they cost together, in minor units: the list price of each.
    pub list_minor: i64,
    /// The currency of that.
    pub currency: Currency,
    /// The first of them,
    pub first: Place,
    /// and the last.
    pub last: Place,
}

/// A row that counts as a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Under which price.
    pub key: PriceKey,
    /// Where it stands.
    pub place: Place,
}

impl Unit {
    /// The unit that a row counts as; `None` where it counts as none: what was free, and the sandbox.
    pub fn of(row: &LedgerRow) -> Option<Self> {
        let counts = row.outcome == Outcome::Answered && row.environment == Environment::Production;
        counts.then(|| Self { key: PriceKey::of(row), place: (row.at, row.id) })
    }
}

impl PriceKey {
    fn of(row: &LedgerRow) -> Self {
        Self { partner: row.partner, product: row.product, version: row.price_version, agreement: row.agreement }
    }
}

/// A charge that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reversed {
    key: PriceKey,
    id: CheckId,
    minor: i64,
}

/// Counts the rows of a close, whatever their number, in a few bytes for each price.
#[derive(Debug)]
pub struct Tally {
    span: Span,
    /// Only this partner's rows.
    partner: Option<PartnerId>,
    /// Since when checks of partners are paid from a balance: those count on no invoice.
    prepaid: BTreeMap<PartnerId, Timestamp>,
    counted: BTreeMap<PriceKey, Counted>,
    reversed: Vec<Reversed>,
    /// Units of earlier closes that were taken back in this one.
    taken_back: BTreeMap<PriceKey, u64>,
    /// Checks of this close that a row of this close takes back.
    void: BTreeSet<CheckId>,
}

/// Why a close cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// Far more reversals than commits can have failed.
    #[error("more than {REVERSALS_MAX} reversals in one close")]
    Reversals,
    /// The counts contradict one another: a check was taken back that is not there.
    #[error("row {} takes back a check that the ledger does not hold", .0.request_ref())]
    Dangling(CheckId),
}

impl Tally {
    /// An empty one for these rows, of one partner or of all.
    pub fn new(span: Span, partner: Option<PartnerId>) -> Self {
        Self {
            span,
            partner,
            prepaid: BTreeMap::new(),
            counted: BTreeMap::new(),
            reversed: Vec::new(),
            taken_back: BTreeMap::new(),
            void: BTreeSet::new(),
        }
    }

    /// The same, without what was paid from balances that began then.
    #[must_use]
    pub fn without_prepaid(self, prepaid: BTreeMap<PartnerId, Timestamp>) -> Self {
        Self { prepaid, ..self }
    }

    /// Whether a check was paid from a balance.
    pub fn is_prepaid(&self, row: &LedgerRow) -> bool {
        self.prepaid.get(&row.partner).is_some_and(|from| row.at >= *from)
    }

    /// Takes the next row, in any order; rows of other spans and partners pass by.
    pub fn push(&mut self, placed: &PlacedRow) -> Result<(), TallyError> {
        let row = &placed.row;
        if self.partner.is_some_and(|partner| partner != row.partner) || !self.span.has(placed) {
            return Ok(());
        }
        if let Some(Unit { key, place }) = Unit::of(row).filter(|_| !self.is_prepaid(row)) {
            let (units, list_minor, currency) = (0, 0, row.list_price.currency);
            let none = Counted { units, list_minor, currency, first: place, last: place };
            let counted = self.counted.entry(key).or_insert(none);
            counted.units += 1;
            counted.list_minor = counted.list_minor.saturating_add(row.charge.minor);
            (counted.first, counted.last) = (counted.first.min(place), counted.last.max(place));
        } else if let (Some(id), Environment::Production) = (row.reverses, row.environment) {
            if self.reversed.len() == REVERSALS_MAX {
                return Err(TallyError::Reversals);
            }
            self.reversed.push(Reversed { key: PriceKey::of(row), id, minor: -row.charge.minor });
        }
        Ok(())
    }

    /// The checks whose charges were taken back. [`Tally::settle`] is to be told of the row of each.
    pub fn reversed(&self) -> Vec<CheckId> {
        self.reversed.iter().map(|reversed| reversed.id).collect()
    }

    /// Settles the reversals: one of a check of this close makes it count as nothing, one of a check of
    /// another close takes a unit back. `rows` are those of [`Tally::reversed`].
    pub fn settle(&mut self, rows: &[PlacedRow]) -> Result<(), TallyError> {
        let rows: BTreeMap<CheckId, &PlacedRow> = rows.iter().map(|placed| (placed.row.id, placed)).collect();
        for Reversed { key, id, minor } in std::mem::take(&mut self.reversed) {
            let placed = rows.get(&id).ok_or(TallyError::Dangling(id))?;
            if self.is_prepaid(&placed.row) {
                continue;
            }
            if self.span.has(placed) {
                let counted = self.counted.get_mut(&key).filter(|counted| counted.units > 0);
                let counted = counted.ok_or(TallyError::Dangling(id))?;
                counted.units -= 1;
                counted.list_minor = counted.list_minor.saturating_sub(minor);
                self.void.insert(id);
            } else {
                *self.taken_back.entry(key).or_default() += 1;
            }
        }
        Ok(())
    }

    /// What was counted, by price.
    pub fn counted(&self) -> impl Iterator<Item = (&PriceKey, &Counted)> {
        self.counted.iter()
    }

    /// Whether a row that counts as a unit was taken back in the same close.
    pub fn is_void(&self, id: CheckId) -> bool {
        self.void.contains(&id)
    }

    /// Every such row.
    pub fn void(&self) -> impl Iterator<Item = CheckId> {
        self.void.iter().copied()
    }

    /// Whose rows these are.
    pub fn partners(&self) -> BTreeSet<PartnerId> {
        self.counted.keys().chain(self.taken_back.keys()).map(|key| key.partner).collect()
    }

    /// Which rows it counts.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// What a partner's product comes to, as far as counts alone say it.
    pub fn of(&self, partner: PartnerId, product: Product) -> ProductUnits {
        let is_it = |key: &&PriceKey| (key.partner, key.product) == (partner, product);
        let mut counted: Vec<(PriceKey, Counted)> = self
            .counted
            .iter()
            .filter(|(key, counted)| is_it(key) && counted.units > 0)
            .map(|(key, counted)| (*key, *counted))
            .collect();
        counted.sort_by_key(|(key, counted)| (counted.first, *key));
        let taken_back = self.taken_back.iter().filter(|(key, _)| is_it(key)).map(|(key, units)| (*key, *units));
        ProductUnits { product, counted, taken_back: taken_back.collect() }
    }
}

/// What was counted of one product of a partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductUnits {
    /// Which.
    pub product: Product,
    /// By price, in the order of the first of each.
    counted: Vec<(PriceKey, Counted)>,
    /// Units of earlier closes that were taken back.
    pub taken_back: Vec<(PriceKey, u64)>,
}

/// Instants between which rows of two prices lie among one another: their order decides which of them are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// The first of them,
    pub from: Place,
    /// and the last.
    pub to: Place,
}

impl ProductUnits {
    /// Whether anything was counted or taken back.
    pub fn is_empty(&self) -> bool {
        self.counted.is_empty() && self.taken_back.is_empty()
    }

    /// The prices that it was counted or taken back under.
    pub fn keys(&self) -> impl Iterator<Item = PriceKey> + '_ {
        self.counted.iter().map(|(key, _)| *key).chain(self.taken_back.iter().map(|(key, _)| *key))
    }

    /// Where rows of several prices lie among one another; `None` where one price ends before the next begins.
    pub fn overlap(&self) -> Option<Overlap> {
        let mut found: Option<Overlap> = None;
        let mut last = self.counted.first()?.1.last;
        for (_, counted) in &self.counted[1..] {
            if counted.first <= last {
                let from = found.map_or(counted.first, |overlap| overlap.from);
                found = Some(Overlap { from, to: last });
            }
            last = last.max(counted.last);
        }
        found
    }

    /// The units in the order of the ledger, those that follow one another under one price together. `among` are
    /// the units of the overlap, in any order, without those that are void.
    pub fn in_order(&self, mut among: Vec<Unit>) -> Vec<(PriceKey, u64)> {
        let Some(overlap) = self.overlap() else {
            return self.counted.iter().map(|(key, counted)| (*key, counted.units)).collect();
        };
        among.retain(|unit| (overlap.from..=overlap.to).contains(&unit.place));
        among.sort_by_key(|unit| unit.place);
        let outside = |key: &PriceKey, counted: &Counted| {
            let inside = among.iter().filter(|unit| unit.key == *key).count();
            counted.units.saturating_sub(u64::try_from(inside).unwrap_or(u64::MAX))
        };
        let is_before = |counted: &Counted| counted.first < overlap.from;
        let (mut runs, mut after) = (Vec::new(), Vec::new());
        for (key, counted) in &self.counted {
            let side = if is_before(counted) { &mut runs } else { &mut after };
            side.push((*key, outside(key, counted)));
        }
        runs.extend(among.iter().map(|unit| (unit.key, 1)));
        runs.extend(after);
        let mut merged: Vec<(PriceKey, u64)> = Vec::new();
        for (key, units) in runs.into_iter().filter(|(_, units)| *units > 0) {
            match merged.last_mut() {
                Some((last, sum)) if *last == key => *sum += units,
                _ => merged.push((key, units)),
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests;
