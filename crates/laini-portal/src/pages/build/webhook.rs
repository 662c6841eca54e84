//! One result address: whether it is proven, its signing secret, and the deliveries to it.

use std::sync::Arc;

use askama::Template;
use axum::http::Method;
use jiff::Timestamp;
use laini_core::partner::{AppId, ResultAddress, ResultAddressId};
use laini_core::store::DeliveryQuery;
use laini_office::apps::FIRST_GENERATION;
use laini_office::{Problem, Work, apps, deliveries};
use laini_wire::office::apps::SigningSecretAnswer;

use super::webhooks::{
    AddressRow, DELIVERIES, DELIVERIES_PER_PAGE, DeliveryRow, Sent, address_href, address_row, after, delivery_row,
    only_dead, sent,
};
use super::{BUILDS, LOOKS, may_build};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::Page;
use crate::portal::Portal;
use crate::sorting::Sorting;
use crate::visit::{Visit, page};
use crate::words::WebhooksWords;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/webhooks/{app}/{address}", LOOKS, show),
        Page::post("/webhooks/{app}/{address}/prove", BUILDS, prove, show),
        Page::post("/webhooks/{app}/{address}/roll", BUILDS, roll, show),
        Page::post("/webhooks/{app}/{address}/remove", BUILDS, remove, show),
    ]
}

#[derive(Template)]
#[template(path = "build/webhook.html")]
struct WebhookPage {
    frame: Frame,
    words: &'static WebhooksWords,
    can_build: bool,
    address: AddressRow,
    app_id: AppId,
    id: ResultAddressId,
    /// How many secrets it has had, and what is known of the age of the present one.
    generation: u32,
    age: String,
    /// A new signing secret, shown this once.
    secret: Option<String>,
    here: String,
    csv: String,
    and_sorted: &'static str,
    only_dead: bool,
    by_delivery: Sorting<Sent>,
    deliveries: Vec<DeliveryRow>,
    next: Option<String>,
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    shown(&portal, &visit, None).await
}

async fn shown(portal: &Arc<Portal>, visit: &Arc<Visit>, secret: Option<String>) -> Result<Answer, Problem> {
    let all_words = visit.language.words();
    let words = &all_words.webhooks;
    let (app, id) = ids(visit)?;
    let here = address_href(app, id);
    let (only_dead, after) = (only_dead(visit), after(visit)?);
    let mut by_delivery = Sorting::asked(&DELIVERIES, visit, here.as_str());
    let (oldest_first, limit) = (by_delivery.is_turned(), DELIVERIES_PER_PAGE);
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        let address = apps::the_address(work, partner, app, id)?;
        let query = DeliveryQuery { app: Some(app), address: Some(id), only_dead, after, oldest_first, limit };
        Ok((apps::the_app(work, partner, app)?, address, deliveries::list(work, partner, &query)?))
    });
    let (of, address, found) = found.await?;
    let of_app = std::slice::from_ref(&of);
    let mut listed: Vec<Sent> = found.deliveries.into_iter().map(|delivery| sent(delivery, of_app)).collect();
    by_delivery.sort(&mut listed, found.next.is_some());
    page(&WebhookPage {
        frame: visit.frame(portal, address.url.clone()).about(of.app.environment),
        words,
        can_build: may_build(visit),
        app_id: app,
        id,
        generation: address.secret_generation,
        age: age(&address, words, visit.context.at),
        address: address_row(&address, &of.app, portal, visit.context.at),
        secret,
        csv: format!("?address={id}{}{}", if only_dead { "&state=dead" } else { "" }, by_delivery.and()),
        here,
        and_sorted: "",
        only_dead,
        by_delivery,
        deliveries: listed.into_iter().map(|sent| delivery_row(sent, portal, all_words)).collect(),
        next: found.next.map(|next| next.0.request_ref()),
    })
}

/// How old its signing secret is, as far as that is known: when it was rolled is not kept, but until when the secret
/// before signs as well.
fn age(address: &ResultAddress, words: &WebhooksWords, now: Timestamp) -> String {
    let Some(until) = address.previous_until.filter(|_| address.secret_generation > FIRST_GENERATION) else {
        return words.secret_first.to_owned();
    };
    if until > now {
        return words.secret_rolled_lately.to_owned();
    }
    let days = now.duration_since(until).as_hours() / 24;
    words.secret_at_least.replace("{}", &days.to_string())
}

/// Where the office's API has the addresses of an app, once it is known that the app is the visitor's own.
pub(super) async fn addresses_path(portal: &Arc<Portal>, visit: &Arc<Visit>, app: AppId) -> Result<String, Problem> {
    let found = portal.work(visit, move |work, visit| {
        let partner = visit.partner()?;
        Ok((partner, apps::the_app(work, partner, app)?))
    });
    let (partner, _) = found.await?;
    Ok(format!("/office/v1/partners/{partner}/apps/{app}/result-addresses"))
}

/// An address with its new signing secret, as the office's API tells it.
pub(super) fn new_secret(body: &[u8]) -> Result<SigningSecretAnswer, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::Store(format!("an address cannot be read: {error}")))
}

async fn prove(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (app, address) = ids(&visit)?;
    let path = addresses_path(&portal, &visit, app).await?;
    portal.ask_office(&visit, (Method::POST, &format!("{path}/{address}/prove")), None).await?;
    Ok(Answer::see_other(address_href(app, address)))
}

async fn roll(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (app, address) = ids(&visit)?;
    let path = addresses_path(&portal, &visit, app).await?;
    let asked = portal.ask_office(&visit, (Method::POST, &format!("{path}/{address}/roll-secret")), None).await?;
    shown(&portal, &visit, Some(new_secret(&asked.body)?.signing_secret)).await
}

async fn remove(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (app, address) = ids(&visit)?;
    let remove =
        move |work: &mut Work<'_>, visit: &Visit| apps::remove_result_address(work, visit.partner()?, app, address);
    portal.work(&visit, remove).await?;
    Ok(Answer::see_other("/webhooks"))
}

fn ids(visit: &Visit) -> Result<(AppId, ResultAddressId), Problem> {
    Ok((visit.id("app", AppId::parse)?, visit.id("address", ResultAddressId::parse)?))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::words::ENGLISH;

    #[test]
    fn the_age_of_a_secret_is_told_as_far_as_it_is_known() {
        let (words, now) = (&ENGLISH.webhooks, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000));
        let address = |secret_generation, previous_until| ResultAddress {
            id: ResultAddressId::from_stored(7),
            app: AppId::from_stored(1),
            url: "https://bank.example/".to_owned(),
            proven: Some(now),
            secret_generation,
            previous_until,
        };
        let days_ago = |days: i64| Some(now - SignedDuration::from_hours(24 * days));
        assert_eq!(age(&address(FIRST_GENERATION, None), words, now), words.secret_first);
        assert_eq!(age(&address(2, days_ago(-1)), words, now), words.secret_rolled_lately);
        let at_least = age(&address(3, days_ago(40)), words, now);
        assert_eq!(at_least, "in force for at least 40 days");
    }
}
