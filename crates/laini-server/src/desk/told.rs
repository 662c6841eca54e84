use jiff::civil::Date;
use laini_core::billing::{Currency, Money};
use laini_core::desk::{HeldSeen, Seen, SimSeen, SwapSeen};
use laini_office::desk::Told;
use laini_wire::checks::CheckItem;

/// What an item tells, in the rules' own terms; a word that is not known is an unknown. `None` = its charge is none.
pub(super) fn told(item: CheckItem) -> Option<Told> {
    let currency = Currency::parse(&item.charge.currency).ok()?;
    let charge = Money::parse_amount(&item.charge.amount, currency).ok()?;
    let seen = seen(&item);
    Some(Told { check: item.id, seen, sim: item.sim.and_then(|sim| sim.pseudonym), as_of: item.as_of, charge })
}

fn seen(item: &CheckItem) -> Seen {
    let day = |on: &Option<String>| on.as_deref().and_then(|on| on.parse::<Date>().ok());
    let swap = item.swap.as_ref().map(|swap| match (swap.status.as_str(), day(&swap.on)) {
        ("swapped", Some(on)) => SwapSeen::On(on),
        ("not_swapped", _) => SwapSeen::None,
        _ => SwapSeen::Unknown,
    });
    let held = item.registration.as_ref().map(|held| match (held.status.as_str(), day(&held.on)) {
        ("within_window", Some(on)) => HeldSeen::Since(on),
        ("older", _) => HeldSeen::Longer,
        _ => HeldSeen::Unknown,
    });
    let sim = item.sim.as_ref().and_then(|sim| sim.compared.as_deref()).map(|compared| match compared {
        "same" => SimSeen::Same,
        "changed" => SimSeen::Changed,
        _ => SimSeen::Unknown,
    });
    Seen {
        is_served: item.line != "not_served",
        swap: swap.unwrap_or(SwapSeen::Unknown),
        held: held.unwrap_or(HeldSeen::Unknown),
        sim: sim.unwrap_or(SimSeen::NotExpected),
    }
}
