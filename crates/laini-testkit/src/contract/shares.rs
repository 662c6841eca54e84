//! What nodes may rely on when they share limits.

#![expect(clippy::unwrap_used, reason = "an expectation that fails ends the test")]
#![expect(missing_docs, reason = "the name of a case is the promise that it holds")]
#![expect(clippy::print_stdout, reason = "a family tells its figures")]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::Outcome;
use laini_core::partner::{AppId, PartnerId, Product, Rate};
use laini_core::sharing::{Asked, Reserve, SharedPace, Stock};
use laini_core::store::{Allowance, Demand, Draft, Grant, Ledger, LimitShares, Limited, Paces, Quota, Want};

use super::ledger::{Desk, QUESTION, Question, app, at, record};

/// Runs the whole suite: one test per promise, each in a new `$home` (an expression that makes a
/// [`SharesHome`](crate::contract::shares::SharesHome)).
#[macro_export]
macro_rules! shares_contract {
    ($home:expr) => {
        $crate::shares_contract!($home =>
            an_amount_is_granted_until_it_is_used_up
            what_is_given_back_is_there_for_others
            a_limit_that_was_changed_holds_at_once
            days_months_and_budgets_are_apart
            an_allowance_begins_with_what_the_ledger_counted
            the_most_that_was_reserved_is_remembered
            each_node_hears_what_the_others_are_asked_for
            nodes_at_once_use_an_amount_up_and_never_more
            uneven_load_on_three_nodes_overruns_no_limit
        );
    };
    ($home:expr => $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::contract::shares::$case(&$home).await;
        })*
    };
}

/// Where the limits of one test are shared, empty at first.
pub trait SharesHome {
    /// As the node of this name.
    fn node(&self, name: &str) -> Arc<dyn LimitShares>;

    /// The ledger of the same store.
    fn ledger(&self) -> Arc<dyn Ledger>;
}

const DAY: Allowance = Allowance { of: Limited::App(AppId::from_stored(1)), quota: Quota::Day, from: MIDNIGHT };
/// A day of which the ledger counted nothing yet, and that is not over whenever this runs: 1 January 2100.
const MIDNIGHT: Timestamp = Timestamp::constant(4_102_444_800, 0);

fn want(allowance: Allowance, limit: i64, need: i64) -> Want {
    Want { allowance, apps: vec![app(1)], counted_from: allowance.from, limit, need, wish: need, back: 0 }
}

async fn reserve(node: &Arc<dyn LimitShares>, want: Want) -> Grant {
    node.reserve(vec![want]).await.unwrap()[0]
}

async fn given(node: &Arc<dyn LimitShares>, want: Want) -> (i64, i64) {
    let grant = reserve(node, want).await;
    (grant.given, grant.left)
}

pub async fn an_amount_is_granted_until_it_is_used_up(home: &dyn SharesHome) {
    let (a, b) = (home.node("a"), home.node("b"));
    assert_eq!(given(&a, want(DAY, 10, 4)).await, (4, 6));
    assert_eq!(given(&b, want(DAY, 10, 5)).await, (5, 1));
    assert_eq!(given(&a, want(DAY, 10, 3)).await, (1, 0));
    assert_eq!(given(&b, want(DAY, 10, 1)).await, (0, 0));
    let other = Allowance { of: Limited::App(app(2)), ..DAY };
    assert_eq!(given(&b, Want { apps: vec![app(2)], ..want(other, 10, 1) }).await, (1, 9), "of another app");
}

pub async fn what_is_given_back_is_there_for_others(home: &dyn SharesHome) {
    let (a, b) = (home.node("a"), home.node("b"));
    assert_eq!(given(&a, want(DAY, 10, 10)).await, (10, 0));
    assert_eq!(given(&b, want(DAY, 10, 2)).await, (0, 0));
    assert_eq!(given(&a, Want { back: 7, ..want(DAY, 10, 0) }).await, (0, 7));
    assert_eq!(given(&b, want(DAY, 10, 2)).await, (2, 5));
}

pub async fn a_limit_that_was_changed_holds_at_once(home: &dyn SharesHome) {
    let node = home.node("a");
    assert_eq!(given(&node, want(DAY, 10, 8)).await, (8, 2));
    assert_eq!(given(&node, want(DAY, 5, 1)).await, (0, -3));
    assert_eq!(given(&node, want(DAY, 9, 3)).await, (1, 0));
    assert_eq!(given(&node, want(DAY, 1_000, 3)).await, (3, 988));
}

