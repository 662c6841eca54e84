use jiff::{SignedDuration, Timestamp};

use super::{ContractType, HashedImsi, Imsi, Line, LineStatus, Msisdn, Swap, SwapCause};

/// One accepted row of an operator's extract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The number.
    pub msisdn: Msisdn,
    /// The SIM behind it.
    pub imsi: Imsi,
    /// When the number was registered.
    pub registered: Timestamp,
    /// Last swap: outer `None` = the extract has no such column; inner `None` = there was none.
    pub last_swap: Option<Option<Swap>>,
    /// Active where the extract does not say.
    pub status: LineStatus,
    /// Where the extract says.
    pub contract: Option<ContractType>,
    /// Where the extract says.
    pub holder_since: Option<Timestamp>,
    /// Where the extract says.
    pub hashed_imsi: Option<HashedImsi>,
}

/// What was known about a line before a new snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The line as the serving generation answers it.
    pub line: &'a Line,
    /// The cut of the serving generation's snapshot.
    pub cut: Timestamp,
}

/// A swap date may be given to the day, so it can look this much older than the cut it is newer than.
const DATE_ONLY: SignedDuration = SignedDuration::from_hours(24);

/// The line that a row of a snapshot cut at `cut` stands for, given what was known before.
///
/// - A holder newer than the last swap is a swap (`new_holder`).
/// - Where the extract has no swap column, a swap known from before stays known.
/// - A SIM that changed since without a newer swap date was swapped (design, "The feed"): when the
///   new holder registered, or else at the cut.
/// - A restriction of the holder's data stays for as long as the holding does.
pub fn settle(before: Option<Before<'_>>, row: &SnapshotRow, cut: Timestamp) -> Line {
    let known = before.and_then(|b| b.line.last_swap);
    let mut last_swap = row.last_swap.unwrap_or(known);
    if let Some(held) = row.holder_since.filter(|held| *held > row.registered) {
        last_swap = Some(newest(last_swap, held, SwapCause::NewHolder));
    }
    if let Some(before) = before.filter(|b| b.line.imsi != row.imsi) {
        let explained = last_swap.is_some_and(|swap| {
            known.is_none_or(|k| swap.at > k.at) && swap.at.saturating_add(DATE_ONLY).is_ok_and(|at| at >= before.cut)
        });
        if row.registered > before.line.holding_since() {
            last_swap = Some(newest(last_swap, row.registered, SwapCause::NewHolder));
        } else if !explained {
            last_swap = Some(newest(last_swap, cut, SwapCause::Replacement));
        }
    }
    let mut line = Line {
        status: row.status,
        imsi: row.imsi,
        registered: row.registered,
        holder_since: row.holder_since.filter(|held| *held != row.registered),
        last_swap,
        last_pairing: None,
        contract: row.contract,
        restricted: false,
        hashed_imsi: row.hashed_imsi.clone(),
    };
    line.restricted = before.is_some_and(|b| b.line.restricted && b.line.holding_since() == line.holding_since());
    line
}

fn newest(swap: Option<Swap>, at: Timestamp, cause: SwapCause) -> Swap {
    match swap {
        Some(swap) if swap.at >= at => swap,
        _ => Swap { at, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn row(imsi: &str) -> SnapshotRow {
        SnapshotRow {
            msisdn: crate::line::NumberPlan::KENYA.parse("254722000000").unwrap(),
            imsi: Imsi::parse(imsi).unwrap(),
            registered: at("2015-01-01T00:00:00Z"),
            last_swap: Some(None),
            status: LineStatus::Active,
            contract: None,
            holder_since: None,
            hashed_imsi: None,
        }
    }

    const SIM_A: &str = "639020000000001";
    const SIM_B: &str = "639020000000002";
    const CUT_1: &str = "2026-11-20T01:00:00Z";
    const CUT_2: &str = "2026-11-21T01:00:00Z";

    #[test]
    fn a_first_snapshot_is_taken_at_its_word() {
        let line = settle(None, &row(SIM_A), at(CUT_1));
        assert_eq!(line.last_swap, None);
        assert_eq!(line.holding_since(), at("2015-01-01T00:00:00Z"));
    }

    #[test]
    fn another_sim_without_a_newer_swap_date_was_swapped_at_the_cut() {
        let old = settle(None, &row(SIM_A), at(CUT_1));
        let before = Some(Before { line: &old, cut: at(CUT_1) });
        let silent = settle(before, &row(SIM_B), at(CUT_2));
        assert_eq!(silent.last_swap, Some(Swap { at: at(CUT_2), cause: SwapCause::Replacement }));

        let stale_date = SnapshotRow {
            last_swap: Some(Some(Swap { at: at("2021-01-01T00:00:00Z"), cause: SwapCause::Esim })),
            ..row(SIM_B)
        };
        assert_eq!(settle(before, &stale_date, at(CUT_2)).last_swap.map(|s| s.at), Some(at(CUT_2)));

        let told = Some(Swap { at: at("2026-11-20T15:00:00Z"), cause: SwapCause::Esim });
        let explained = SnapshotRow { last_swap: Some(told), ..row(SIM_B) };
        assert_eq!(settle(before, &explained, at(CUT_2)).last_swap, told);
    }

    #[test]
    fn another_sim_with_a_newer_registration_is_a_new_holder() {
        let old = settle(None, &row(SIM_A), at(CUT_1));
        let newer = SnapshotRow { registered: at("2026-11-20T09:00:00Z"), ..row(SIM_B) };
        let line = settle(Some(Before { line: &old, cut: at(CUT_1) }), &newer, at(CUT_2));
        assert_eq!(line.last_swap, Some(Swap { at: newer.registered, cause: SwapCause::NewHolder }));
    }

    #[test]
    fn a_known_swap_survives_an_extract_without_the_column() {
        let swap = Some(Swap { at: at("2026-10-01T00:00:00Z"), cause: SwapCause::Esim });
        let old = settle(None, &SnapshotRow { last_swap: Some(swap), ..row(SIM_A) }, at(CUT_1));
        let before = Some(Before { line: &old, cut: at(CUT_1) });
        let mute = SnapshotRow { last_swap: None, ..row(SIM_A) };
        assert_eq!(settle(before, &mute, at(CUT_2)).last_swap, swap);
        let mute_changed = SnapshotRow { last_swap: None, ..row(SIM_B) };
        assert_eq!(settle(before, &mute_changed, at(CUT_2)).last_swap.map(|s| s.at), Some(at(CUT_2)));
    }

    #[test]
    fn a_newer_holder_is_a_swap_and_restarts_the_holding() {
        let held = SnapshotRow { holder_since: Some(at("2026-11-01T00:00:00Z")), ..row(SIM_A) };
        let line = settle(None, &held, at(CUT_1));
        assert_eq!(line.last_swap.map(|s| s.cause), Some(SwapCause::NewHolder));
        assert_eq!(line.holding_since(), at("2026-11-01T00:00:00Z"));
    }

    #[test]
    fn a_restriction_ends_with_the_holding() {
        let mut old = settle(None, &row(SIM_A), at(CUT_1));
        old.restricted = true;
        let before = Some(Before { line: &old, cut: at(CUT_1) });
        assert!(settle(before, &row(SIM_A), at(CUT_2)).restricted);
        let newer = SnapshotRow { registered: at("2026-11-20T09:00:00Z"), ..row(SIM_B) };
        assert!(!settle(before, &newer, at(CUT_2)).restricted);
    }
}
