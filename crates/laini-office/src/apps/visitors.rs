use jiff::Timestamp;
use laini_core::access::{ConsumerKey, ConsumerSecret};
use laini_core::partner::{App, AppId, AppSecret, AppStatus, Environment, Partner, PartnerId, ProductSet};
use laini_core::store::{AccountsChange, AppChange};

use super::{blank, issue};
use crate::{Actor, Office, Problem, Work};

/// The partner that everybody belongs to who tries the sandbox without an account, and the server's own probes.
pub const VISITORS: &str = "Visitors of the portal";
/// The app of those who try a number.
const TRYING: &str = "Try a number";
/// The app of the server's own probes.
const PROBES: &str = "Probes of the server";

/// The sandbox app in whose name visitors try numbers; made where there is none. Nobody is told its secret.
pub fn visitors_app(office: &Office, at: Timestamp) -> Result<AppId, Problem> {
    let partner = office.run(&Actor::System, at, visitors)?;
    office.run(&Actor::System, at, |work| {
        let book = work.book()?;
        let is_it = |app: &&App| app.partner == partner && app.status == AppStatus::Active && app.name != PROBES;
        match book.apps.iter().find(is_it) {
            Some(app) => Ok(app.id),
            None => Ok(issue(work, partner, TRYING, Environment::Sandbox, ProductSet::all())?.0.id),
        }
    })
}

/// The sandbox app by which the server probes itself, made where there is none, with its credentials. Its secret is derived
/// from the installation's keys, so that every node knows it and nothing keeps it.
pub fn probes_app(office: &Office, at: Timestamp) -> Result<(ConsumerKey, ConsumerSecret), Problem> {
    let partner = office.run(&Actor::System, at, visitors)?;
    let secret = probes_secret(office);
    let consumer_key = office.run(&Actor::System, at, |work| {
        let book = work.book()?;
        let is_it = |app: &&App| app.partner == partner && app.status != AppStatus::Revoked && app.name == PROBES;
        let Some(app) = book.apps.iter().find(is_it) else {
            let (id, word) = (work.office.entropy.next_u64(), || work.office.entropy.next_u64());
            let consumer_key = ConsumerKey::mint(Environment::Sandbox, [word(), word(), word()]);
            let secrets = vec![AppSecret::first(&secret, work.at)];
            let blank = blank(partner, PROBES.to_owned(), Environment::Sandbox, ProductSet::all());
            let app = App { id: AppId::from_random(id), consumer_key: consumer_key.clone(), secrets, ..blank };
            work.note("app.add", Some(partner), app.id, "for the server's own probes");
            work.accounts(AccountsChange::AddApp(Box::new(app)));
            return Ok(consumer_key);
        };
        // The installation was moved under other keys.
        if !app.secrets.iter().any(|known| known.hash == secret.hash()) {
            let oldest = app.secrets.first().filter(|_| app.secrets.len() >= AppSecret::LIVE_MAX);
            let retired = oldest.map(|oldest| AppChange::SecretRetired(oldest.number));
            let added = AppChange::SecretAdded(AppSecret::first(&secret, work.at));
            for change in retired.into_iter().chain([added]) {
                work.accounts(AccountsChange::App(app.id, change));
            }
        }
        Ok(app.consumer_key.clone())
    })?;
    Ok((consumer_key, secret))
}

fn probes_secret(office: &Office) -> ConsumerSecret {
    let hash = office.keys.office_seal().hash(b"the secret of the server's own probes");
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(hash.chunks_exact(8)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    ConsumerSecret::mint(words)
}

/// Their partner; made where there is none.
fn visitors(work: &mut Work<'_>) -> Result<PartnerId, Problem> {
    if let Some(partner) = work.book()?.partners.iter().find(|partner| partner.name == VISITORS) {
        return Ok(partner.id);
    }
    let id = PartnerId::from_random(work.office.entropy.next_u64());
    work.accounts(AccountsChange::AddPartner(Partner::new(id, VISITORS.to_owned())));
    work.note("partner.add", Some(id), id, "for visitors of the portal");
    Ok(id)
}
