use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Agreement, Agreements, App, AppId, Environment, NoAgreement, OperatorKey, OperatorKeyId, Partner, PartnerId,
    Product, Purpose, ResultAddress,
};
use crate::access::{ConsumerKey, KeyTree};
use crate::billing::PriceStamp;
use crate::disclosure::{PseudonymKey, Windows};
use crate::store::AccountBook;

/// Everything about partners that a check needs, as one immutable picture; replaced whole.
#[derive(Debug, Default)]
pub struct Accounts {
    /// Grows with every change that an engine made; equal versions are equal pictures.
    pub version: u64,
    apps: HashMap<AppId, Arc<AppView>>,
    by_key: HashMap<ConsumerKey, Arc<AppView>>,
    operator_keys: HashMap<OperatorKeyId, OperatorKey>,
}

/// One app with what its checks are decided on, looked up once and ready.
#[derive(Debug)]
pub struct AppView {
    /// The app.
    pub app: App,
    /// Its partner.
    pub partner: Arc<Partner>,
    /// The partner's agreements, past and to come ones too.
    pub agreements: Arc<Agreements>,
    /// The key of its pseudonyms.
    pub pseudonym: PseudonymKey,
    /// Where its results can be delivered.
    pub result_addresses: Vec<ResultAddress>,
}

impl AppView {
    /// The agreement that is in force at an instant.
    pub fn agreement(&self, at: Timestamp) -> Result<&Agreement, NoAgreement> {
        self.agreements.at(at)
    }

    /// What a check of `product` costs it; `None` where no agreement in force has a price for it.
    pub fn price(&self, product: Product, at: Timestamp) -> Option<PriceStamp> {
        let agreement = self.agreement(at).ok()?;
        agreement.prices.iter().find(|(priced, _)| *priced == product).map(|(_, price)| price.stamp())
    }

    /// How far back facts are disclosed to it.
    pub fn windows(&self, at: Timestamp) -> Windows {
        self.agreement(at).map_or(Windows::default(), |agreement| agreement.windows)
    }

    /// Whether its agreement allows this purpose.
    pub fn allows(&self, purpose: Purpose, at: Timestamp) -> bool {
        self.agreement(at).is_ok_and(|agreement| agreement.purposes.contains(&purpose))
    }

    /// Why it may not ask at all; a sandbox app needs no agreement.
    pub fn may_ask(&self, at: Timestamp) -> Result<(), NoAgreement> {
        if self.app.environment == Environment::Sandbox { Ok(()) } else { self.agreement(at).map(drop) }
    }
}

impl Accounts {
    /// The picture of a book. Apps of unknown partners are left out.
    pub fn assemble(keys: &KeyTree, book: AccountBook) -> Self {
        let partners: HashMap<_, _> = book.partners.into_iter().map(|p| (p.id, Arc::new(p))).collect();
        let mut versions: HashMap<PartnerId, Vec<Agreement>> = HashMap::new();
        for agreement in book.agreements {
            versions.entry(agreement.partner).or_default().push(agreement);
        }
        let agreements: HashMap<PartnerId, Arc<Agreements>> =
            versions.into_iter().map(|(partner, versions)| (partner, Arc::new(Agreements::new(versions)))).collect();
        let mut result_addresses: HashMap<AppId, Vec<ResultAddress>> = HashMap::new();
        for address in book.result_addresses {
            result_addresses.entry(address.app).or_default().push(address);
        }
        let operator_keys = book.operator_keys.into_iter().map(|key| (key.id, key)).collect();
        let mut accounts = Self { version: book.version, operator_keys, ..Self::default() };
        for app in book.apps {
            let Some(partner) = partners.get(&app.partner) else { continue };
            let view = Arc::new(AppView {
                agreements: agreements.get(&app.partner).cloned().unwrap_or_default(),
                pseudonym: keys.pseudonym(app.environment, app.partner),
                result_addresses: result_addresses.remove(&app.id).unwrap_or_default(),
                partner: Arc::clone(partner),
                app,
            });
            accounts.by_key.insert(view.app.consumer_key.clone(), Arc::clone(&view));
            accounts.apps.insert(view.app.id, view);
        }
        accounts
    }

    /// The app of this id.
    pub fn app(&self, id: AppId) -> Option<&Arc<AppView>> {
        self.apps.get(&id)
    }

    /// The app of this consumer key.
    pub fn by_consumer_key(&self, key: &str) -> Option<&Arc<AppView>> {
        self.by_key.get(key)
    }

    /// The operator key of this id, expired and revoked ones too.
    pub fn operator_key(&self, id: OperatorKeyId) -> Option<&OperatorKey> {
        self.operator_keys.get(&id)
    }

    /// Every app, in no order.
    pub fn apps(&self) -> impl Iterator<Item = &Arc<AppView>> {
        self.apps.values()
    }
}
