use jiff::Timestamp;

use super::BoxFuture;
use crate::partner::{AppId, PartnerId, Product};

/// What the nodes of an installation may use together. Amounts are reserved before they are used, in
/// one place that all nodes ask, so they hold exactly; rates are split by what each node is asked for.
pub trait LimitShares: Send + Sync {
    /// Reserves amounts and gives others back, each as [`Want::grant`] has it; answers in their order. An
    /// allowance that nobody asked for before begins with what the ledger counted in its window. All of
    /// it or nothing is done.
    fn reserve(&self, wants: Vec<Want>) -> BoxFuture<'_, Result<Vec<Grant>, SharesError>>;

    /// Tells what this node is asked for, and what the others are, as far as they were heard of lately.
    fn pace(&self, demands: Vec<Demand>) -> BoxFuture<'_, Result<Paces, SharesError>>;
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limited {
    /// A product of an app.
    Product(AppId, Product),
    /// An app in all.
    App(AppId),
    /// All production apps of a partner.
    Partner(PartnerId),
    /// An app that looks as if it were probing.
    Slowed(AppId),
}

/// How something is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// Numbers of a day.
    Day,
    /// Numbers of a month.
    Month,
    /// Minor units of a month.
    Budget,
    /// Minor units that were paid in advance. Nodes reserve of them anew every day, so that what a lost node held
    /// comes back.
    Prepaid,
}

/// An amount that the nodes use up together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// Whose.
    pub of: Limited,
    /// Of what.
    pub quota: Quota,
    /// The first instant of its day or month; of a balance: of its day, or when it began, if that is later.
    pub from: Timestamp,
}

/// What a node wants of an allowance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Which.
    pub allowance: Allowance,
    /// The apps whose checks count.
    pub apps: Vec<AppId>,
    /// From when on they count where nobody asked for it before.
    pub counted_from: Timestamp,
    /// How much there is in all.
    pub limit: i64,
    /// What requests wait for now.
    pub need: i64,
    /// What it would like to have ready.
    pub wish: i64,
    /// What it reserved earlier and gives back.
    pub back: i64,
}

impl Want {
    /// A node keeps at most such a part of what is left ready, so that others find something too.
    const PART_OF_LEFT: i64 = 8;

    /// What is given where all nodes reserved `reserved` so far.
    pub fn grant(&self, reserved: i64) -> i64 {
        let left = self.left(reserved);
        let modest = self.wish.min(left / Self::PART_OF_LEFT);
        self.need.max(modest).min(left).max(0)
    }

    /// What is left once `back` is given back.
    fn left(&self, reserved: i64) -> i64 {
        self.limit.saturating_sub(reserved.saturating_sub(self.back))
    }

    /// What all nodes have reserved afterwards.
    pub fn reserved_after(&self, reserved: i64) -> i64 {
        reserved.saturating_sub(self.back).saturating_add(self.grant(reserved))
    }
}

/// What a node was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// So much.
    pub given: i64,
    /// What nobody has reserved; below zero where a limit was lowered.
    pub left: i64,
    /// The most that was ever reserved of the allowance, before and after.
    pub peak: (i64, i64),
}

/// What a node is asked for at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Of whom.
    pub of: Limited,
    /// Numbers per second.
    pub per_second: u64,
}

/// What is asked for elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paces {
    /// How many nodes there are, this one included.
    pub nodes: u32,
    /// Of each demand that was told, in the same order: what each other node with demand is asked for.
    pub others: Vec<Vec<u64>>,
}

/// Why nothing was reserved or heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharesError {
    /// Nothing was done.
    #[error("shared limits are out of reach: {0}")]
    Unavailable(String),
    /// It may have been done.
    #[error("whether a share of a limit was reserved is not known: {0}")]
    Unknown(String),
}
