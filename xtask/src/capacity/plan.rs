use super::demand::{Demand, Settings};
use super::measured::{
    BYTES_PER_LINE, COMMIT_US_PER_ROW, CONNECTIONS_PER_NODE, DATABASE_US_PER_CHECK, LEDGER_BYTES_PER_CHECK,
    LINES_LOADED_PER_S, NODE_US_PER_CHECK, SIDE_BYTES_PER_CHECK, WAL_BYTES_PER_CHECK,
};

const TIB: f64 = 1_099_511_627_776.0;
const MIB: f64 = 1_048_576.0;
const DAY_S: f64 = 86_400.0;
/// The serving generation and the one that is loaded beside it.
const GENERATIONS: f64 = 2.0;

/// The machines that carry a demand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) demand: Demand,
    /// One of them can be lost.
    pub(super) nodes: f64,
    /// What one node carries at the most, and whether its chain or its cores set that.
    pub(super) node_ceiling_per_s: f64,
    pub(super) is_chain_the_limit: bool,
    pub(super) connections: f64,
    /// Database servers that take writes, each with its standbys.
    pub(super) shards: f64,
    /// How many servers each reason alone asks for; the largest decides.
    pub(super) reasons: [(&'static str, f64); 3],
    pub(super) registry_tib: f64,
    /// After the months that were asked for.
    pub(super) ledger_tib: f64,
    pub(super) ledger_tib_per_year: f64,
    pub(super) wal_mib_per_s: f64,
    pub(super) load_minutes: f64,
    pub(super) price_per_month: f64,
    pub(super) price_per_million_checks: f64,
}

impl Plan {
    pub(super) fn of(demand: Demand, settings: &Settings) -> Self {
        let (busy, peak) = (settings.busy_share(), demand.checks_per_s);
        let (cores, chain) = (settings.node_cores() * 1e6 / NODE_US_PER_CHECK, 1e6 / COMMIT_US_PER_ROW);
        let is_chain_the_limit = chain < cores;
        let node_ceiling_per_s = cores.min(chain);
        let nodes = (peak / (node_ceiling_per_s * busy)).ceil() + 1.0;

        let per_day = peak * settings.mean_share() * DAY_S;
        let days = settings.days();
        let side_days = days.min(settings.subject_days());
        let registry_tib = demand.lines * BYTES_PER_LINE * GENERATIONS / TIB;
        let kept = LEDGER_BYTES_PER_CHECK;
        let ledger_tib = per_day * (days * kept + side_days * SIDE_BYTES_PER_CHECK) / TIB;
        let wal_mib_per_s = peak * WAL_BYTES_PER_CHECK / MIB;

        let reasons = [
            ("CPU", peak * DATABASE_US_PER_CHECK / 1e6 / (settings.shard_cores() * busy)),
            ("write-ahead log", wal_mib_per_s / (settings.shard_wal_mib_per_s() * busy)),
            // A fifth of a disk stays free: for vacuum, indices in the making and what a lost standby holds back.
            ("disk", (registry_tib + ledger_tib) / (settings.shard_tib() * 0.8)),
        ];
        let shards = reasons.iter().fold(1.0, |most: f64, (_, servers)| most.max(servers.ceil()));

        let servers = shards * (1.0 + settings.replicas());
        let disks = (registry_tib + ledger_tib) / 0.8 * (1.0 + settings.replicas());
        let cores = nodes * settings.node_cores() + servers * settings.shard_cores();
        let price_per_month = cores * settings.core_price() + disks * settings.tib_price();
        Self {
            demand,
            nodes,
            node_ceiling_per_s,
            is_chain_the_limit,
            connections: nodes * CONNECTIONS_PER_NODE,
            shards,
            reasons,
            registry_tib,
            ledger_tib,
            ledger_tib_per_year: per_day * 365.25 * kept / TIB,
            wal_mib_per_s,
            load_minutes: demand.lines / LINES_LOADED_PER_S / 60.0,
            price_per_month,
            price_per_million_checks: price_per_month / (per_day * 365.25 / 12.0) * 1e6,
        }
    }

    /// What asks for the most servers, so what gives way first as demand grows.
    pub(super) fn breaks_first(&self) -> &'static str {
        let by_need = self.reasons.iter().max_by(|one, other| one.1.total_cmp(&other.1));
        by_need.map_or("nothing", |(reason, _)| reason)
    }
}

#[cfg(test)]
mod tests {
    use super::super::demand::EXAMPLES;
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() <= other.abs() * 1e-9
    }

    #[test]
    fn a_box_needs_one_node_one_that_may_be_lost_and_one_server() {
        let plan = Plan::of(EXAMPLES[0], &Settings::default());
        assert!(close(plan.nodes, 2.0) && close(plan.shards, 1.0), "{plan:?}");
    }

    #[test]
    fn any_node_can_be_lost_at_the_busiest_moment() {
        for demand in EXAMPLES {
            let settings = Settings::default();
            let plan = Plan::of(demand, &settings);
            let carried = (plan.nodes - 1.0) * plan.node_ceiling_per_s * settings.busy_share();
            assert!(carried >= demand.checks_per_s, "{plan:?}");
        }
    }

    #[test]
    fn servers_suffice_for_each_reason() {
        for demand in EXAMPLES {
            let plan = Plan::of(demand, &Settings::default());
            assert!(plan.reasons.iter().all(|(_, servers)| *servers <= plan.shards), "{plan:?}");
        }
    }

    #[test]
    fn disks_are_what_a_continent_runs_out_of_first() {
        assert_eq!(Plan::of(EXAMPLES[2], &Settings::default()).breaks_first(), "disk");
    }

    #[test]
    fn more_checks_never_need_fewer_machines() {
        let settings = Settings::default();
        let plans = (0..40).map(|step| {
            let demand = Demand { lines: 1e6, checks_per_s: 100.0 * 1.3_f64.powi(step) };
            Plan::of(demand, &settings)
        });
        let plans: Vec<Plan> = plans.collect();
        for pair in plans.windows(2) {
            assert!(pair[0].nodes <= pair[1].nodes && pair[0].shards <= pair[1].shards);
            assert!(pair[0].price_per_month <= pair[1].price_per_month);
        }
    }
}