pub async fn days_months_and_budgets_are_apart(home: &dyn SharesHome) {
    let node = home.node("a");
    let tomorrow = Allowance { from: MIDNIGHT + SignedDuration::from_hours(24), ..DAY };
    let wants = [
        want(DAY, 10, 1),
        want(Allowance { quota: Quota::Month, ..DAY }, 10, 2),
        want(Allowance { quota: Quota::Budget, ..DAY }, 10, 3),
        want(tomorrow, 10, 4),
        want(Allowance { of: Limited::Product(app(1), Product::Swap), ..DAY }, 10, 5),
        want(Allowance { of: Limited::Partner(PartnerId::from_stored(1)), ..DAY }, 10, 6),
    ];
    let granted = node.reserve(wants.to_vec()).await.unwrap();
    assert_eq!(granted.iter().map(|grant| grant.given).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let again = node.reserve(wants.iter().rev().cloned().collect()).await.unwrap();
    assert_eq!(again.iter().map(|grant| grant.left).collect::<Vec<_>>(), [0, 0, 2, 4, 6, 8]);
    assert_eq!(node.reserve(Vec::new()).await, Ok(Vec::new()));
}

pub async fn an_allowance_begins_with_what_the_ledger_counted(home: &dyn SharesHome) {
    let (ledger, desk, node) = (home.ledger(), Desk::default(), home.node("a"));
    let of = |line, n| Question { line, app: app(n), ..QUESTION };
    let answered = [(1, 1, 0), (2, 1, 900), (3, 2, 1_000), (4, 3, 1_000), (5, 1, 2 * 86_400)];
    for (line, n, seconds) in answered {
        record(&ledger, &desk.answered(of(line, n), at(seconds))).await;
    }
    let missed = Draft { outcome: Outcome::NotServed, ..desk.answered(of(6, 1), at(1_000)) };
    record(&ledger, &missed).await;
    let price = missed.price.list.minor;
    let from = at(0);
    let day = Allowance { from, ..DAY };
    assert_eq!(given(&node, want(day, 100, 1)).await, (1, 96), "three of the day, and this one");
    let month = Allowance { quota: Quota::Month, ..day };
    assert_eq!(given(&node, want(month, 100, 1)).await, (1, 95));
    let budget = Allowance { quota: Quota::Budget, ..day };
    assert_eq!(given(&node, want(budget, 10 * price, price)).await, (price, 6 * price), "free ones cost nothing");
    let partner = Allowance { of: Limited::Partner(PartnerId::from_stored(1)), ..day };
    let of_two = Want { apps: vec![app(1), app(2)], ..want(partner, 100, 1) };
    assert_eq!(given(&node, of_two.clone()).await, (1, 95));
    assert_eq!(given(&node, of_two).await, (1, 94), "counted once");
    // A balance of the second day counts what was charged since it began, two days ago.
    let balance = Allowance { quota: Quota::Prepaid, from: at(86_400), ..partner };
    let since = Want { apps: vec![app(1), app(2)], counted_from: from, ..want(balance, 10 * price, price) };
    assert_eq!(given(&node, since).await, (price, 5 * price));
    let product = Allowance { of: Limited::Product(app(1), Product::Age), ..day };
    assert_eq!(given(&node, want(product, 100, 1)).await, (1, 99));
}

pub async fn the_most_that_was_reserved_is_remembered(home: &dyn SharesHome) {
    let (a, b) = (home.node("a"), home.node("b"));
    assert_eq!(reserve(&a, want(DAY, 100, 60)).await.peak, (0, 60));
    assert_eq!(reserve(&a, Want { back: 30, ..want(DAY, 100, 0) }).await.peak, (60, 60));
    assert_eq!(reserve(&b, want(DAY, 100, 20)).await.peak, (60, 60));
    assert_eq!(reserve(&b, want(DAY, 100, 20)).await.peak, (60, 70));
}

pub async fn each_node_hears_what_the_others_are_asked_for(home: &dyn SharesHome) {
    let (a, b, c) = (home.node("a"), home.node("b"), home.node("c"));
    let demand = |n, per_second| Demand { of: Limited::App(app(n)), per_second };
    let alone = Paces { nodes: 1, others: vec![vec![], vec![]] };
    assert_eq!(a.pace(vec![demand(1, 90), demand(2, 7)]).await, Ok(alone));
    assert_eq!(b.pace(vec![demand(1, 5)]).await, Ok(Paces { nodes: 2, others: vec![vec![90]] }));
    assert_eq!(c.pace(vec![]).await, Ok(Paces { nodes: 3, others: vec![] }));
    let heard = a.pace(vec![demand(2, 7), demand(1, 80)]).await;
    assert_eq!(heard, Ok(Paces { nodes: 3, others: vec![vec![], vec![5]] }));
    assert_eq!(c.pace(vec![demand(1, 1)]).await, Ok(Paces { nodes: 3, others: vec![vec![80, 5]] }));
    let product = Demand { of: Limited::Product(app(1), Product::Imsi), per_second: 3 };
    assert_eq!(c.pace(vec![product]).await, Ok(Paces { nodes: 3, others: vec![vec![]] }));
}

/// What `asked` wants of the day.
fn wanted(asked: Asked) -> Want {
    let Asked { limit, need, wish, back } = asked;
    Want { limit, need, wish, back, ..want(DAY, limit, need) }
}

/// One node's use of the day's amount, exchanging whenever there is anything to exchange.
async fn use_one(node: &Arc<dyn LimitShares>, reserve: &mut Reserve, limit: i64) -> bool {
    loop {
        let stock = reserve.look(1, Some(limit), MIDNIGHT);
        let is_there = matches!(stock, Stock::Enough | Stock::Low);
        if is_there {
            reserve.take(1);
        }
        if matches!(stock, Stock::Lacking | Stock::Low)
            && let Some(asked) = reserve.ask()
        {
            let granted = node.reserve(vec![wanted(asked)]).await;
            reserve.answered(granted.as_ref().map(|granted| granted[0]));
        }
        if stock != Stock::Lacking {
            return is_there;
        }
    }
}

pub async fn nodes_at_once_use_an_amount_up_and_never_more(home: &dyn SharesHome) {
    const LIMIT: i64 = 2_000;
    let using = ["a", "b", "c"].map(|name| {
        let node = home.node(name);
        tokio::spawn(async move {
            let (mut reserve, mut used) = (Reserve::default(), 0);
            while use_one(&node, &mut reserve, LIMIT).await {
                used += 1;
            }
            used
        })
    });
    let mut used = 0;
    for node in using {
        used += node.await.unwrap();
    }
    // What one reserved and another could have used was used by the one: all asked to the end.
    assert_eq!(used, LIMIT);
}

/// A node under load, by a clock that the test moves.
struct Loaded {
    port: Arc<dyn LimitShares>,
    /// Numbers in a hundredth of a second, in hundredths.
    asked: u32,
    due: u32,
    reserve: Reserve,
    pace: SharedPace,
    paced: u32,
    counted: i64,
}

impl Loaded {
    async fn exchange(&mut self) {
        let Some(per_second) = self.pace.demand() else { return };
        let heard = self.port.pace(vec![Demand { of: DAY.of, per_second }]).await.unwrap();
        self.pace.heard(&heard, 0);
    }

    async fn step(&mut self, rate: Rate, quota: i64, now: Duration) {
        self.due += self.asked;
        while self.due >= 100 {
            self.due -= 100;
            self.pace.want(1);
            if !self.pace.is_known() {
                self.exchange().await;
            }
            self.paced += u32::from(self.pace.take(1, rate, now).is_ok());
            self.counted += i64::from(use_one(&self.port, &mut self.reserve, quota).await);
        }
    }

    async fn tick(&mut self) {
        self.pace.tick();
        self.reserve.tick();
        self.exchange().await;
        if let Some(asked) = self.reserve.ask() {
            let granted = self.port.reserve(vec![wanted(asked)]).await;
            self.reserve.answered(granted.as_ref().map(|granted| granted[0]));
        }
    }
}

/// Ten seconds at one and a half times a rate and a quota, nine tenths of it on one node.
pub async fn uneven_load_on_three_nodes_overruns_no_limit(home: &dyn SharesHome) {
    const SECONDS: u32 = 10;
    const QUOTA: i64 = 2_000;
    let count = |n| NonZeroU32::new(n).unwrap();
    let rate = Rate { per_second: count(200), burst: count(20) };
    let loaded = |(name, asked)| Loaded {
        port: home.node(name),
        asked,
        due: 0,
        reserve: Reserve::default(),
        pace: SharedPace::default(),
        paced: 0,
        counted: 0,
    };
    let mut nodes = [("a", 270), ("b", 15), ("c", 15)].map(loaded);
    for step in 0..SECONDS * 100 {
        let now = Duration::from_millis(u64::from(step) * 10);
        for (place, node) in (0_u32..).zip(&mut nodes) {
            node.step(rate, QUOTA, now).await;
            if step % 100 == 30 * place {
                node.tick().await;
            }
        }
    }
    let paced: u32 = nodes.iter().map(|node| node.paced).sum();
    let counted: i64 = nodes.iter().map(|node| node.counted).sum();
    let allowed = rate.per_second.get() * SECONDS + rate.burst.get();
    println!(
        "family=shared limits cases={} failures=0 seed=none rate={paced} of {allowed} quota={counted} of {QUOTA}",
        SECONDS * 300
    );
    assert!(paced * 100 <= allowed * 105, "{paced} of {allowed}");
    assert!(paced * 100 >= allowed * 85, "{paced} of {allowed}: a rate is there to be used");
    assert_eq!(counted, QUOTA);
}
