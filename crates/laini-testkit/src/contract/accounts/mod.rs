//! What every account store does, whichever engine it stands on.
//!
//! Owns the promises of the port as cases, each on an empty store. Must never know an engine: an
//! [`AccountsHome`] opens it, and the cases use the port alone.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]

mod changes;
mod restrictions;
mod secrets;

use jiff::Timestamp;
use laini_core::access::{AddressRules, ConsumerKey, ConsumerSecret};
use laini_core::billing::{Band, Currency, FreeUnits, Money, Price};
use laini_core::disclosure::{Window, Windows};
use laini_core::partner::{
    Agreement, AgreementId, App, AppId, AppLimits, AppProfile, AppSecret, AppStatus, Environment, Partner, PartnerId,
    Product, ProductSet, Purpose,
};
use laini_core::store::{AccountBook, AccountStore, AccountsError, AuditEntry, OfficeStore};

pub use changes::{
    a_partner_changes_one_thing_at_a_time, a_result_address_is_proven_rolled_and_removed,
    a_revoked_app_is_changed_no_more, agreements_begin_on_their_date_or_now, agreements_end,
    an_app_begins_as_it_is_added, an_app_changes_one_thing_at_a_time, every_change_raises_the_version,
    operator_keys_are_named_once_while_they_are_good,
};
pub use secrets::{
    a_secret_is_added_beside_another_and_one_is_retired, an_app_is_renamed_and_its_products_change,
    the_last_use_of_secrets_is_noted_in_silence,
};

pub use restrictions::{
    a_restriction_is_made_with_its_record_or_not_at_all, restrictions_are_told_in_the_order_of_their_changes,
};

/// Runs the whole suite: one test per promise, each in a new `$home` (an expression that makes an
/// [`AccountsHome`](crate::contract::accounts::AccountsHome)).
#[macro_export]
macro_rules! accounts_contract {
    ($home:expr) => {
        $crate::accounts_contract!($home =>
            everything_survives_a_reopen
            names_are_unique
            consumer_keys_are_unique
            an_app_needs_its_partner
            a_revoked_app_stays_revoked
            token_epochs_grow
            a_failed_change_leaves_nothing
            two_handles_see_each_other
            audits_come_newest_first
            concurrent_changes_all_count
            a_partner_changes_one_thing_at_a_time
            an_app_changes_one_thing_at_a_time
            an_app_begins_as_it_is_added
            a_revoked_app_is_changed_no_more
            agreements_begin_on_their_date_or_now
            agreements_end
            a_result_address_is_proven_rolled_and_removed
            operator_keys_are_named_once_while_they_are_good
            every_change_raises_the_version
            an_app_is_renamed_and_its_products_change
            a_secret_is_added_beside_another_and_one_is_retired
            the_last_use_of_secrets_is_noted_in_silence
            restrictions_are_told_in_the_order_of_their_changes
            a_restriction_is_made_with_its_record_or_not_at_all
        );
    };
    ($home:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::contract::accounts::$case(&$home).await;
        })*
    };
}

/// Where the accounts of one test live, empty at first.
pub trait AccountsHome {
    /// Opens them; others may have them open too.
    fn open(&self) -> Box<dyn AccountStore>;

    /// Opens the records of people and organisations that change with them.
    fn open_office(&self) -> Box<dyn OfficeStore>;
}

fn partner(number: u64, name: &str) -> Partner {
    Partner::new(PartnerId::from_stored(number), name.to_owned())
}

/// An agreement with every shape of price.
fn agreement(number: u64, partner: PartnerId) -> Agreement {
    let flat = Price::flat(1, Money::new(2_000, Currency::KES));
    let graduated = Price {
        version: 7,
        currency: Currency::parse("UGX").unwrap(),
        set_up_minor: 5_000_000,
        free: FreeUnits::PerMonth(100),
        bands: vec![
            Band { up_to: Some(i64::MAX.unsigned_abs()), unit_minor: 300 },
            Band { up_to: None, unit_minor: 100 },
        ],
        monthly_minimum_minor: 10_000,
    };
    let once = Price { free: FreeUnits::Once(200_000), ..Price::flat(2, Money::new(100, Currency::KES)) };
    Agreement {
        id: AgreementId::from_stored(number),
        partner,
        valid_from: audit(0, "").at,
        valid_until: None,
        windows: Windows { swap: Window::months(1).unwrap(), registration: Window::months(6).unwrap() },
        prices: vec![(Product::Imsi, flat), (Product::Swap, once), (Product::Age, graduated)],
        pass_hashed_imsi: true,
        purposes: Purpose::ALL.to_vec(),
        exact_times: false,
    }
}

