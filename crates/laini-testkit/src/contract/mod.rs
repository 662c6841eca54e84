//! The store contract: what every engine must do, written against the ports alone.
//!
//! Owns what the ports promise, as tests. Must never know an engine.
//!
//! An engine's own test calls each `pub async fn` here with a fresh store.

pub mod accounts;
pub mod answers;
pub mod asked;
pub mod closing;
pub mod ledger;
pub mod office;
pub mod outbox;
pub mod refusals;
pub mod registry;
pub mod retention;
pub mod shares;
pub mod submit;
pub mod worlds;

/// Runs the suites of everything beside the ledger's rows: one test per promise, each in a new `$home`
/// (an expression that makes a [`LedgerHome`](crate::contract::ledger::LedgerHome)).
#[macro_export]
macro_rules! beside_ledger_contract {
    ($home:expr) => {
        $crate::beside_ledger_contract!($home => submit:
            several_checks_are_recorded_together
            a_submission_is_all_or_nothing
            a_submission_is_recorded_once
            an_answer_is_stored_with_its_charge_and_told_as_stored
            an_answer_stored_meanwhile_is_told_and_nothing_is_written
            a_check_is_found_with_what_was_asked
            counters_equal_the_rows
            a_check_whose_caller_is_gone_is_not_charged
        );
        $crate::beside_ledger_contract!($home => closing:
            rows_come_with_their_places
            the_end_of_each_chain_is_known
        );
        $crate::beside_ledger_contract!($home => answers:
            a_key_is_held_by_one_caller_and_free_when_dropped
            what_was_answered_is_told_across_a_reopen
            of_many_callers_one_holds_the_key
            a_key_is_free_again_after_a_day
        );
        $crate::beside_ledger_contract!($home => outbox:
            an_accepted_check_is_leased_by_one_worker_until_it_is_ended
            an_accepted_check_and_the_answer_of_its_key_are_durable_together_or_not_at_all
            a_delivery_commits_with_its_charge_once
            a_delivery_is_leased_by_one_worker_and_settled
            a_slow_address_holds_up_no_other
            what_waits_is_told_by_address_with_what_is_under_way
            deliveries_are_listed_newest_first_and_redelivered
            the_outbox_survives_a_reopen
        );
        $crate::beside_ledger_contract!($home => retention:
            forgotten_subjects_leave_their_rows_and_a_whole_chain
            old_answers_are_deleted_piece_by_piece
            only_ended_deliveries_are_forgotten
            a_destroyed_day_key_takes_its_subjects_along
            named_checks_are_forgotten_and_their_money_stays
        );
        $crate::beside_ledger_contract!($home => asked:
            checks_are_found_by_their_numbers
            a_scan_comes_in_pages_and_ends
        );
    };
    ($home:expr => $suite:ident: $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::contract::$suite::$case(&$home).await;
        })*
    };
}
