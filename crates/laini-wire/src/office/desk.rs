//! The desk: batches, receipts, alarms.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `POST /office/v1/partners/{partner}/desk/batches`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDeskBatch {
    /// In the name of which app.
    pub app: String,
    /// 1 to 10,000 rows.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 10000))]
    pub rows: Vec<NewDeskRow>,
}

/// A row of a batch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDeskRow {
    /// The number, in any form.
    pub number: String,
    /// Its own reference; without one, the batch's holds.
    #[serde(default)]
    pub reference: String,
    /// The digits of its SIM as it was enrolled: whether it is still that one is asked, too.
    #[serde(default)]
    pub enrolled: String,
    /// An amount; it comes back in the rows and goes nowhere else.
    #[serde(default)]
    pub amount: String,
    /// A name; it comes back in the rows and goes nowhere else.
    #[serde(default)]
    pub name: String,
}

impl fmt::Debug for NewDeskBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewDeskBatch(…)")
    }
}

/// `POST /office/v1/partners/{partner}/desk/batches/{batch}/start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartDeskBatch {
    /// `fraud_prevention`, `onboarding` or `cheque_confirmation`.
    pub purpose: String,
    /// The reference of the case, 1 to 128 characters.
    pub reference: String,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskBatchAnswer {
    /// Its id.
    pub batch: String,
    /// Whose desk.
    pub partner: String,
    /// Who brought or started it.
    pub person: String,
    /// In the name of which app.
    pub app: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// What for; null before it is started.
    pub purpose: Option<String>,
    /// The reference of the case; null before it is started.
    pub reference: Option<String>,
    /// `draft`, `running`, `done` or `stopped`.
    pub state: String,
    /// Why it was stopped.
    pub stopped: Option<String>,
    /// Why it waits, where it does.
    pub waits: Option<String>,
    /// When it was brought (RFC 3339).
    pub brought: String,
    /// When it was started.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// Numbers that are asked about.
    pub rows: u32,
    /// Lines that repeated an earlier number, and are left out.
    pub duplicates: u32,
    /// Lines without a number, which are left out.
    pub invalid: u32,
    /// Rows that came to allow,
    pub allow: u32,
    /// step up,
    pub step_up: u32,
    /// hold,
    pub hold: u32,
    /// or no answer.
    pub failed: u32,
    /// What they were charged so far: `KES 20.00`.
    pub charged: String,
    /// Whether its rows are still kept.
    pub has_rows: bool,
    /// What it would cost; of a draft.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub quote: Option<DeskQuoteAnswer>,
}

/// What a batch would cost if every number is answered, before tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskQuoteAnswer {
    /// As what the checks are charged.
    pub product: String,
    /// What one costs at most.
    pub each: String,
    /// How many of them would be free units.
    pub free: u64,
    /// How many free units are left before it.
    pub free_left: u64,
    /// All together, by free units and bands as they stand.
    pub cost: String,
    /// Whether the numbers are made up, and nothing is invoiced.
    pub is_sandbox: bool,
}

/// A page of batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskBatchesAnswer {
    /// The batches, newest first.
    pub batches: Vec<DeskBatchAnswer>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// What came of a look-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskFindingAnswer {
    /// The check's id.
    pub check: String,
    /// When it was asked (RFC 3339).
    pub at: String,
    /// `allow`, `step_up` or `hold`.
    pub verdict: String,
    /// Why, the weightiest first.
    pub reasons: Vec<DeskReasonAnswer>,
    /// The SIM, as this partner sees it.
    pub sim: Option<String>,
    /// The instant up to which the registry was complete.
    pub as_of: Option<String>,
    /// What it cost: `KES 20.00`.
    pub charge: String,
}

/// A reason of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskReasonAnswer {
    /// `swapped`, `held`, `not_swapped`, `held_longer`, `swap_unknown`, `age_unknown`, `not_served`, `sim_changed`,
    /// `sim_unknown` or `sim_same`.
    pub reason: String,
    /// Of how many days it speaks.
    pub days: Option<u16>,
    /// What it would mean alone.
    pub verdict: String,
}

/// A row of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskRowAnswer {
    /// Its place in the batch, from 0.
    pub row: u32,
    /// Where it stood when it was brought, from 1.
    pub line: u32,
    /// The number's ends.
    pub number: String,
    /// Its own reference.
    pub reference: String,
    /// The digits of the SIM that was enrolled, as they were brought.
    pub enrolled: String,
    /// As it was brought.
    pub amount: String,
    /// As it was brought.
    pub name: String,
    /// `waiting`, `answered` or `failed`.
    pub state: String,
    /// Why it failed.
    pub failed: Option<String>,
    /// What came of it.
    pub finding: Option<DeskFindingAnswer>,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskRowsAnswer {
    /// The rows, in the order in which they were brought.
    pub rows: Vec<DeskRowAnswer>,
    /// The row with which the next page begins.
    pub next: Option<u32>,
}

/// `POST /office/v1/partners/{partner}/desk/checks`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDeskCheck {
    /// In the name of which app.
    pub app: String,
    /// The number, in any form.
    pub number: String,
    /// `fraud_prevention`, `onboarding` or `cheque_confirmation`.
    pub purpose: String,
    /// The reference of the case, 1 to 128 characters.
    pub reference: String,
    /// The digits of the SIM that was enrolled: whether it is still the same decides, too.
    #[serde(default)]
    pub expect: Option<String>,
}

impl fmt::Debug for NewDeskCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewDeskCheck(…)")
    }
}

/// The receipt of a check that somebody made at the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskCheckAnswer {
    /// Its id.
    pub receipt: String,
    /// Who made it.
    pub person: String,
    /// In the name of which app.
    pub app: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// What for.
    pub purpose: String,
    /// The reference of the case.
    pub reference: String,
    /// The number's ends.
    pub number: String,
    /// What came of it.
    pub finding: DeskFindingAnswer,
}

/// A page of receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskChecksAnswer {
    /// The receipts, newest first.
    pub checks: Vec<DeskCheckAnswer>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A number that somebody uncovered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskNumberAnswer {
    /// In full international digits.
    pub number: String,
}

impl fmt::Debug for DeskNumberAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeskNumberAnswer(…)")
    }
}

/// An alarm of the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskAlarmAnswer {
    /// Its id.
    pub alarm: String,
    /// Who looked up.
    pub person: String,
    /// `canary`, `outside hours` or `cap reached`.
    pub what: String,
    /// When (RFC 3339).
    pub at: String,
    /// Who looked at it; null = nobody has.
    pub seen_by: Option<String>,
    /// When.
    pub seen_at: Option<String>,
    /// What it came to.
    pub explanation: Option<String>,
}

/// A page of alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeskAlarmsAnswer {
    /// The alarms, newest first.
    pub alarms: Vec<DeskAlarmAnswer>,
    /// Where the next page begins.
    pub next: Option<String>,
}
