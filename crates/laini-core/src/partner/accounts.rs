use std::collections::HashMap;
use std::sync::Arc;

use super::{Agreement, App, AppId, Environment, OperatorKey, OperatorKeyId, Partner, Product, Purpose, ResultAddress};
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
    /// The partner's agreement; `None` only where none was made.
    pub agreement: Option<Arc<Agreement>>,
    /// How far back facts are disclosed to it.
    pub windows: Windows,
    /// The key of its pseudonyms.
    pub pseudonym: PseudonymKey,
    /// Where its results can be delivered.
    pub result_addresses: Vec<ResultAddress>,
}

impl AppView {
    /// What a check of `product` costs it; `None` where its agreement has no price for it.
    pub fn price(&self, product: Product) -> Option<PriceStamp> {
        let agreement = self.agreement.as_deref()?;
        agreement.prices.iter().find(|(priced, _)| *priced == product).map(|(_, price)| price.stamp())
    }

    /// Whether its agreement allows this purpose.
    pub fn allows(&self, purpose: Purpose) -> bool {
        self.agreement.as_ref().is_some_and(|agreement| agreement.purposes.contains(&purpose))
    }

    /// Whether it may be used in production at all: a sandbox app needs no agreement.
    pub fn may_ask(&self) -> bool {
        self.app.environment == Environment::Sandbox || self.agreement.is_some()
    }
}

impl Accounts {
    /// The picture of a book. Apps of unknown partners are left out.
    pub fn assemble(keys: &KeyTree, book: AccountBook) -> Self {
        let partners: HashMap<_, _> = book.partners.into_iter().map(|p| (p.id, Arc::new(p))).collect();
        let agreements: HashMap<_, _> = book.agreements.into_iter().map(|a| (a.partner, Arc::new(a))).collect();
        let mut result_addresses: HashMap<AppId, Vec<ResultAddress>> = HashMap::new();
        for address in book.result_addresses {
            result_addresses.entry(address.app).or_default().push(address);
        }
        let operator_keys = book.operator_keys.into_iter().map(|key| (key.id, key)).collect();
        let mut accounts = Self { version: book.version, operator_keys, ..Self::default() };
        for app in book.apps {
            let Some(partner) = partners.get(&app.partner) else { continue };
            let agreement = agreements.get(&app.partner).cloned();
            let view = Arc::new(AppView {
                windows: agreement.as_ref().map_or(Windows::default(), |a| a.windows),
                pseudonym: keys.pseudonym(app.environment, app.partner),
                result_addresses: result_addresses.remove(&app.id).unwrap_or_default(),
                partner: Arc::clone(partner),
                agreement,
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
