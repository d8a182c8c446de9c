//! What a journal must do, whatever it keeps its rows in. Every journal is put through all of it.

mod batches;
pub(crate) mod bench;
mod life;
mod lists;
pub(crate) mod news;
mod order;
pub(crate) mod place;

use bench::{DiskBench, MemoryBench};

/// One test for each journal from each of these functions.
macro_rules! every_journal {
    ($($module:ident: $($test:ident)*;)*) => {
        mod in_memory {
            $($(#[test] fn $test() { super::$module::$test::<super::MemoryBench>(); })*)*
        }
        mod on_disk {
            $($(#[test] fn $test() { super::$module::$test::<super::DiskBench<tempfile::TempDir>>(); })*)*
        }
        #[cfg(feature = "postgres")]
        mod on_postgres {
            use super::place::{Database, is_there};
            $($(#[test] fn $test() {
                if is_there() {
                    super::$module::$test::<super::DiskBench<Database>>();
                }
            })*)*
        }
    };
}

every_journal! {
    life: what_is_claimed_is_taken_in_the_order_asked_for
        no_more_is_granted_than_the_pool_allows
        an_answer_and_an_end_settle_a_lead
        a_refusal_gives_the_lead_back
        a_refused_number_settles_its_lead_and_a_reopened_one_does_not
        a_doubt_proven_absent_gives_the_lead_back
        a_call_that_comes_to_light_late_is_followed_and_reported_as_a_double_call
        five_doubts_park_a_lead_if_others_were_answered_between
        doubts_while_nobody_is_answered_park_nobody
        what_was_parked_and_shows_up_is_placed
        a_dead_run_leaves_its_claims_in_doubt_and_its_calls_up
        a_call_with_our_mark_is_a_stranger_once_until_it_is_taken_in
        calls_of_other_campaigns_are_nobody_here
        an_adopted_call_that_is_up_keeps_its_lead_from_being_claimed
        the_wait_after_an_adoption_survives_a_restart
        a_blocked_call_is_up_until_it_ends_and_gives_the_lead_back
        a_blocked_call_that_nobody_knows_gives_the_lead_back
        who_asks_not_to_be_called_is_not_called_again
        who_is_on_a_do_not_call_list_is_settled_at_the_claim
        a_second_call_under_one_attempt_is_a_double_call
        a_rate_limit_pauses_the_posts_of_all
        the_newest_cost_counts
        minutes_are_those_of_answered_phones
        nobody_is_called_again_after_a_fault_once_the_phone_was_answered
        the_watermark_never_goes_back
        a_call_that_was_given_up_is_settled_as_unknown;
    order: the_order_of_news_does_not_matter
        telling_everything_twice_changes_nothing
        every_lead_is_in_exactly_one_state;
    batches: batches_are_cut_in_list_order
        nobody_of_an_open_batch_is_lost_with_its_run
        batch_numbers_only_grow
        new_leads_come_before_retries
        leads_whose_hours_are_closed_are_left_for_later
        a_lead_whose_hours_close_before_the_claim_is_put_off
        a_day_takes_no_more_attempts_than_it_may
        two_extensions_of_a_number_are_not_called_at_once
        leads_that_were_put_off_wait_and_a_new_start_looks_again;
    lists: a_repeated_row_is_called_once
        a_settled_lead_stays_settled_whatever_its_row_says
        an_open_lead_takes_its_variables_from_the_newest_list
        a_row_that_is_gone_is_not_called_and_one_that_is_back_is
        a_list_that_lacks_most_open_leads_is_refused
        a_list_that_breaks_off_changes_nothing
        a_list_without_leads_is_refused
        an_extension_added_afterwards_does_not_call_again
        calls_taken_in_settle_leads_that_come_later
        more_attempts_reopen_settled_leads;
}
