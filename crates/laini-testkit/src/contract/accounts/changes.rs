//! What is changed about accounts that are there, and what is hung onto them.

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use laini_core::access::{AddressRules, ConsumerSecret};
use laini_core::billing::{Currency, Money};
use laini_core::disclosure::Windows;
use laini_core::partner::{
    Agreement, AgreementId, AppId, AppLimits, AppProfile, AppStatus, Budget, Limits, NoAgreement, OperatorKey,
    OperatorKeyId, OperatorScope, PartnerId, PartnerStatus, Prepaid, Probing, Product, Purpose, Rate, ResultAddress,
    ResultAddressId,
};
use laini_core::store::{AccountsError, AppChange, PartnerChange, ResultAddressChange};

use super::{AccountsHome, BANK, agreement, app, audit, partner, with_bank};

const APP: AppId = AppId::from_stored(8);

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
}

/// Every kind of limit, with the largest numbers there are.
fn every_limit() -> AppLimits {
    let swap = Limits { rate: Some(rate(1, u32::MAX)), per_day: Some(0), per_month: None };
    let age = Limits { per_month: Some(u64::MAX), ..Limits::NONE };
    AppLimits {
        products: vec![(Product::Swap, swap), (Product::Age, age)],
        in_all: Limits { rate: Some(rate(50, 100)), per_day: Some(9), per_month: Some(10) },
        budget: Some(Budget {
            month: Money::new(i64::MAX, Currency::parse("UGX").unwrap()),
            warn_at_percent: vec![1, 99],
            overrun_percent: u16::MAX,
            hard_stop: true,
        }),
        probing: Probing::Slow(rate(2, 3)),
    }
}

fn address(number: u64, app: AppId, url: &str) -> ResultAddress {
    let id = ResultAddressId::from_stored(number);
    ResultAddress { id, app, url: url.to_owned(), proven: None, secret_generation: 1, previous_until: None }
}

fn operator_key(number: u64, name: &str) -> OperatorKey {
    OperatorKey {
        id: OperatorKeyId::from_stored(number),
        name: name.to_owned(),
        scopes: [OperatorScope::FeedRead].into_iter().collect(),
        hash: ConsumerSecret::mint([number, 7, 0, 0]).hash(),
        created: audit(1, "").at,
        expires: audit(90, "").at,
        is_revoked: false,
    }
}

fn assert_unknown(result: &Result<(), AccountsError>) {
    assert!(matches!(result, Err(AccountsError::NotFound(_))), "{result:?}");
}

pub async fn a_partner_changes_one_thing_at_a_time(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let limits = Limits { rate: Some(rate(7, 9)), per_day: Some(0), per_month: Some(u64::MAX) };
    store.change_partner(BANK, PartnerChange::Limits(limits), audit(2, "partner.limits")).await.unwrap();
    store.change_partner(BANK, PartnerChange::Status(PartnerStatus::Suspended), audit(3, "x")).await.unwrap();
    let partner = home.open().load().await.unwrap().partners.remove(0);
    assert_eq!((partner.status, partner.limits, partner.prepaid), (PartnerStatus::Suspended, limits, None));
    store.change_partner(BANK, PartnerChange::Status(PartnerStatus::Active), audit(4, "x")).await.unwrap();
    store.change_partner(BANK, PartnerChange::Limits(Limits::NONE), audit(5, "x")).await.unwrap();
    let partner = home.open().load().await.unwrap().partners.remove(0);
    assert_eq!((partner.status, partner.limits), (PartnerStatus::Active, Limits::NONE));
    for paid_minor in [6_000, i64::MAX] {
        let prepaid = Prepaid { from: Timestamp::constant(1_795_338_000, 0), paid_minor };
        store.change_partner(BANK, PartnerChange::Prepaid(prepaid), audit(5, "x")).await.unwrap();
        assert_eq!(home.open().load().await.unwrap().partners.remove(0).prepaid, Some(prepaid));
    }
    let nobody = PartnerId::from_stored(77);
    assert_unknown(&store.change_partner(nobody, PartnerChange::Limits(limits), audit(6, "x")).await);
    assert_eq!(store.audits(1).await.unwrap(), [audit(5, "x")]);
}

