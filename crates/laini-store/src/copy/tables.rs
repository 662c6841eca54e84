use super::table::{Column, Kind, Table};

const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, kind: Kind::Bytes }
}

const fn boolean(name: &'static str) -> Column {
    Column { name, kind: Kind::Boolean }
}

/// The table of the keys of days, which one engine keeps as files apart from the data.
pub const DAY_KEYS: &str = "day_key";

/// Every table that is copied, those first that others name. Absent: what is made anew (who may be
/// repeated for free, where chains end), and what holds for moments (leases, claims, who is there).
pub static TABLES: &[Table] = &[
    Table { name: "day_key", columns: &[integer("day"), bytes("sealed")], key: &["day"] },
    Table { name: "accounts_meta", columns: &[integer("version")], key: &["version"] },
    Table {
        name: "partner",
        columns: &[
            integer("id"),
            text("name"),
            text("status"),
            integer("rate_per_second"),
            integer("rate_burst"),
            integer("per_day"),
            integer("per_month"),
            integer("prepaid_from"),
            integer("prepaid_minor"),
        ],
        key: &["id"],
    },
    Table {
        name: "agreement",
        columns: &[
            integer("id"),
            integer("partner"),
            integer("valid_from"),
            integer("swap_months"),
            integer("registration_months"),
            boolean("pass_hashed_imsi"),
            text("purposes"),
            boolean("exact_times"),
            integer("valid_until"),
            boolean("is_dated"),
        ],
        key: &["id"],
    },
    Table {
        name: "agreement_price",
        columns: &[
            integer("agreement"),
            text("product"),
            integer("version"),
            text("currency"),
            integer("set_up_minor"),
            integer("free_units"),
            boolean("free_per_month"),
            integer("monthly_minimum_minor"),
        ],
        key: &["agreement", "product"],
    },
    Table {
        name: "price_band",
        columns: &[integer("agreement"), text("product"), integer("place"), integer("up_to"), integer("unit_minor")],
        key: &["agreement", "product", "place"],
    },
    Table {
        name: "app",
        columns: &[
            integer("id"),
            integer("partner"),
            text("name"),
            text("environment"),
            text("products"),
            text("status"),
            integer("token_epoch"),
            text("consumer_key"),
            boolean("sentinel_with_time"),
            boolean("single_token"),
            text("purpose"),
            integer("probing_rate_per_second"),
            integer("probing_rate_burst"),
            bytes("client_certificate"),
            text("allowed_addresses"),
        ],
        key: &["id"],
    },
    Table {
        name: "app_secret",
        columns: &[integer("app"), integer("place"), bytes("hash"), integer("created"), integer("used")],
        key: &["app", "place"],
    },
    Table {
        name: "app_limit",
        columns: &[
            integer("app"),
            text("product"),
            integer("rate_per_second"),
            integer("rate_burst"),
            integer("per_day"),
            integer("per_month"),
        ],
        key: &["app", "product"],
    },
    Table {
        name: "app_budget",
        columns: &[
            integer("app"),
            integer("month_minor"),
            text("currency"),
            text("warn_at_percent"),
            integer("overrun_percent"),
            boolean("hard_stop"),
        ],
        key: &["app"],
    },
    Table {
        name: "result_address",
        columns: &[
            integer("id"),
            integer("app"),
            text("url"),
            integer("proven"),
            integer("secret_generation"),
            integer("previous_until"),
        ],
        key: &["id"],
    },
    Table {
        name: "operator_key",
        columns: &[
            integer("id"),
            text("name"),
            text("scopes"),
            bytes("hash"),
            integer("created"),
            integer("expires"),
            boolean("is_revoked"),
        ],
        key: &["id"],
    },
    Table {
        name: "audit",
        columns: &[
            integer("number"),
            integer("at"),
            text("actor"),
            text("action"),
            text("target"),
            text("reason"),
            integer("partner"),
        ],
        key: &["number"],
    },
    Table {
        name: "record",
        columns: &[text("kind"), integer("id"), integer("version"), bytes("body")],
        key: &["kind", "id"],
    },
    Table {
        name: "record_key",
        columns: &[text("kind"), text("name"), text("value"), integer("place"), integer("id"), boolean("is_unique")],
        key: &["kind", "name", "value", "place", "id"],
    },
    Table {
        name: "restriction",
        columns: &[bytes("number_hash"), integer("until"), integer("change")],
        key: &["number_hash"],
    },
    Table { name: "document", columns: &[bytes("digest"), bytes("bytes")], key: &["digest"] },
    Table { name: "world_meta", columns: &[integer("version")], key: &["version"] },
    Table {
        name: "world",
        columns: &[
            integer("app"),
            integer("version"),
            integer("used"),
            integer("ahead_us"),
            integer("feed_stopped"),
            integer("events_ever"),
        ],
        key: &["app"],
    },
    Table {
        name: "world_line",
        columns: &[
            integer("app"),
            integer("msisdn"),
            boolean("source_rejected"),
            text("status"),
            integer("imsi"),
            integer("registered"),
            integer("holder_since"),
            integer("last_swap"),
            text("swap_cause"),
            text("contract"),
            boolean("restricted"),
            text("hashed_imsi"),
        ],
        key: &["app", "msisdn"],
    },
    Table {
        name: "world_event",
        columns: &[
            integer("app"),
            integer("number"),
            integer("msisdn"),
            integer("at"),
            text("what"),
            integer("new_msisdn"),
        ],
        key: &["app", "number"],
    },
    Table {
        name: "registry_state",
        columns: &[integer("cut"), integer("history_since"), integer("lines"), integer("refused_rows")],
        key: &["history_since"],
    },
    Table {
        name: "line",
        columns: &[
            integer("msisdn"),
            integer("registered"),
            integer("flags"),
            integer("swapped"),
            integer("holder"),
            integer("paired"),
            bytes("imsi"),
            text("hashed_imsi"),
        ],
        key: &["msisdn"],
    },
    Table {
        name: "line_base",
        columns: &[
            integer("msisdn"),
            integer("registered"),
            integer("flags"),
            integer("swapped"),
            integer("holder"),
            integer("paired"),
            bytes("imsi"),
            text("hashed_imsi"),
        ],
        key: &["msisdn"],
    },
    Table { name: "unapplied", columns: &[integer("event"), integer("refusal")], key: &["event"] },
    Table {
        name: "event",
        columns: &[
            integer("seq"),
            text("id"),
            text("source"),
            integer("at"),
            integer("recorded"),
            integer("received"),
            integer("kind"),
            integer("msisdn"),
            integer("new_msisdn"),
            bytes("imsi"),
            text("amends"),
        ],
        key: &["seq"],
    },
    Table { name: "feed", columns: &[text("source"), integer("complete_until")], key: &["source"] },
    Table {
        name: "refused",
        columns: &[
            integer("seq"),
            integer("msisdn"),
            integer("at"),
            text("place"),
            text("reason"),
            integer("received"),
            bytes("line"),
            integer("is_settled"),
        ],
        key: &["seq"],
    },
    Table {
        name: "ledger",
        columns: &[
            integer("position"),
            integer("tail"),
            integer("writer"),
            integer("seq"),
            integer("at"),
            integer("partner"),
            integer("app"),
            integer("agreement"),
            integer("product"),
            integer("environment"),
            integer("purpose"),
            integer("outcome"),
            integer("price_version"),
            integer("list_minor"),
            integer("charge_minor"),
            text("currency"),
            integer("as_of"),
            integer("policy_version"),
            bytes("side_digest"),
            bytes("mac"),
            bytes("reverses"),
        ],
        key: &["position", "tail"],
    },
    Table {
        name: "subject",
        columns: &[
            integer("partner"),
            integer("position"),
            integer("tail"),
            bytes("number_hash"),
            bytes("repeat_key"),
            integer("repeat_window_s"),
            bytes("sealed"),
        ],
        key: &["position", "tail"],
    },
    Table {
        name: "forgotten",
        columns: &[integer("partner"), integer("position"), integer("tail"), bytes("number_hash")],
        key: &["position", "tail"],
    },
    Table {
        name: "reversed",
        columns: &[integer("partner"), integer("position"), integer("tail"), integer("by_position")],
        key: &["position", "tail"],
    },
    Table {
        name: "usage",
        columns: &[
            integer("quarter"),
            integer("app"),
            integer("product"),
            integer("environment"),
            integer("outcome"),
            integer("checks"),
            integer("charged_minor"),
        ],
        key: &["quarter", "app", "product", "environment", "outcome"],
    },
    Table { name: "answer", columns: &[bytes("key"), bytes("request"), integer("at"), bytes("sealed")], key: &["key"] },
    Table {
        name: "accepted",
        columns: &[
            integer("position"),
            integer("tail"),
            integer("at"),
            integer("app"),
            integer("product"),
            integer("purpose"),
            bytes("repeat_key"),
            integer("repeat_window_s"),
            integer("address"),
            integer("leased_until"),
            bytes("sealed"),
        ],
        key: &["position", "tail"],
    },
    Table {
        name: "delivery",
        columns: &[
            integer("position"),
            integer("tail"),
            text("kind"),
            integer("app"),
            integer("address"),
            integer("at"),
            bytes("sealed"),
            integer("attempts"),
            integer("last_at"),
            integer("last_status"),
            text("last_problem"),
            integer("state"),
            integer("due"),
            integer("leased_until"),
        ],
        key: &["position", "tail"],
    },
];

/// The table of a name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}
