use std::collections::BTreeMap;

use jiff::Timestamp;
use laini_core::billing::{Price, PriceKey};
use laini_core::partner::{Agreement, Agreements, PartnerId, Product};

use futures_executor::block_on;

use crate::{Office, Problem};

/// Every price that was ever agreed on, and since when partners pay ahead.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    agreements: BTreeMap<PartnerId, Agreements>,
    prepaid: BTreeMap<PartnerId, Timestamp>,
}

impl PriceBook {
    /// Reads it.
    pub fn load(office: &Office) -> Result<Self, Problem> {
        let book = block_on(office.accounts.load())?;
        let prepaid = book.partners.iter().filter_map(|partner| Some((partner.id, partner.prepaid?.from))).collect();
        let mut agreements: BTreeMap<PartnerId, Vec<Agreement>> = BTreeMap::new();
        for agreement in book.agreements {
            agreements.entry(agreement.partner).or_default().push(agreement);
        }
        let agreements = agreements.into_iter().map(|(partner, of)| (partner, Agreements::new(of))).collect();
        Ok(Self { agreements, prepaid })
    }

    /// The same with balances that began at other instants.
    pub(super) fn with_prepaid(self, prepaid: BTreeMap<PartnerId, Timestamp>) -> Self {
        Self { prepaid, ..self }
    }

    /// Since when the checks of partners are paid from a balance.
    pub(super) fn prepaid(&self) -> &BTreeMap<PartnerId, Timestamp> {
        &self.prepaid
    }

    /// Since when this partner's are.
    pub(super) fn prepaid_from(&self, partner: PartnerId) -> Option<Timestamp> {
        self.prepaid.get(&partner).copied()
    }

    /// The price that rows were recorded under.
    pub fn price(&self, key: &PriceKey) -> Result<&Price, Problem> {
        let versions = self.agreements.get(&key.partner).map(Agreements::versions).unwrap_or_default();
        let found = versions.iter().find(|agreement| Some(agreement.id) == key.agreement);
        let found = found.and_then(|agreement| price_in(agreement, key.product));
        found.filter(|price| price.version == key.version).ok_or_else(|| {
            let agreement = key.agreement.map_or_else(|| "none".to_owned(), |id| id.to_string());
            let (product, version) = (key.product.word(), key.version);
            Problem::Store(format!("no agreement {agreement} has version {version} of the price of {product}"))
        })
    }

    /// The price of a product that a partner had, or will have, at an instant.
    pub fn in_force(&self, partner: PartnerId, product: Product, at: Timestamp) -> Option<&Price> {
        price_in(self.agreements.get(&partner)?.at(at).ok()?, product)
    }

    /// The same, where what it asks is invoiced.
    pub(super) fn invoiced(&self, partner: PartnerId, product: Product, at: Timestamp) -> Option<&Price> {
        let pays_ahead = self.prepaid_from(partner).is_some_and(|from| from <= at);
        self.in_force(partner, product, at).filter(|_| !pays_ahead)
    }

    /// Every version of a partner's agreement, in the order in which they begin.
    pub fn agreements(&self, partner: PartnerId) -> &[Agreement] {
        self.agreements.get(&partner).map(Agreements::versions).unwrap_or_default()
    }

    /// Every partner that ever had an agreement.
    pub(super) fn partners(&self) -> impl Iterator<Item = PartnerId> + '_ {
        self.agreements.keys().copied()
    }
}

fn price_in(agreement: &Agreement, product: Product) -> Option<&Price> {
    agreement.prices.iter().find(|(of, _)| *of == product).map(|(_, price)| price)
}
