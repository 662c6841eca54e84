use super::*;
use crate::partner::AppId;
use crate::store::{Allowance, Limited, Quota, Want};
use proptest::prelude::*;

/// What all nodes share, as an engine keeps it.
#[derive(Debug, Default)]
struct Row {
    reserved: i64,
    peak: i64,
}

impl Row {
    fn exchange(&mut self, asked: Asked) -> Grant {
        let of = Limited::App(AppId::from_stored(1));
        let allowance = Allowance { of, quota: Quota::Day, from: Timestamp::UNIX_EPOCH };
        let Asked { limit, need, wish, back } = asked;
        let want = Want { allowance, apps: Vec::new(), counted_from: allowance.from, limit, need, wish, back };
        let given = want.grant(self.reserved);
        let before = self.peak;
        self.reserved = want.reserved_after(self.reserved);
        self.peak = before.max(self.reserved);
        Grant { given, left: limit - self.reserved, peak: (before, self.peak) }
    }
}

const AT: Timestamp = Timestamp::UNIX_EPOCH;

/// Looks, asks where something is or will be lacking, and takes; as a request does it.
fn admit(reserve: &mut Reserve, row: &mut Row, amount: i64, limit: i64) -> Stock {
    let mut stock = reserve.look(amount, Some(limit), AT);
    if matches!(stock, Stock::Lacking | Stock::Low) {
        if let Some(asked) = reserve.ask() {
            reserve.answered(Ok(row.exchange(asked)));
        }
        stock = reserve.look(amount, Some(limit), AT);
    }
    if stock == Stock::Low {
        stock = Stock::Enough;
    }
    if stock == Stock::Enough {
        reserve.take(amount);
    }
    stock
}

#[test]
fn what_is_granted_is_modest_and_never_more_than_is_left() {
    let of = Limited::App(AppId::from_stored(1));
    let allowance = Allowance { of, quota: Quota::Day, from: AT };
    let want = |limit, need, wish, back| Want {
        allowance,
        apps: Vec::new(),
        counted_from: allowance.from,
        limit,
        need,
        wish,
        back,
    };
    for (want, reserved, given, after) in [
        (want(1_000, 1, 50, 0), 0, 50, 50),
        (want(1_000, 1, 500, 0), 0, 125, 125),
        (want(1_000, 200, 500, 0), 0, 200, 200),
        (want(1_000, 1, 500, 0), 990, 1, 991),
        (want(1_000, 3, 3, 0), 999, 1, 1_000),
        (want(1_000, 1, 1, 0), 1_000, 0, 1_000),
        (want(500, 1, 1, 0), 1_000, 0, 1_000),
        (want(500, 1, 1, 600), 1_000, 1, 401),
        (want(1_000, 0, 0, 40), 100, 0, 60),
    ] {
        assert_eq!((want.grant(reserved), want.reserved_after(reserved)), (given, after), "{want:?} of {reserved}");
    }
}

#[test]
fn a_quota_is_used_up_to_its_last_number_and_not_beyond() {
    let (mut row, mut nodes) = (Row::default(), [Reserve::default(), Reserve::default(), Reserve::default()]);
    let mut admitted = 0;
    for step in 0..5_000 {
        let node = &mut nodes[[0, 0, 0, 1, 2, 0, 0][step % 7]];
        admitted += i64::from(admit(node, &mut row, 1, 1_000) != Stock::Exhausted);
        if step % 100 == 99 {
            for node in &mut nodes {
                node.tick();
                if let Some(asked) = node.ask() {
                    node.answered(Ok(row.exchange(asked)));
                }
            }
        }
    }
    assert_eq!(admitted, 1_000);
}

#[test]
fn a_busy_node_asks_seldom_and_an_idle_one_gives_back() {
    let (mut row, mut node, mut exchanges) = (Row::default(), Reserve::default(), 0);
    for _ in 0..20 {
        for _ in 0..1_000 {
            let stock = node.look(1, Some(10_000_000), AT);
            node.take(1);
            if stock != Stock::Enough
                && let Some(asked) = node.ask()
            {
                exchanges += 1;
                node.answered(Ok(row.exchange(asked)));
            }
        }
        node.tick();
    }
    assert!(exchanges < 60, "{exchanges} exchanges for 20,000 numbers");
    assert!(node.here > 0);
    for _ in 0..4 {
        node.tick();
        if let Some(asked) = node.ask() {
            node.answered(Ok(row.exchange(asked)));
        }
    }
    assert_eq!((node.here, row.reserved), (0, 20_000));
}