/// What an app may ask, as a change.
fn limits(limits: AppLimits) -> AppChange {
    AppChange::Limits { in_all: limits.in_all, products: limits.products }
}

pub async fn an_app_changes_one_thing_at_a_time(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    store.add_app(app(9, BANK, "untouched"), audit(2, "app.add")).await.unwrap();
    let mut expected = app(8, BANK, "transfers");
    let profile = AppProfile { sentinel_with_time: Some(true), single_token: false };
    let changes = [
        limits(every_limit()),
        AppChange::Budget(every_limit().budget),
        AppChange::Probing(every_limit().probing),
        AppChange::Status(AppStatus::Suspended),
        AppChange::Purpose(Purpose::ChequeConfirmation),
        AppChange::Profile(profile),
        AppChange::ClientCertificate(Some([9; 32])),
        AppChange::AllowedAddresses(AddressRules::parse(["192.0.2.7", "2001:db8::/32"]).unwrap()),
        AppChange::Status(AppStatus::Active),
        AppChange::Probing(Probing::default()),
        limits(AppLimits::default()),
        AppChange::Budget(None),
        AppChange::Profile(AppProfile::default()),
        AppChange::ClientCertificate(None),
        AppChange::AllowedAddresses(AddressRules::default()),
        AppChange::Name("payments".to_owned()),
        AppChange::Products([Product::Swap].into_iter().collect()),
    ];
    for (second, change) in (3..).zip(changes) {
        match change.clone() {
            AppChange::Limits { in_all, products } => {
                (expected.limits.in_all, expected.limits.products) = (in_all, products);
            }
            AppChange::Budget(budget) => expected.limits.budget = budget,
            AppChange::Probing(probing) => expected.limits.probing = probing,
            AppChange::Status(status) => expected.status = status,
            AppChange::Purpose(purpose) => expected.purpose = purpose,
            AppChange::Profile(profile) => expected.profile = profile,
            AppChange::ClientCertificate(digest) => expected.client_certificate = digest,
            AppChange::AllowedAddresses(rules) => expected.allowed_addresses = rules,
            AppChange::Name(name) => expected.name = name,
            AppChange::Products(products) => expected.products = products,
            AppChange::SecretAdded { .. } | AppChange::SecretRetired(_) => unreachable!("not of one app alone"),
        }
        let before = store.version().await.unwrap();
        store.change_app(APP, change, audit(second, "app.change")).await.unwrap();
        assert!(store.version().await.unwrap() > before);
        assert_eq!(store.audits(1).await.unwrap(), [audit(second, "app.change")]);
        let mut apps = home.open().load().await.unwrap().apps;
        apps.sort_by_key(|app| app.id);
        assert_eq!(apps, [expected.clone(), app(9, BANK, "untouched")]);
    }
    let (nobody, change) = (AppId::from_stored(99), AppChange::Status(AppStatus::Active));
    assert_unknown(&store.change_app(nobody, change, audit(20, "x")).await);
}

pub async fn an_app_begins_as_it_is_added(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let mut added = app(9, BANK, "limited from the start");
    added.limits = every_limit();
    added.status = AppStatus::Suspended;
    added.purpose = Purpose::Onboarding;
    added.client_certificate = Some([3; 32]);
    added.allowed_addresses = AddressRules::parse(["10.0.0.0/8"]).unwrap();
    store.add_app(added.clone(), audit(2, "app.add")).await.unwrap();
    assert!(home.open().load().await.unwrap().apps.contains(&added));
}

pub async fn a_revoked_app_is_changed_no_more(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    store.change_app(APP, AppChange::Status(AppStatus::Revoked), audit(2, "app.revoke")).await.unwrap();
    let before = store.load().await.unwrap();
    for change in [AppChange::Status(AppStatus::Active), limits(every_limit())] {
        assert_unknown(&store.change_app(APP, change, audit(3, "app.resume")).await);
    }
    assert_eq!(store.load().await.unwrap(), before);
    assert_eq!(store.audits(1).await.unwrap(), [audit(2, "app.revoke")]);
}

