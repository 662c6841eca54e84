use std::fmt::Write as _;

use super::demand::Settings;
use super::measured::FAILOVER_S;
use super::plan::Plan;
use super::queue::Chain;

/// How long each load is played.
const PLAYED_S: f64 = 20.0;
const LOADS: [f64; 6] = [0.5, 0.6, 0.8, 0.9, 0.95, 1.2];

pub(super) fn assumptions(settings: &Settings) -> String {
    let mut text = String::from("| assumed | | |\n|---|---|---|\n");
    for (name, value, meaning) in settings.lines() {
        let _ = writeln!(text, "| `{name}` | {value} | {meaning} |");
    }
    text
}

/// A column for each plan.
pub(super) fn plans(plans: &[Plan]) -> String {
    let mut text = String::new();
    let mut row = |name: &str, cell: &dyn Fn(&Plan) -> String| {
        let cells: Vec<String> = plans.iter().map(cell).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
        if name == "lines" {
            let _ = writeln!(text, "|---|{}", "---|".repeat(plans.len()));
        }
    };
    row("lines", &|plan| count(plan.demand.lines));
    row("checks/s at the busiest moment", &|plan| count(plan.demand.checks_per_s));
    row("laini nodes, one may be lost", &|plan| count(plan.nodes));
    row("limit of a node", &|plan| {
        let limit = if plan.is_chain_the_limit { "its chain" } else { "its cores" };
        format!("{limit}: {}/s", count(plan.node_ceiling_per_s))
    });
    row("connections to the database", &|plan| count(plan.connections));
    row("database servers that write", &|plan| count(plan.shards));
    for place in 0..3 {
        let name = plans.first().map_or("", |plan| plan.reasons[place].0);
        row(&format!("… by {name} alone"), &|plan| format!("{:.2}", plan.reasons[place].1));
    }
    row("gives way first", &|plan| plan.breaks_first().to_owned());
    row("registry, two generations, TiB", &|plan| amount(plan.registry_tib));
    row("checks on disk, TiB", &|plan| amount(plan.ledger_tib));
    row("… more with each further year, TiB", &|plan| amount(plan.ledger_tib_per_year));
    row("write-ahead log, MiB/s", &|plan| amount(plan.wal_mib_per_s));
    row("a snapshot's load, minutes", &|plan| amount(plan.load_minutes));
    row("503 to callers of a failing server, s", &|_| format!("{FAILOVER_S}"));
    row("price of a month", &|plan| count(plan.price_per_month));
    row("price of a million checks", &|plan| amount(plan.price_per_million_checks));
    text
}

/// What a check waits for its record as load grows, and what the loss of a node does to the rest.
pub(super) fn loads(plan: &Plan, settings: &Settings) -> String {
    let chain = Chain::new(settings.standby_ms());
    let mut text = String::from(
        "| load of a chain | checks/s of a node | p50 ms | p99 ms | refused | rows a commit |\n|---|---|---|---|---|---|\n",
    );
    let mut row = |name: &str, checks_per_s: f64| {
        let fared = chain.play(checks_per_s, PLAYED_S, settings.seed());
        let refused = fared.refused_share * 100.0;
        let (per_s, rows) = (count(checks_per_s), count(fared.rows_per_commit));
        let _ = writeln!(
            text,
            "| {name} | {per_s} | {:.1} | {:.1} | {refused:.1} % | {rows} |",
            fared.p50_ms, fared.p99_ms
        );
    };
    for load in LOADS {
        row(&format!("{:.0} %", load * 100.0), plan.node_ceiling_per_s * load);
    }
    row("as planned", plan.demand.checks_per_s / plan.nodes);
    row("one node lost", plan.demand.checks_per_s / (plan.nodes - 1.0));
    if plan.nodes > 2.0 {
        row("two nodes lost", plan.demand.checks_per_s / (plan.nodes - 2.0));
    }
    text
}

/// A whole number, in groups of three.
fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    groups.join(",")
}

/// A number with as many decimals as it deserves.
fn amount(value: f64) -> String {
    match value {
        value if value >= 100.0 => count(value),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::demand::EXAMPLES;
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([count(7.0), count(999.6), count(1_234_567.0)], ["7", "1,000", "1,234,567"]);
        assert_eq!([amount(0.012), amount(2.25), amount(4_096.4)], ["0.0120", "2.2", "4,096"]);
    }

    #[test]
    fn every_plan_has_a_column_of_every_row() {
        let settings = Settings::default();
        let all: Vec<Plan> = EXAMPLES.iter().map(|demand| Plan::of(*demand, &settings)).collect();
        let text = plans(&all);
        assert!(text.lines().count() > 15);
        assert!(text.lines().all(|line| line.matches('|').count() == 5), "{text}");
    }
}
