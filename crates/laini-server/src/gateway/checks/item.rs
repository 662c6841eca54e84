use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::billing::{Charge, CheckId, Money, PriceStamp};
use laini_core::disclosure::{Decision, FactSet, Facts, RegistrationFact, SwapFact, Told};
use laini_core::line::Msisdn;
use laini_core::partner::AppView;
use laini_wire::checks::{ChargeItem, CheckItem, ChecksQuote, QuoteItem, RegistrationItem, SimItem, SwapItem};

use super::order::Order;
use crate::gateway::header::instant;

/// How what was told is put into words for one app.
#[derive(Clone)]
pub(in crate::gateway) struct Words {
    zone: TimeZone,
    exact_times: bool,
}

impl Words {
    pub(in crate::gateway) fn new(app: &AppView, at: Timestamp, zone: &TimeZone) -> Self {
        let exact_times = app.agreement(at).is_ok_and(|agreement| agreement.exact_times);
        Self { zone: zone.clone(), exact_times }
    }

    /// Everything that was told about one number.
    pub(in crate::gateway) fn item(
        &self,
        id: CheckId,
        msisdn: Msisdn,
        told: &Told,
        as_of: Option<Timestamp>,
        charge: ChargeItem,
    ) -> CheckItem {
        let asked = |fact| told.facts.contains(fact).then_some(());
        CheckItem {
            id: id.request_ref(),
            number: msisdn.digits(),
            line: line(&told.decision).to_owned(),
            swap: asked(FactSet::SWAP).map(|()| self.swap(told)),
            registration: asked(FactSet::REGISTRATION).map(|()| self.registration(told)),
            sim: asked(FactSet::SIM).map(|()| sim(told)),
            as_of: as_of.map(instant),
            charge,
        }
    }

    fn swap(&self, told: &Told) -> SwapItem {
        let window = told.windows.swap.to_string();
        let of = |status: &str, reason: Option<&str>, at: Option<Timestamp>| SwapItem {
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            on: at.map(|at| self.day(at)),
            at: at.filter(|_| self.exact_times).map(instant),
            window: window.clone(),
        };
        match known(&told.decision).map(|facts| facts.swap) {
            Ok(SwapFact::Swapped(swap)) => of("swapped", Some(swap.cause.word()), Some(swap.at)),
            Ok(SwapFact::NotSwapped) => of("not_swapped", None, None),
            Ok(SwapFact::Unknown(reason)) => of("unknown", Some(reason.word()), None),
            Err(reason) => of("unknown", Some(reason), None),
        }
    }

    fn registration(&self, told: &Told) -> RegistrationItem {
        let window = told.windows.registration.to_string();
        let of = |status: &str, reason: Option<&str>, at: Option<Timestamp>| RegistrationItem {
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            on: at.map(|at| self.day(at)),
            at: at.filter(|_| self.exact_times).map(instant),
            window: window.clone(),
        };
        match known(&told.decision).map(|facts| facts.registration) {
            Ok(RegistrationFact::Within(at)) => of("within_window", None, Some(at)),
            Ok(RegistrationFact::Older) => of("older", None, None),
            Ok(RegistrationFact::Unknown(reason)) => of("unknown", Some(reason.word()), None),
            Err(reason) => of("unknown", Some(reason), None),
        }
    }

    fn day(&self, at: Timestamp) -> String {
        self.zone.to_datetime(at).date().to_string()
    }
}

/// The facts, or the word for why there are none.
fn known(decision: &Decision) -> Result<Facts, &'static str> {
    match decision {
        Decision::Facts(facts) => Ok(*facts),
        Decision::NotServed => Err("not_served"),
        Decision::Withheld => Err("withheld"),
        Decision::Unknown(reason) => Err(reason.word()),
    }
}

fn line(decision: &Decision) -> &'static str {
    match decision {
        Decision::Facts(facts) => facts.status.word(),
        Decision::NotServed => "not_served",
        Decision::Withheld | Decision::Unknown(_) => "unknown",
    }
}

/// Without a SIM to tell, what was expected can neither be the same nor another one.
fn sim(told: &Told) -> SimItem {
    let compared = told.sim.as_ref().and_then(|sim| sim.compared).map(|compared| compared.word().to_owned());
    SimItem { pseudonym: told.sim.as_ref().map(|sim| sim.pseudonym.clone()), compared }
}

/// An item that was told before, with nothing of what it told.
pub(in crate::gateway) fn withhold(item: &mut CheckItem) {
    let (status, reason) = ("unknown".to_owned(), Some("withheld".to_owned()));
    item.line.clone_from(&status);
    if let Some(swap) = &mut item.swap {
        let (status, reason, window) = (status.clone(), reason.clone(), std::mem::take(&mut swap.window));
        *swap = SwapItem { status, reason, on: None, at: None, window };
    }
    if let Some(registration) = &mut item.registration {
        let window = std::mem::take(&mut registration.window);
        *registration = RegistrationItem { status, reason, on: None, at: None, window };
    }
    if let Some(sim) = &mut item.sim {
        *sim = SimItem { pseudonym: None, compared: None };
    }
}

/// What a recorded check costs, in words.
pub(in crate::gateway) fn charged(recorded: Charge, price: PriceStamp) -> ChargeItem {
    match recorded {
        Charge::Charged(money) => ChargeItem { estimate: !price.exact, ..charge(money, None) },
        Charge::Free(reason) => charge(Money::new(0, price.list.currency), Some(reason.word())),
    }
}

/// An amount in words.
pub(super) fn charge(money: Money, reason: Option<&str>) -> ChargeItem {
    let text = money.to_string();
    // Money shows itself as `KES 20.00`.
    let amount = text.split(' ').next_back().unwrap_or(&text).to_owned();
    let currency = money.currency.as_str().to_owned();
    ChargeItem { amount, currency, reason: reason.map(str::to_owned), estimate: false }
}

/// What an order would cost.
pub(super) fn quote(order: &Order) -> ChecksQuote {
    let each = charged(Charge::Charged(order.price.list), order.price);
    let count = i64::try_from(order.numbers.len()).unwrap_or(i64::MAX);
    let total = Money::new(order.price.list.minor.saturating_mul(count), order.price.list.currency);
    let item = |number: &Msisdn| QuoteItem {
        number: number.digits(),
        product: order.product.word().to_owned(),
        charge: each.clone(),
    };
    ChecksQuote {
        dry_run: true,
        checks: order.numbers.iter().map(item).collect(),
        total: charged(Charge::Charged(total), order.price),
    }
}
