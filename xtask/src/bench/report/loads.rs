use std::fmt::Write as _;

use anyhow::Result;

use super::Overload;
use crate::bench::overload::{CONNECTIONS_AT_MOST, Tally};

/// The overload run: how it was made, what each load brought, the plot.
pub(super) fn section(page: &mut String, overload: &Overload) -> Result<()> {
    let Overload { connections, cores, peak, .. } = overload;
    let (capacity, p99) = (overload.capacity(), peak.accepted_ms(0.99));
    writeln!(
        page,
        "
## Offered more than it can carry

Can carry: {capacity:.0} checks/s with a p99 of {p99:.2} ms, on {connections} connections that each ask again at once. Then an open
loop: checks fall due at random moments whether or not earlier ones were answered, and latency counts from
that moment. N × the load comes on N × the connections, but no more than {CONNECTIONS_AT_MOST}; a check that falls due while all
of them wait stays unsent. A connection is asked again at once, refused or not; only in the last load do callers
leave it alone for as long as a refusal's `Retry-After` says.

Pinned: {cores}. The generator is one thread of the bench itself: what it could not
make in time is skipped, and \"sent late\" is its own share of the latencies of what it made.

![goodput and latency over time](overload.svg)

| offered | /s | 200 /s | p50 ms | p99 ms | 503 /s | p99 ms | 429 | others | broken | unsent /s | skipped /s | sent late, p99 ms |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for load in overload.loads() {
        row(page, &load.name(), &load.tally)?;
    }
    Ok(())
}

fn row(page: &mut String, label: &str, tally: &Tally) -> Result<()> {
    let whole = tally.whole();
    let offered = tally.per_s(whole.offered);
    let (accepted, p50, p99) = (tally.accepted_per_s(), tally.accepted_ms(0.5), tally.accepted_ms(0.99));
    let shed = tally.per_s(whole.shed());
    let shed_p99 = if whole.shed() > 0 { format!("{:.2}", tally.shed_ms(0.99)) } else { String::new() };
    let (unsent, skipped, late) = (tally.per_s(whole.unsent), tally.per_s(whole.skipped), tally.late_ms(0.99));
    write!(page, "| {label} | {offered:.0} | {accepted:.0} | {p50:.2} | {p99:.2} | {shed:.0} | {shed_p99} | ")?;
    let (limited, unexpected, broken) = (whole.limited, whole.unexpected, whole.broken);
    writeln!(page, "{limited} | {unexpected} | {broken} | {unsent:.0} | {skipped:.0} | {late:.2} |")?;
    Ok(())
}
