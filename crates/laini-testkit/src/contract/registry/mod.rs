//! The contract of [`Registry`] and [`RegistryFeed`].
//!
//! Owns what every engine must answer, load, apply and refuse. Must never know an engine: a
//! [`RegistryPlace`] gives handles, and the tests use the ports alone.

mod erasure;
mod events;
mod feed;
mod snapshot;
mod story;

use laini_core::line::EventText;
use laini_core::store::{Registry, RegistryFeed};

pub use erasure::*;
pub use events::*;
pub use feed::*;
pub use snapshot::*;

/// Where one registry lives: empty at first, and gone with this value.
pub trait RegistryPlace {
    /// What the engine opens there.
    type Handle: Registry + RegistryFeed;

    /// One more handle on the registry of this place, as another process would hold one. It takes
    /// `required_feeds` for complete only as far as each of them is.
    fn open_requiring(&self, required_feeds: Vec<EventText>) -> Self::Handle;

    /// A handle that requires the default feed.
    fn open(&self) -> Self::Handle {
        self.open_requiring(vec![EventText::default_source()])
    }
}

/// Makes a test of each rule of the contract; `$place` is an expression that makes a fresh
/// [`RegistryPlace`].
#[macro_export]
macro_rules! registry_contract {
    ($place:expr) => {
        $crate::registry_contract! { $place =>
            nothing_was_loaded
            every_column_of_a_row_is_answered
            rows_come_in_any_order_and_are_scanned_in_theirs
            a_number_stated_twice
            a_refused_row_makes_a_line_unknown
            a_refused_row_keeps_what_was_known
            another_sim_was_swapped_at_the_cut
            a_swap_is_known_although_the_column_is_missing
            history_begins_where_the_plan_says
            an_older_snapshot_is_refused
            a_cut_is_the_newest_instant_or_stated
            far_fewer_lines_are_refused
            a_line_that_returns_has_a_new_holder
            a_doubt_ends_with_its_line
            a_learned_swap_outlives_snapshots
            a_dropped_load_changes_nothing
            one_load_at_a_time
            each_event_does_what_the_table_says
            events_found_a_registry_without_a_snapshot
            the_order_of_arrival_does_not_matter
            an_event_is_taken_once
            an_early_event_waits
            a_number_change_moves_the_line
            amendments_replace_and_withdraw
            amendments_that_cannot_be
            a_withdrawn_swap_leaves_what_snapshots_state
            an_amendment_that_waits_doubts_its_line
            events_before_the_cut_do_nothing
            events_survive_the_next_snapshot
            a_snapshot_is_compared_with_the_lines_of_its_cut
            a_correction_across_the_cut_invents_no_swap
            any_feed_ends_as_the_rules_say
            heartbeats_move_the_as_of
            other_feeds_can_be_required
            refused_items_make_a_line_unknown
            a_refused_item_names_two_numbers
            recorded_events_are_listed_newest_first
            rejects_are_listed_newest_first
            a_kept_line_is_settled
            an_earlier_holding_is_erased_and_the_present_one_is_answered_as_before
            what_another_line_stands_on_is_not_erased
            what_a_refused_row_says_goes_with_either_number
            number_changes_link_a_bounded_group
            a_line_has_a_bounded_number_of_events
            a_second_handle_follows
        }
    };
    ($place:expr => $($rule:ident)+) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let place = $place;
                $crate::contract::registry::$rule(&place).await;
            }
        )+
    };
}
