//! The weeks before the demo: real checks by the real server, under a clock that is moved through them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use laini_client::Laini;
use laini_core::billing::Month;
use laini_core::partner::{Environment, Partner, PartnerId, Product};
use laini_core::support::{Affected, Component, IncidentState, Severity};
use laini_office::agreements::add_with_standard;
use laini_office::billing::close_due;
use laini_office::incidents::{self, NewIncident};
use laini_office::onboarding;
use laini_office::organisation::{self, Contact, Details};
use laini_office::{Office, Problem};
use laini_server::{Clock, Listener};
use tokio::runtime::Runtime;

use super::serve_while;
use crate::command::context::{console, now, random};
use crate::command::registry::sample::Population;
use crate::command::sandbox::credentials;
use crate::compose::House;
use crate::config::Config;
use crate::failure::WithHint as _;
use crate::out::Out;
use crate::serving::{Credentials, Offer, stand};

/// A bank asks most in the morning: the hours of the operator's day, and what share of the checks each has.
const HOURS: [(i8, usize); 4] = [(9, 4), (11, 3), (14, 2), (16, 1)];
/// Checks on a working day, for each share of an hour.
const CHECKS_PER_SHARE: usize = 2;
/// On other days.
const CHECKS_PER_SHARE_AT_REST: usize = 1;
/// Checks that are asked at the same time.
const AT_ONCE: usize = 16;
/// The errors of one hour came so long ago, or a little later.
const INCIDENT_AGO: SignedDuration = SignedDuration::from_hours(6 * 24);
/// The sandbox number that is answered 500.
const FAILING_PERSONA: &str = "254722000050";
/// So many checks of that hour failed.
const FAILED_CHECKS: usize = 7;
/// Who waits for the operator.
const PENDING_PARTNER: &str = "Pwani Sacco";

/// A clock that stands still until it is moved.
struct MovedClock(AtomicI64);