fn app(number: u64, partner: PartnerId, name: &str) -> App {
    let secret = |seed: u32| {
        let minted = ConsumerSecret::mint([number, seed.into(), 0, 0]);
        AppSecret { number: seed, ..AppSecret::first(&minted, audit(seed.into(), "").at) }
    };
    App {
        id: AppId::from_stored(number),
        partner,
        name: name.to_owned(),
        environment: Environment::Production,
        products: [Product::Imsi, Product::Age].into_iter().collect::<ProductSet>(),
        status: AppStatus::Active,
        token_epoch: 3,
        consumer_key: ConsumerKey::mint(Environment::Production, [number, 0, 0]),
        secrets: vec![secret(1), secret(2)],
        profile: AppProfile { sentinel_with_time: Some(false), single_token: true },
        purpose: Purpose::default(),
        limits: AppLimits::default(),
        client_certificate: None,
        allowed_addresses: AddressRules::default(),
    }
}

fn audit(second: i64, action: &str) -> AuditEntry {
    AuditEntry {
        at: Timestamp::from_microsecond(1_795_338_000_000_000 + second * 1_000_000 + 7).unwrap(),
        actor: "uid 1000".to_owned(),
        action: action.to_owned(),
        target: "254******000".to_owned(),
        reason: "ticket 4711 – “quoted”".to_owned(),
        partner: (second % 2 == 0).then_some(BANK),
    }
}

const BANK: PartnerId = PartnerId::from_stored(u64::MAX >> 1);

/// A bank with one app.
async fn with_bank(home: &dyn AccountsHome) -> Box<dyn AccountStore> {
    let store = home.open();
    let bank = Partner { id: BANK, ..partner(0, "Bank A") };
    store.add_partner(bank, agreement(5, BANK), audit(0, "partner.add")).await.unwrap();
    store.add_app(app(8, BANK, "transfers"), audit(1, "app.add")).await.unwrap();
    store
}

pub async fn everything_survives_a_reopen(home: &dyn AccountsHome) {
    let empty = home.open();
    assert_eq!(empty.load().await.unwrap(), AccountBook::default());
    drop(empty);
    let store = with_bank(home).await;
    let sandbox = App {
        environment: Environment::Sandbox,
        products: ProductSet::all(),
        secrets: vec![],
        profile: AppProfile::default(),
        ..app(9, BANK, "tests")
    };
    store.add_app(sandbox.clone(), audit(2, "app.add")).await.unwrap();
    store.add_partner(partner(1, "Bank B"), agreement(6, PartnerId::from_stored(1)), audit(3, "x")).await.unwrap();
    drop(store);
    let store = home.open();
    let mut book = store.load().await.unwrap();
    assert_eq!(book.version, store.version().await.unwrap());
    book.partners.sort_by_key(|partner| partner.id);
    book.agreements.sort_by_key(|agreement| agreement.id);
    book.apps.sort_by_key(|app| app.id);
    let bank = Partner { id: BANK, ..partner(0, "Bank A") };
    assert_eq!(book.partners, [partner(1, "Bank B"), bank]);
    let of_other = Agreement { valid_from: audit(3, "").at, ..agreement(6, PartnerId::from_stored(1)) };
    assert_eq!(book.agreements, [agreement(5, BANK), of_other]);
    assert_eq!(book.apps, [app(8, BANK, "transfers"), sandbox]);
}

pub async fn names_are_unique(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let other = PartnerId::from_stored(1);
    let taken = store.add_partner(partner(1, "Bank A"), agreement(6, other), audit(2, "partner.add")).await;
    assert!(matches!(&taken, Err(AccountsError::Exists(what)) if what.contains("Bank A")), "{taken:?}");
    store.add_partner(partner(1, "Bank B"), agreement(6, other), audit(3, "partner.add")).await.unwrap();
    let taken = store.add_app(app(9, BANK, "transfers"), audit(4, "app.add")).await;
    assert!(matches!(&taken, Err(AccountsError::Exists(what)) if what.contains("transfers")), "{taken:?}");
    // Another partner may use the name.
    store.add_app(app(9, other, "transfers"), audit(5, "app.add")).await.unwrap();
}

pub async fn consumer_keys_are_unique(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let copy = App { consumer_key: app(8, BANK, "").consumer_key, ..app(9, BANK, "other") };
    let taken = store.add_app(copy, audit(2, "app.add")).await;
    assert!(matches!(taken, Err(AccountsError::Exists(_))), "{taken:?}");
}

