//! Apps: what a partner does about its own, and what the operator does about them.
//!
//! Owns how apps are made, changed, suspended and ended by people, their secrets and result addresses, credentials that
//! are brought along from another gateway, and notices of debt. Must never show a secret twice, keep one, change an app
//! of another partner than the one that is named, or wait for a network.

mod activity;
mod change;
mod import;
mod probing;
mod result_addresses;
mod secrets;
mod standing;
mod visitors;

use jiff::Timestamp;
use laini_core::access::{ConsumerKey, ConsumerSecret};
use laini_core::partner::{
    Agreement, App, AppId, AppLimits, AppProfile, AppSecret, AppStatus, Environment, Partner, PartnerId, Product,
    ProductSet, Purpose, ResultAddress,
};
use laini_core::store::{AccountBook, AccountsChange};

pub use activity::{Activity, LastCall, Recently, activity, recently, recently_of_all};
pub use change::{AppPatch, change_app, limit_partner, set_budget};
pub use import::{ForeignApp, ImportReport, ImportedRow, import_apps};
pub use probing::set_probing;
pub use result_addresses::{
    FIRST_GENERATION, add_result_address, note_proof, remove_result_address, roll_secret, the_address,
};
pub use secrets::{add_secret, retire_secret, revoke_tokens};
pub use standing::{
    DebtNotice, PartnerEnd, Why, debt_suspension_from, give_debt_notice, resume_app, resume_partner, suspend_app,
    suspend_partner, terminate_app, terminate_partner, withdraw_debt_notice,
};
pub use visitors::{VISITORS, probes_app, visitors_app};

pub(crate) use standing::is_not_ended;

use crate::{Problem, Work};

/// So many apps a partner has at most, revoked ones aside.
const APPS_PER_PARTNER_MAX: usize = 200;
/// The longest name.
const NAME_CHARS_MAX: usize = 100;

/// An app with what is decided about it.
#[derive(Debug, Clone)]
pub struct AppOf {
    /// The app.
    pub app: App,
    /// Whose it is.
    pub partner: Partner,
    /// The agreement in force.
    pub agreement: Option<Agreement>,
    /// Where its results can be delivered.
    pub addresses: Vec<ResultAddress>,
}

/// The app of this id, where it is of this partner.
pub fn the_app(work: &Work<'_>, partner: PartnerId, app: AppId) -> Result<AppOf, Problem> {
    let book = work.book()?;
    let found = book.apps.iter().find(|found| found.id == app && found.partner == partner).cloned();
    with_all(&book, work.at, found.ok_or(Problem::NotFound("app"))?)
}

/// The apps of a partner, by name.
pub fn apps_of(work: &Work<'_>, partner: PartnerId) -> Result<Vec<AppOf>, Problem> {
    let book = work.book()?;
    the_partner(&book, partner)?;
    let apps = book.apps.iter().filter(|app| app.partner == partner).cloned();
    apps.map(|app| with_all(&book, work.at, app)).collect()
}

fn with_all(book: &AccountBook, at: Timestamp, app: App) -> Result<AppOf, Problem> {
    Ok(AppOf {
        partner: the_partner(book, app.partner)?,
        agreement: agreement_in_force(book, app.partner, at),
        addresses: book.result_addresses.iter().filter(|address| address.app == app.id).cloned().collect(),
        app,
    })
}

/// The partner of this id.
pub(crate) fn the_partner(book: &AccountBook, partner: PartnerId) -> Result<Partner, Problem> {
    book.partners.iter().find(|found| found.id == partner).cloned().ok_or(Problem::NotFound("partner"))
}

/// The agreement of a partner that is in force at an instant.
pub(crate) fn agreement_in_force(book: &AccountBook, partner: PartnerId, at: Timestamp) -> Option<Agreement> {
    book.agreements_of(partner).at(at).ok().cloned()
}

/// The first of `products` that `agreement` does not cover.
pub(crate) fn not_covered(agreement: Option<&Agreement>, products: ProductSet) -> Option<Product> {
    let covers =
        |product| agreement.is_some_and(|agreement| agreement.prices.iter().any(|(priced, _)| *priced == product));
    products.iter().find(|product| !covers(*product))
}

/// Makes a sandbox app, which needs no agreement; its secret, to be shown once.
pub fn add_sandbox_app(
    work: &mut Work<'_>,
    partner: PartnerId,
    name: &str,
    products: ProductSet,
) -> Result<(App, ConsumerSecret), Problem> {
    issue(work, partner, name, Environment::Sandbox, products)
}

/// Makes an app with fresh credentials.
pub(crate) fn issue(
    work: &mut Work<'_>,
    partner: PartnerId,
    name: &str,
    environment: Environment,
    products: ProductSet,
) -> Result<(App, ConsumerSecret), Problem> {
    let book = work.book()?;
    the_partner(&book, partner)?;
    standing::is_not_ended(work, partner)?;
    let name = readable_name(name)?;
    has_a_product(products)?;
    let own = book.apps.iter().filter(|app| app.partner == partner);
    if own.clone().any(|app| app.name == name) {
        return Err(name_taken());
    }
    if own.filter(|app| app.status != AppStatus::Revoked).count() >= APPS_PER_PARTNER_MAX {
        return Err(Problem::not_now(format!(
            "the partner has {APPS_PER_PARTNER_MAX} apps, the most there may be; end one that is not used any more"
        )));
    }
    let word = || work.office.entropy.next_u64();
    let (id, consumer_key) = (AppId::from_random(word()), ConsumerKey::mint(environment, [word(), word(), word()]));
    let secret = ConsumerSecret::mint([word(), word(), word(), word()]);
    let secrets = vec![AppSecret::first(&secret, work.at)];
    let app = App { id, consumer_key, secrets, ..blank(partner, name, environment, products) };
    work.accounts(AccountsChange::AddApp(Box::new(app.clone())));
    work.note("app.add", Some(partner), app.id, environment.word());
    Ok((app, secret))
}

/// An app without credentials, as every app begins.
fn blank(partner: PartnerId, name: String, environment: Environment, products: ProductSet) -> App {
    App {
        id: AppId::from_stored(0),
        partner,
        name,
        environment,
        products,
        status: AppStatus::Active,
        token_epoch: 0,
        consumer_key: ConsumerKey::mint(environment, [0; 3]),
        secrets: Vec::new(),
        profile: AppProfile::default(),
        purpose: Purpose::default(),
        limits: AppLimits::default(),
        client_certificate: None,
        allowed_addresses: laini_core::access::AddressRules::default(),
    }
}

/// A name that people can read.
pub(crate) fn readable_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let expected = format!("expected 1 to {NAME_CHARS_MAX} characters, none of them a control character");
        return Err(Problem::invalid("name", expected));
    }
    // Exports are opened in spreadsheets, which would take it for a formula.
    if name.starts_with(['=', '+', '-', '@']) {
        return Err(Problem::invalid("name", "a name does not begin with = + - or @"));
    }
    Ok(name.to_owned())
}

pub(crate) fn name_taken() -> Problem {
    Problem::Taken("another app of the partner has this name; choose another one".into())
}

pub(crate) fn has_a_product(products: ProductSet) -> Result<(), Problem> {
    let is_empty = products.iter().next().is_none();
    if is_empty { Err(Problem::invalid("products", "expected at least one of imsi, swap, age")) } else { Ok(()) }
}

/// Whether an app can be changed at all.
pub(crate) fn is_alive(app: &App) -> Result<(), Problem> {
    if app.status == AppStatus::Revoked {
        return Err(Problem::not_now("the app was ended for good; make another one"));
    }
    Ok(())
}
