//! What is changed about an app that is there.

use laini_core::access::AddressRules;
use laini_core::partner::{AppId, AppProfile, Budget, Environment, Limits, PartnerId, Product, ProductSet, Purpose};
use laini_core::store::{AccountsChange, AppChange, PartnerChange};

use super::{
    AppOf, has_a_product, is_alive, is_not_ended, name_taken, not_covered, readable_name, the_app, the_partner,
};
use crate::{Problem, Work};

/// What is changed about an app; `None` = stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AppPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its products.
    pub products: Option<ProductSet>,
    /// What it asks for, where a request does not say.
    pub purpose: Option<Purpose>,
    /// From where it is answered.
    pub allowed_addresses: Option<AddressRules>,
    /// How many numbers it may ask about: in all, and of products.
    pub limits: Option<(Limits, Vec<(Product, Limits)>)>,
    /// Which of the published forms it wants.
    pub profile: Option<AppProfile>,
}

/// Changes an app, all of it or nothing.
pub fn change_app(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    patch: AppPatch,
    reason: &str,
) -> Result<(), Problem> {
    let of = the_app(work, partner, app)?;
    is_alive(&of.app)?;
    let mut changes = Vec::new();
    if let Some(name) = patch.name {
        changes.push(renamed(work, &of, &name)?);
    }
    if let Some(products) = patch.products {
        changes.push(ticked(&of, products)?);
    }
    if let Some(purpose) = patch.purpose {
        changes.push(asking_for(&of, purpose)?);
    }
    if let Some(rules) = patch.allowed_addresses {
        changes.push(("app.addresses", rules.to_string(), AppChange::AllowedAddresses(rules)));
    }
    if let Some((in_all, products)) = patch.limits {
        changes.push(limited(&of, in_all, products)?);
    }
    if let Some(profile) = patch.profile {
        changes.push(("app.profile", String::new(), AppChange::Profile(profile)));
    }
    if changes.is_empty() {
        return Err(Problem::invalid("body", "nothing is to be changed; name at least one field"));
    }
    for (action, set, change) in changes {
        work.accounts(AccountsChange::App(app, change));
        let because = if reason.is_empty() { set } else { format!("{set}: {reason}") };
        work.note(action, Some(partner), app, &because);
    }
    Ok(())
}

type Change = (&'static str, String, AppChange);

fn renamed(work: &Work<'_>, of: &AppOf, name: &str) -> Result<Change, Problem> {
    let name = readable_name(name)?;
    let is_taken =
        |app: &laini_core::partner::App| app.partner == of.partner.id && app.id != of.app.id && app.name == name;
    if work.book()?.apps.iter().any(is_taken) {
        return Err(name_taken());
    }
    Ok(("app.name", name.clone(), AppChange::Name(name)))
}

fn ticked(of: &AppOf, products: ProductSet) -> Result<Change, Problem> {
    has_a_product(products)?;
    // What was ticked before the agreement changed may stay.
    let new: ProductSet = products.iter().filter(|product| !of.app.products.contains(*product)).collect();
    let uncovered = not_covered(of.agreement.as_ref(), new);
    if let (Environment::Production, Some(product)) = (of.app.environment, uncovered) {
        let why = format!("the agreement does not cover {}; ask the operator to amend it", product.word());
        return Err(Problem::not_now(why));
    }
    Ok(("app.products", products.to_string(), AppChange::Products(products)))
}

fn asking_for(of: &AppOf, purpose: Purpose) -> Result<Change, Problem> {
    let is_allowed = of.agreement.as_ref().is_some_and(|agreement| agreement.purposes.contains(&purpose));
    if of.app.environment == Environment::Production && !is_allowed {
        let why = format!("the agreement does not allow {}; ask the operator to amend it", purpose.word());
        return Err(Problem::not_now(why));
    }
    Ok(("app.purpose", purpose.word().to_owned(), AppChange::Purpose(purpose)))
}

fn limited(of: &AppOf, in_all: Limits, products: Vec<(Product, Limits)>) -> Result<Change, Problem> {
    let ceiling = of.partner.limits;
    let are_agreed = in_all.are_within(&ceiling) && products.iter().all(|(_, limits)| limits.are_within(&ceiling));
    if of.app.environment == Environment::Production && !are_agreed {
        let why = "larger than what was agreed for all apps of the partner together; ask the operator for more";
        return Err(Problem::invalid("limits", why));
    }
    Ok(("app.limits", String::new(), AppChange::Limits { in_all, products }))
}

/// Sets how many numbers all production apps of a partner may ask about together.
pub fn limit_partner(work: &mut Work<'_>, partner: PartnerId, limits: Limits, reason: &str) -> Result<(), Problem> {
    the_partner(&work.book()?, partner)?;
    is_not_ended(work, partner)?;
    work.accounts(AccountsChange::Partner(partner, PartnerChange::Limits(limits)));
    let per = |count: Option<u64>, time: &str| count.map(|count| format!("{count} a {time}"));
    let rate = limits.rate.map(|rate| format!("{}/s (burst {})", rate.per_second, rate.burst));
    let set = [rate, per(limits.per_day, "day"), per(limits.per_month, "month")];
    let set: Vec<String> = set.into_iter().flatten().collect();
    let set = if set.is_empty() { "none".to_owned() } else { set.join(", ") };
    let because = if reason.is_empty() { set } else { format!("{set}: {reason}") };
    work.note("partner.limits", Some(partner), partner, &because);
    Ok(())
}

/// Sets what an app may spend in a month, or that it may spend anything.
pub fn set_budget(
    work: &mut Work<'_>,
    partner: PartnerId,
    app: AppId,
    budget: Option<Budget>,
    reason: &str,
) -> Result<(), Problem> {
    let of = the_app(work, partner, app)?;
    is_alive(&of.app)?;
    if let Some(budget) = &budget {
        check_budget(work, &of, budget)?;
    }
    let set = budget.as_ref().map_or("none".to_owned(), |budget| budget.month.to_string());
    work.accounts(AccountsChange::App(app, AppChange::Budget(budget)));
    let because = if reason.is_empty() { set } else { format!("{set}: {reason}") };
    work.note("app.budget", Some(partner), app, &because);
    Ok(())
}

fn check_budget(work: &Work<'_>, of: &AppOf, budget: &Budget) -> Result<(), Problem> {
    let agreed = of.agreement.as_ref().and_then(|agreement| agreement.prices.first());
    let currency = agreed.map_or(work.office.settings.currency, |(_, price)| price.currency);
    if budget.month.currency != currency {
        let expected = format!("expected {}, the currency of the agreement", currency.as_str());
        return Err(Problem::invalid("currency", expected));
    }
    if budget.month.minor < 0 {
        return Err(Problem::invalid("month_minor", "expected 0 or more"));
    }
    if !budget.warn_at_percent.is_sorted_by(|one, next| one < next) {
        return Err(Problem::invalid("warn_at_percent", "expected shares in ascending order, each once"));
    }
    Ok(())
}