impl MovedClock {
    fn move_to(&self, at: Timestamp) {
        self.0.store(at.as_microsecond(), Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }
}

/// A fresh partner that has been here since the first of last month: its traffic until now, last month's invoice, and
/// another organisation on its way. Returns the partner.
pub(super) fn live_through(
    runtime: &Runtime,
    house: &House,
    config: &Config,
    population: &Population,
    name: &str,
) -> anyhow::Result<PartnerId> {
    let zone = config.zone()?;
    let begins = Month::of(now(), &zone).previous().begins(&zone);
    let office = house.office(config, &house.ledger_beside()?)?;
    let partner = office.run(&console(), begins, |work| {
        let partner = Partner::new(PartnerId::from_random(random()), name.to_owned());
        Ok(add_with_standard(work, partner)?.partner)
    })?;
    office.run(&console(), begins, |work| organisation::set_details(work, partner, details(name, "P051234567A")))?;
    Out::note("making the checks of the weeks before, by this server under a moved clock");
    let broke = runtime.block_on(ask(house, config, population, partner, begins))?;
    tell_of_incident(&office, broke)?;
    close_due(&office, now())?;
    let yesterday = now() - SignedDuration::from_hours(20);
    let waiting = PartnerId::from_random(random());
    office.run(&console(), yesterday, |work| onboarding::begin(work, waiting, PENDING_PARTNER))?;
    office.run(&console(), yesterday, |work| {
        organisation::set_details(work, waiting, details(PENDING_PARTNER, "P059876543B"))?;
        onboarding::comment(work, waiting, "The certificate of the data-protection register follows this week.")?;
        Ok(())
    })?;
    Ok(partner)
}

/// What the operator said of the errors that the bank met.
fn tell_of_incident(office: &Office, broke: Timestamp) -> Result<(), Problem> {
    let after = |minutes| broke + SignedDuration::from_mins(minutes);
    let new = NewIncident {
        title: "Some sandbox checks ended in an error".to_owned(),
        severity: Severity::Major,
        components: vec![Component::Checks],
        affected: Affected::Everyone,
        is_public: true,
        started: Some(broke),
        state: IncidentState::Investigating,
        text: "Some checks in the sandbox are answered 500. Nothing of that is charged; production is not touched."
            .to_owned(),
    };
    let id = office.run(&console(), after(5), |work| incidents::open(work, &new))?.id;
    let (known, over) = ("The cause is known: a fault that was set for a test was left on.", "The fault is off again.");
    office.run(&console(), after(15), |work| incidents::update(work, id, IncidentState::Identified, known))?;
    office.run(&console(), after(40), |work| incidents::resolve(work, id, over))?;
    Ok(())
}

/// What a made-up organisation is registered as.
fn details(name: &str, kra_pin: &str) -> Details {
    let contact = |of: &str| {
        Some(Contact {
            name: format!("{of} of {name}"),
            email: format!("{of}@bank.example").to_lowercase(),
            phone: None,
        })
    };
    Details {
        legal_name: Some(format!("{name} Limited")),
        registration_number: Some("PVT-2019-0042".to_owned()),
        kra_pin: kra_pin.parse().ok(),
        postal_address: Some("P.O. Box 1 – 00100 Nairobi".to_owned()),
        billing_contact: contact("Accounts"),
        technical_contact: contact("Developers"),
        ..Details::default()
    }
}

/// Serves under a moved clock and asks, hour by hour, until now. Returns when the bank met errors.
async fn ask(
    house: &House,
    config: &Config,
    population: &Population,
    partner: PartnerId,
    begins: Timestamp,
) -> anyhow::Result<Timestamp> {
    let clock = Arc::new(MovedClock(AtomicI64::new(begins.as_microsecond())));
    let accounts = house.accounts()?;
    let apps = [
        credentials(&*accounts, partner, Environment::Production, "Cheque desk").await?,
        credentials(&*accounts, partner, Environment::Production, "Mobile onboarding").await?,
    ];
    let tests = credentials(&*accounts, partner, Environment::Sandbox, "Integration tests").await?;
    let hours = hours(begins, now(), &config.zone()?);
    let incident = hours.iter().map(|(at, _)| *at).find(|at| *at > now() - INCIDENT_AGO);
    let offer = Offer {
        registry: house.registry(config)?,
        accounts,
        listeners: vec![Listener::new(([127, 0, 0, 1], 0).into())],
        operator: None,
        is_reloadable: false,
        clock: Arc::clone(&clock) as _,
    };
    let mut quiet = config.clone();
    quiet.portal.pages = false;
    quiet.status.probe_every_s = 0;
    let standing = stand(house, &quiet, offer).await?;
    let base_url = standing.base_url.clone();
    let (ended, end) = tokio::sync::oneshot::channel();
    let asking = async {
        let mut row = 0;
        for (at, checks) in hours {
            clock.move_to(at);
            for (app, share, product) in [(&apps[0], 2, Product::Imsi), (&apps[1], 1, Product::Swap)] {
                let numbers = (row..).take(share * checks).map(|row| population.number(row).0.to_string());
                ask_all(&base_url, app, product, numbers.collect()).await?;
                row += u64::try_from(share * checks)?;
            }
            if incident == Some(at) {
                let failing = vec![FAILING_PERSONA.to_owned(); FAILED_CHECKS];
                // That they fail is what they are asked for.
                let _ = ask_all(&base_url, &tests, Product::Imsi, failing).await;
            }
        }
        // Nobody listens where the server has failed; that is told instead.
        let _ = ended.send(());
        anyhow::Ok(())
    };
    serve_while(standing, asking, end).await?;
    Ok(incident.unwrap_or(begins))
}

/// When checks are made from `begins` to `until`, and how many each time.
fn hours(begins: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<(Timestamp, usize)> {
    let days = begins.to_zoned(zone.clone()).date().series(1.day());
    let of_day = |day: Date| {
        let is_rest = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let per_share = if is_rest { CHECKS_PER_SHARE_AT_REST } else { CHECKS_PER_SHARE };
        HOURS.map(|(hour, shares)| (zone.to_timestamp(day.at(hour, 0, 0, 0)).unwrap_or(until), shares * per_share))
    };
    let last = until.to_zoned(zone.clone()).date();
    days.take_while(|day| *day <= last).flat_map(of_day).filter(|(at, _)| *at < until).collect()
}

/// Asks about each number once. What the server answers stands in its ledger; here it is enough that it did.
async fn ask_all(base_url: &str, app: &Credentials, product: Product, numbers: Vec<String>) -> anyhow::Result<()> {
    let laini = Laini::builder().base_url(base_url).credentials(&app.consumer_key, &app.consumer_secret).build()?;
    let laini = &laini;
    let asked = stream::iter(numbers).map(|number| async move {
        match product {
            Product::Imsi => laini.imsi(&number).await.map(drop),
            Product::Swap => laini.swap(&number).await.map(drop),
            Product::Age => laini.age(&number).await.map(drop),
        }
    });
    let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    answers.into_iter().collect::<Result<(), _>>().hint("the demo's own server did not answer the checks of its past")
}