#[test]
fn what_is_exhausted_is_asked_for_anew_after_a_tick() {
    let (mut row, mut node) = (Row { reserved: 10, peak: 10 }, Reserve::default());
    assert_eq!(admit(&mut node, &mut row, 1, 10), Stock::Exhausted);
    row.reserved = 9;
    assert_eq!(admit(&mut node, &mut row, 1, 10), Stock::Exhausted, "known since the exchange");
    node.tick();
    assert_eq!(admit(&mut node, &mut row, 1, 10), Stock::Enough);
}

#[test]
fn a_changed_limit_holds_from_the_next_look() {
    let (mut row, mut node) = (Row::default(), Reserve::default());
    for _ in 0..100 {
        assert_eq!(admit(&mut node, &mut row, 1, 1_000), Stock::Enough);
    }
    assert_eq!(admit(&mut node, &mut row, 1, 100), Stock::Exhausted, "lowered to what was used");
    assert_eq!(row.reserved, 100, "what lay ready was given back");
    assert_eq!(admit(&mut node, &mut row, 1, 101), Stock::Enough, "raised");
    assert_eq!(node.look(1, None, AT), Stock::Enough, "lifted");
}

#[test]
fn what_was_used_before_a_limit_is_not_given_back_into_it() {
    let mut node = Reserve::default();
    let later = Timestamp::from_second(10).unwrap();
    node.take(5);
    node.look(1, Some(10), later);
    node.give_back(5, AT);
    assert_eq!(node.here, 0);
    node.give_back(5, later);
    assert_eq!(node.here, 5);
}

/// What may happen to a node.
#[derive(Debug, Clone)]
enum Step {
    Admit(i64),
    Begin,
    /// The exchange reached the row, and its answer the node.
    End,
    /// Reached the row, but its answer not the node.
    Unknown,
    /// Did not reach the row.
    Lost,
    GiveBack,
    Tick,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        6 => (1_i64..20).prop_map(Step::Admit),
        4 => Just(Step::Begin),
        4 => Just(Step::End),
        1 => Just(Step::Unknown),
        1 => Just(Step::Lost),
        1 => Just(Step::GiveBack),
        1 => Just(Step::Tick),
        1 => Just(Step::Close),
    ];
    prop::collection::vec((0..3_usize, step), 1..400)
}

proptest! {
    #[test]
    fn whatever_nodes_do_at_once_the_limit_holds(limit in 0_i64..500, steps in steps()) {
        let mut row = Row::default();
        let mut nodes: Vec<(Reserve, Option<Asked>, Vec<i64>)> = vec![Default::default(); 3];
        for (place, step) in steps {
            let (node, asked, used) = &mut nodes[place];
            match step {
                Step::Admit(amount) => {
                    if matches!(node.look(amount, Some(limit), AT), Stock::Enough | Stock::Low) {
                        node.take(amount);
                        used.push(amount);
                    }
                }
                Step::Begin => *asked = asked.or_else(|| node.ask()),
                Step::End => if let Some(asked) = asked.take() {
                    node.answered(Ok(row.exchange(asked)));
                },
                Step::Unknown => if let Some(asked) = asked.take() {
                    row.exchange(asked);
                    node.answered(Err(&SharesError::Unknown(String::new())));
                },
                Step::Lost => if asked.take().is_some() {
                    node.answered(Err(&SharesError::Unavailable(String::new())));
                },
                Step::GiveBack => if let Some(amount) = used.pop() {
                    node.give_back(amount, AT);
                },
                Step::Tick => node.tick(),
                Step::Close => node.close(),
            }
            let used: i64 = nodes.iter().flat_map(|(_, _, used)| used).sum();
            prop_assert!(used <= limit, "{used} of {limit}");
            prop_assert!((0..=limit).contains(&row.reserved), "{} of {limit}", row.reserved);
        }
    }
}
