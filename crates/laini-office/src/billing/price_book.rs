use std::collections::BTreeMap;

use jiff::Timestamp;
use laini_core::billing::{Price, PriceKey};
use laini_core::partner::{Agreement, Agreements, PartnerId, Product};

use futures_executor::block_on;

use crate::{Office, Problem};

/// Every price that was ever agreed on.
#[derive(Debug, Clone, Default)]
pub struct PriceBook(BTreeMap<PartnerId, Agreements>);

impl PriceBook {
    /// Reads it.
    pub fn load(office: &Office) -> Result<Self, Problem> {
        let mut agreements: BTreeMap<PartnerId, Vec<Agreement>> = BTreeMap::new();
        for agreement in block_on(office.accounts.load())?.agreements {
            agreements.entry(agreement.partner).or_default().push(agreement);
        }
        Ok(Self(agreements.into_iter().map(|(partner, of)| (partner, Agreements::new(of))).collect()))
    }

    /// The price that rows were recorded under.
    pub fn price(&self, key: &PriceKey) -> Result<&Price, Problem> {
        let versions = self.0.get(&key.partner).map(Agreements::versions).unwrap_or_default();
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
        price_in(self.0.get(&partner)?.at(at).ok()?, product)
    }

    /// Every version of a partner's agreement, in the order in which they begin.
    pub fn agreements(&self, partner: PartnerId) -> &[Agreement] {
        self.0.get(&partner).map(Agreements::versions).unwrap_or_default()
    }

    /// Every partner that ever had an agreement.
    pub(super) fn partners(&self) -> impl Iterator<Item = PartnerId> + '_ {
        self.0.keys().copied()
    }
}

fn price_in(agreement: &Agreement, product: Product) -> Option<&Price> {
    agreement.prices.iter().find(|(of, _)| *of == product).map(|(_, price)| price)
}