pub async fn agreements_begin_on_their_date_or_now(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let at = |second| audit(second, "").at;
    let mut second = agreement(4, BANK);
    second.windows = Windows::default();
    second.purposes = vec![Purpose::Onboarding];
    second.exact_times = true;
    store.add_agreement(second.clone(), audit(2, "agreement.change")).await.unwrap();
    second.valid_from = at(2);
    // One that is to come, with its end; and one that begins before it, but was agreed later.
    let to_come = Agreement { valid_from: at(100), valid_until: Some(at(200)), ..agreement(7, BANK) };
    store.add_agreement(to_come.clone(), audit(3, "agreement.change")).await.unwrap();
    // The clock went back: of those that have begun, what was agreed last is in force all the same.
    let mut third = Agreement { valid_from: at(-100), ..agreement(3, BANK) };
    store.add_agreement(third.clone(), audit(-100, "agreement.change")).await.unwrap();
    third.valid_from = at(2) + SignedDuration::from_micros(1);
    // Two for one date: what was agreed last is in force from then on.
    let mut instead = Agreement { valid_from: at(100), ..agreement(9, BANK) };
    store.add_agreement(instead.clone(), audit(5, "agreement.change")).await.unwrap();
    instead.valid_from = at(100) + SignedDuration::from_micros(1);
    let agreements = home.open().load().await.unwrap().agreements_of(BANK);
    assert_eq!(agreements.versions(), [agreement(5, BANK), second, third.clone(), to_come, instead.clone()]);
    assert_eq!(agreements.at(at(99)), Ok(&third));
    assert_eq!(agreements.at(at(101)), Ok(&instead));
    let taken = store.add_agreement(agreement(5, BANK), audit(4, "x")).await;
    assert!(matches!(taken, Err(AccountsError::Exists(_))), "{taken:?}");
    assert_unknown(&store.add_agreement(agreement(6, PartnerId::from_stored(77)), audit(4, "x")).await);
}

pub async fn agreements_end(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let at = |second| audit(second, "").at;
    let to_come = Agreement { valid_from: at(100), ..agreement(7, BANK) };
    let soon_over = Agreement { valid_from: at(50), valid_until: Some(at(60)), ..agreement(6, BANK) };
    for one in [to_come, soon_over] {
        store.add_agreement(one, audit(3, "agreement.change")).await.unwrap();
    }
    let other = PartnerId::from_stored(1);
    store.add_partner(partner(1, "Bank B"), agreement(8, other), audit(4, "x")).await.unwrap();
    store.change_partner(BANK, PartnerChange::AgreementsEnd(at(80)), audit(5, "agreement.end")).await.unwrap();
    let book = home.open().load().await.unwrap();
    let found = |second| book.agreements_of(BANK).at(at(second)).map(|one| one.id.as_u64());
    let found: Vec<_> = [49, 59, 60, 79, 80, 100].into_iter().map(found).collect();
    let over = |second| Err(NoAgreement::Ended(at(second)));
    assert_eq!(found, [Ok(5), Ok(6), over(60), over(60), over(60), over(80)]);
    assert!(book.agreements_of(other).at(at(1_000)).is_ok());
    // An end may come earlier, never later.
    store.change_partner(BANK, PartnerChange::AgreementsEnd(at(300)), audit(6, "agreement.end")).await.unwrap();
    store.change_partner(BANK, PartnerChange::AgreementsEnd(at(40)), audit(7, "agreement.end")).await.unwrap();
    let agreements = home.open().load().await.unwrap().agreements_of(BANK);
    assert!(agreements.versions().iter().all(|one| one.valid_until == Some(at(40))), "{agreements:?}");
    let gone = PartnerId::from_stored(77);
    assert_unknown(&store.change_partner(gone, PartnerChange::AgreementsEnd(at(1)), audit(8, "x")).await);
}

