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
/// - A swap that laini learned (from an event, or by inference) is not taken back by a snapshot that
///   does not know of it; nor is any known swap by an extract without a swap column. What the snapshot
///   states stays known beside it.
/// - A SIM that changed since without a newer swap date was swapped (design, "The feed"): when the
///   new holder registered, or else at the cut.
/// - A restriction of the holder's data stays for as long as the holding does.
pub fn settle(before: Option<Before<'_>>, row: &SnapshotRow, cut: Timestamp) -> Line {
    let known = before.and_then(|b| b.line.last_swap);
    let stated = swap_of_holder(row.last_swap.flatten(), row.registered, row.holder_since);
    let mut line = Line {
        status: row.status,
        sim: row.imsi.into(),
        registered: row.registered,
        holder_since: row.holder_since.filter(|held| *held != row.registered),
        last_swap: swap_of_holder(row.last_swap.unwrap_or(known), row.registered, row.holder_since),
        swap_learned: false,
        swap_before: None,
        last_pairing: None,
        contract: row.contract,
        restricted: false,
        hashed_imsi: row.hashed_imsi.clone(),
    };
    if let Some(before) = before {
        if let Some(known) = known.filter(|_| before.line.swap_learned && row.registered <= before.line.paired()) {
            line.last_swap = Some(newest(line.last_swap, known.at, known.cause));
            if stated.is_none_or(|stated| stated.at.as_second() < known.at.as_second()) {
                line.swap_learned = true;
                line.swap_before = Swap::newest(before.line.swap_before, stated);
            }
        }
        if before.line.sim != line.sim {
            let explained = line.last_swap.is_some_and(|swap| explains(swap, known, before.cut));
            if row.registered > before.line.holding_since() {
                infer(&mut line, row.registered, SwapCause::NewHolder);
            } else if !explained {
                infer(&mut line, cut, SwapCause::Replacement);
            }
        }
        line.restricted = before.line.restricted && before.line.holding_since() == line.holding_since();
    }
    line
}

/// Takes up a swap that nobody told of. One that is known and not older stays the newest.
fn infer(line: &mut Line, at: Timestamp, cause: SwapCause) {
    let inferred = Swap { at, cause };
    match line.last_swap {
        Some(known) if known.at == at => {
            line.swap_learned = true;
            line.swap_before = Some(known);
        }
        _ => line.learn(inferred),
    }
}

/// The last swap, given when the present holder took the number over: to whoever asks about the SIM, a
/// new holder is a swap.
pub fn swap_of_holder(last_swap: Option<Swap>, registered: Timestamp, holder_since: Option<Timestamp>) -> Option<Swap> {
    match holder_since.filter(|held| *held > registered) {
        Some(held) => Some(newest(last_swap, held, SwapCause::NewHolder)),
        None => last_swap,
    }
}

/// Whether a swap is news that another SIM can come from.
fn explains(swap: Swap, known: Option<Swap>, cut_before: Timestamp) -> bool {
    known.is_none_or(|known| swap.at > known.at)
        && swap.at.saturating_add(DATE_ONLY).is_ok_and(|latest| latest >= cut_before)
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

    #[test]
    fn a_learned_swap_is_not_taken_back_by_a_snapshot_that_does_not_know_of_it() {
        let told = Swap { at: at("2026-11-20T12:00:00Z"), cause: SwapCause::Replacement };
        let mut line = settle(None, &row(SIM_B), at(CUT_1));
        (line.last_swap, line.swap_learned) = (Some(told), true);
        for cut in ["2026-11-21T01:00:00Z", "2026-11-22T01:00:00Z", "2026-11-23T01:00:00Z"] {
            let before = line.clone();
            line = settle(Some(Before { line: &before, cut: at(CUT_1) }), &row(SIM_B), at(cut));
            assert_eq!((line.last_swap, line.swap_learned), (Some(told), true), "{cut}");
        }
        // A newer statement replaces it, and can be taken back by the next one.
        let newer = Some(Swap { at: at("2026-11-23T12:00:00Z"), cause: SwapCause::Esim });
        let before = Before { line: &line, cut: at(CUT_1) };
        let stated =
            settle(Some(before), &SnapshotRow { last_swap: Some(newer), ..row(SIM_B) }, at("2026-11-24T01:00:00Z"));
        assert_eq!((stated.last_swap, stated.swap_learned), (newer, false));
        let silent = settle(Some(Before { line: &stated, cut: at(CUT_1) }), &row(SIM_B), at("2026-11-25T01:00:00Z"));
        assert_eq!(silent.last_swap, None);
    }

    #[test]
    fn what_a_snapshot_states_stays_known_behind_a_learned_swap() {
        let stated = Swap { at: at("2026-10-20T00:00:00Z"), cause: SwapCause::Esim };
        let told = Swap { at: at("2026-11-20T12:00:00Z"), cause: SwapCause::PortIn };
        let says = |swap| SnapshotRow { last_swap: swap, ..row(SIM_B) };
        let mut line = settle(None, &says(Some(Some(stated))), at(CUT_1));
        assert_eq!((line.last_swap, line.swap_before), (Some(stated), None));
        line.learn(told);
        for says in [says(Some(Some(stated))), says(Some(None)), says(None)] {
            let next = settle(Some(Before { line: &line, cut: at(CUT_1) }), &says, at(CUT_2));
            assert_eq!((next.last_swap, next.swap_learned, next.swap_before), (Some(told), true, Some(stated)));
        }
        // Of what lay behind before and what is stated now, the newer one.
        let later = Swap { at: at("2026-11-19T00:00:00Z"), cause: SwapCause::Esim };
        let next = settle(Some(Before { line: &line, cut: at(CUT_1) }), &says(Some(Some(later))), at(CUT_2));
        assert_eq!((next.last_swap, next.swap_before), (Some(told), Some(later)));
        // An extract without the column leaves it learned: the next one with it does not take it back.
        let mute = settle(Some(Before { line: &line, cut: at(CUT_1) }), &says(None), at(CUT_2));
        let silent =
            settle(Some(Before { line: &mute, cut: at(CUT_2) }), &says(Some(None)), at("2026-11-22T01:00:00Z"));
        assert_eq!(silent.last_swap, Some(told));
        // What is inferred hides as little.
        let changed = SnapshotRow { last_swap: Some(Some(stated)), ..row(SIM_A) };
        let inferred = settle(Some(Before { line: &line, cut: at(CUT_1) }), &changed, at(CUT_2));
        assert_eq!(inferred.last_swap, Some(Swap { at: at(CUT_2), cause: SwapCause::Replacement }));
        assert_eq!(inferred.swap_before, Some(told));
    }

    #[test]
    fn an_inferred_swap_outlives_the_next_snapshot() {
        let old = settle(None, &row(SIM_A), at(CUT_1));
        let swapped = settle(Some(Before { line: &old, cut: at(CUT_1) }), &row(SIM_B), at(CUT_2));
        let later = settle(Some(Before { line: &swapped, cut: at(CUT_2) }), &row(SIM_B), at("2026-11-22T01:00:00Z"));
        assert_eq!(later.last_swap.map(|s| s.at), Some(at(CUT_2)));
    }
}
