//! What is changed about the credentials of an app: its name, its products, its secrets.

use laini_core::access::ConsumerSecret;
use laini_core::partner::{AppId, AppSecret, AppStatus, Product, ProductSet, SecretUse};
use laini_core::store::{AccountsError, AppChange};

use super::{AccountsHome, BANK, app, audit, with_bank};

const APP: AppId = AppId::from_stored(8);

async fn secrets(home: &dyn AccountsHome) -> Vec<AppSecret> {
    let book = home.open().load().await.unwrap();
    book.apps.into_iter().find(|app| app.id == APP).unwrap().secrets
}

pub async fn an_app_is_renamed_and_its_products_change(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let before = store.version().await.unwrap();
    store.change_app(APP, AppChange::Name("payments".to_owned()), audit(2, "app.name")).await.unwrap();
    let products: ProductSet = [Product::Swap].into_iter().collect();
    store.change_app(APP, AppChange::Products(products), audit(3, "app.products")).await.unwrap();
    let book = home.open().load().await.unwrap();
    assert_eq!((book.apps[0].name.as_str(), book.apps[0].products), ("payments", products));
    assert!(book.version > before);
    // The old name is free, the new one is taken.
    store.add_app(app(9, BANK, "transfers"), audit(4, "app.add")).await.unwrap();
    let taken = store.change_app(APP, AppChange::Name("transfers".to_owned()), audit(5, "app.name")).await;
    assert!(matches!(&taken, Err(AccountsError::Exists(what)) if what.contains("transfers")), "{taken:?}");
    let book = home.open().load().await.unwrap();
    let changed = book.apps.iter().find(|app| app.id == APP).unwrap();
    assert_eq!((changed.name.as_str(), changed.products), ("payments", products));
}

pub async fn a_secret_is_added_beside_another_and_one_is_retired(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let [first, second] = secrets(home).await.try_into().unwrap();
    let added = AppSecret::first(&ConsumerSecret::mint([9, 9, 9, 9]), audit(5, "").at);
    let add = AppChange::SecretAdded(added);
    // Two are good already.
    let full = store.change_app(APP, add.clone(), audit(2, "app.rotate")).await;
    assert!(matches!(full, Err(AccountsError::Exists(_))), "{full:?}");
    let before = store.version().await.unwrap();
    store.change_app(APP, AppChange::SecretRetired(first.number), audit(3, "app.retire-secret")).await.unwrap();
    assert_eq!(secrets(home).await, [second]);
    // The only one stays, and one that is gone is gone.
    for number in [second.number, first.number] {
        let refused = store.change_app(APP, AppChange::SecretRetired(number), audit(4, "x")).await;
        assert!(matches!(refused, Err(AccountsError::NotFound(_))), "{refused:?}");
    }
    store.change_app(APP, add, audit(5, "app.rotate")).await.unwrap();
    let third = AppSecret { number: second.number + 1, ..added };
    assert!(third.ending.is_some());
    assert_eq!(secrets(home).await, [second, third]);
    assert_eq!(store.version().await.unwrap(), before + 2);
}

pub async fn the_last_use_of_secrets_is_noted_in_silence(home: &dyn AccountsHome) {
    let store = with_bank(home).await;
    let [first, second] = secrets(home).await.try_into().unwrap();
    let (version, audits) = (store.version().await.unwrap(), store.audits(100).await.unwrap());
    let used = |secret: &AppSecret, second| SecretUse { app: APP, secret: secret.number, at: audit(second, "").at };
    let elsewhere = SecretUse { app: AppId::from_stored(99), ..used(&first, 7) };
    let gone = SecretUse { secret: 77, ..used(&first, 7) };
    store.note_secret_uses(vec![used(&second, 60), elsewhere, used(&first, 7), gone]).await.unwrap();
    let at = |second| Some(audit(second, "").at);
    let expected = [AppSecret { used: at(7), ..first }, AppSecret { used: at(60), ..second }];
    assert_eq!(secrets(home).await, expected);
    // Another node's news come late.
    store.note_secret_uses(vec![used(&second, 59), used(&first, 8)]).await.unwrap();
    store.note_secret_uses(Vec::new()).await.unwrap();
    let expected = [AppSecret { used: at(8), ..first }, expected[1]];
    assert_eq!(secrets(home).await, expected);
    assert_eq!((store.version().await.unwrap(), store.audits(100).await.unwrap()), (version, audits));
    // Of a suspended app as well: its secrets still get tokens.
    store.change_app(APP, AppChange::Status(AppStatus::Suspended), audit(9, "x")).await.unwrap();
    store.note_secret_uses(vec![used(&first, 90)]).await.unwrap();
    assert_eq!(secrets(home).await[0].used, at(90));
}