pub async fn an_app_needs_its_partner(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let orphan = store.add_app(app(9, PartnerId::from_stored(77), "x"), audit(2, "app.add")).await;
    assert!(matches!(orphan, Err(AccountsError::NotFound(_))), "{orphan:?}");
}

pub async fn a_revoked_app_stays_revoked(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let before = store.version().await.unwrap();
    store.revoke_app(AppId::from_stored(8), audit(2, "app.revoke")).await.unwrap();
    assert!(store.version().await.unwrap() > before);
    drop(store);
    let store = home.open();
    assert_eq!(store.load().await.unwrap().apps[0].status, AppStatus::Revoked);
    let unknown = store.revoke_app(AppId::from_stored(99), audit(3, "app.revoke")).await;
    assert!(matches!(unknown, Err(AccountsError::NotFound(_))), "{unknown:?}");
}

pub async fn token_epochs_grow(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    for epoch in [4, 5] {
        assert_eq!(store.next_token_epoch(AppId::from_stored(8), audit(2, "app.tokens")).await.unwrap(), epoch);
        assert_eq!(store.load().await.unwrap().apps[0].token_epoch, epoch);
    }
    let unknown = store.next_token_epoch(AppId::from_stored(99), audit(3, "app.tokens")).await;
    assert!(matches!(unknown, Err(AccountsError::NotFound(_))), "{unknown:?}");
}

pub async fn a_failed_change_leaves_nothing(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let before = store.load().await.unwrap();
    let audits = store.audits(100).await.unwrap();
    // The partner is new, its agreement's id is taken: neither may stay, nor a trace of the attempt.
    let other = PartnerId::from_stored(1);
    store.add_partner(partner(1, "Bank B"), agreement(5, other), audit(2, "partner.add")).await.unwrap_err();
    store.add_app(app(9, BANK, "transfers"), audit(2, "app.add")).await.unwrap_err();
    store.revoke_app(AppId::from_stored(99), audit(2, "app.revoke")).await.unwrap_err();
    assert_eq!(store.load().await.unwrap(), before);
    assert_eq!(store.audits(100).await.unwrap(), audits);
}

pub async fn two_handles_see_each_other(home: &dyn AccountsHome) {
    let (one, two) = (home.open(), home.open());
    let mut version = two.version().await.unwrap();
    let mut grown = async || {
        let now = two.version().await.unwrap();
        let grew = now > version && two.load().await.unwrap().version == now;
        version = now;
        grew
    };
    one.add_partner(Partner { id: BANK, ..partner(0, "Bank A") }, agreement(5, BANK), audit(0, "x")).await.unwrap();
    assert!(grown().await);
    one.add_app(app(8, BANK, "transfers"), audit(1, "app.add")).await.unwrap();
    assert!(grown().await);
    one.next_token_epoch(AppId::from_stored(8), audit(2, "app.tokens")).await.unwrap();
    assert!(grown().await);
    one.revoke_app(AppId::from_stored(8), audit(3, "app.revoke")).await.unwrap();
    assert!(grown().await);
    assert!(!grown().await);
    assert_eq!(two.load().await.unwrap(), one.load().await.unwrap());
}

pub async fn audits_come_newest_first(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    store.audit(audit(2, "line.reveal")).await.unwrap();
    // The order is that of writing, not of the clock.
    store.audit(audit(-9, "line.show")).await.unwrap();
    let entries = store.audits(3).await.unwrap();
    assert_eq!(entries, [audit(-9, "line.show"), audit(2, "line.reveal"), audit(1, "app.add")]);
    assert_eq!(store.audits(100).await.unwrap().len(), 4);
}

pub async fn concurrent_changes_all_count(home: &dyn AccountsHome) {
    const HANDLES: u64 = 4;
    const CHANGES: u64 = 10;
    let store = with_bank(home).await;
    let before = store.version().await.unwrap();
    let handle = |handle: u64| {
        let store = home.open();
        tokio::spawn(async move {
            for change in 0..CHANGES {
                let number = 100 + handle * CHANGES + change;
                store.add_app(app(number, BANK, &format!("app {number}")), audit(5, "app.add")).await.unwrap();
            }
        })
    };
    let handles: Vec<_> = (0..HANDLES).map(handle).collect();
    for handle in handles {
        handle.await.unwrap();
    }
    let book = store.load().await.unwrap();
    assert_eq!(book.version, before + HANDLES * CHANGES);
    assert_eq!(book.apps.len() as u64, 1 + HANDLES * CHANGES);
}