pub async fn a_result_address_is_proven_rolled_and_removed(home: &dyn AccountsHome) {
    const URL: &str = "https://bank.example/results";
    let store = with_bank(home).await;
    store.add_app(app(9, BANK, "other"), audit(2, "app.add")).await.unwrap();
    let mut expected = address(1, APP, URL);
    store.add_result_address(expected.clone(), audit(3, "address.add")).await.unwrap();
    let again = store.add_result_address(address(2, APP, URL), audit(4, "address.add")).await;
    assert!(matches!(again, Err(AccountsError::Exists(_))), "{again:?}");
    let other = address(2, AppId::from_stored(9), URL);
    store.add_result_address(other.clone(), audit(4, "address.add")).await.unwrap();
    assert_unknown(&store.add_result_address(address(3, AppId::from_stored(99), URL), audit(5, "x")).await);

    let (proven, until) = (audit(6, "").at, audit(7, "").at);
    store.change_result_address(expected.id, ResultAddressChange::Proven(proven), audit(6, "x")).await.unwrap();
    expected.proven = Some(proven);
    let rolled = ResultAddressChange::SecretRolled { from: 1, previous_until: until };
    store.change_result_address(expected.id, rolled.clone(), audit(7, "x")).await.unwrap();
    (expected.secret_generation, expected.previous_until) = (2, Some(until));
    // Whoever read the first generation too is told, and nothing is rolled once more.
    let again = store.change_result_address(expected.id, rolled.clone(), audit(7, "y")).await;
    assert!(matches!(again, Err(AccountsError::Changed(_))), "{again:?}");
    assert_unknown(&store.change_result_address(ResultAddressId::from_stored(99), rolled, audit(7, "x")).await);
    assert_eq!(home.open().load().await.unwrap().result_addresses, [expected.clone(), other.clone()]);

    store.change_result_address(expected.id, ResultAddressChange::Removed, audit(8, "x")).await.unwrap();
    assert_eq!(home.open().load().await.unwrap().result_addresses, [other]);
    let late = ResultAddressChange::Proven(proven);
    assert_unknown(&store.change_result_address(expected.id, late, audit(9, "x")).await);
    // The url is free again, under an id of its own.
    store.add_result_address(address(4, APP, URL), audit(10, "address.add")).await.unwrap();
}

pub async fn operator_keys_are_named_once_while_they_are_good(home: &dyn AccountsHome) {
    let store = home.open();
    let key = operator_key(1, "nightly feed");
    store.add_operator_key(key.clone(), audit(2, "operator-key.add")).await.unwrap();
    let taken = store.add_operator_key(operator_key(2, "nightly feed"), audit(3, "operator-key.add")).await;
    assert!(matches!(&taken, Err(AccountsError::Exists(what)) if what.contains("nightly feed")), "{taken:?}");
    store.revoke_operator_key(key.id, audit(4, "operator-key.revoke")).await.unwrap();
    store.revoke_operator_key(key.id, audit(5, "operator-key.revoke")).await.unwrap();
    let next = operator_key(2, "nightly feed");
    store.add_operator_key(next.clone(), audit(6, "operator-key.add")).await.unwrap();
    assert_unknown(&store.revoke_operator_key(OperatorKeyId::from_stored(99), audit(7, "x")).await);
    let mut keys = home.open().load().await.unwrap().operator_keys;
    keys.sort_by_key(|key| key.id);
    assert_eq!(keys, [OperatorKey { is_revoked: true, ..key }, next]);
}

pub async fn every_change_raises_the_version(home: &dyn AccountsHome) {
    let (one, two) = (with_bank(home).await, home.open());
    let mut version = two.version().await.unwrap();
    let mut grown = async |what: &str| {
        let now = two.version().await.unwrap();
        assert!(now > version && two.load().await.unwrap().version == now, "{what}");
        version = now;
    };
    one.change_partner(BANK, PartnerChange::Status(PartnerStatus::Suspended), audit(2, "x")).await.unwrap();
    grown("a partner").await;
    one.change_app(APP, AppChange::Status(AppStatus::Suspended), audit(3, "x")).await.unwrap();
    grown("an app").await;
    one.add_agreement(agreement(6, BANK), audit(4, "x")).await.unwrap();
    grown("an agreement").await;
    one.add_result_address(address(1, APP, "https://bank.example/"), audit(5, "x")).await.unwrap();
    grown("an address").await;
    let removed = ResultAddressChange::Removed;
    one.change_result_address(ResultAddressId::from_stored(1), removed, audit(6, "x")).await.unwrap();
    grown("no address").await;
    one.add_operator_key(operator_key(1, "feed"), audit(7, "x")).await.unwrap();
    grown("an operator key").await;
    one.revoke_operator_key(OperatorKeyId::from_stored(1), audit(8, "x")).await.unwrap();
    grown("no operator key").await;
    assert_eq!(AgreementId::from_stored(6), two.load().await.unwrap().agreements[1].id);
}
