//! Public ports on real parts: what `docs/dnat.md` shows, and the agent killed in the middle of it.
//!
//! The same stories and many more are told in virtual time by `tests/dnat`; here they show that the doubles there did not lie.

mod crash;
mod kubelets;
mod room;
mod shown;
mod stage;

use std::time::Duration;

use super::{Case, CaseFuture, Ring};
use crate::world::World;

/// For what waits for a call to count as lost, or for a sweep.
const LONG: Duration = Duration::from_mins(5);

const fn played(
    name: &'static str,
    run: for<'a> fn(&'a mut World) -> CaseFuture<'a>,
) -> Case<World> {
    Case::new(name, Ring::Processes, run)
}

const fn real(name: &'static str, run: for<'a> fn(&'a mut World) -> CaseFuture<'a>) -> Case<World> {
    Case::new(name, Ring::Nodes, run).limit(LONG)
}

pub const CASES: &[Case<World>] = &[
    played("ports::each_pod_gets_its_ports", shown::each_pod),
    played("ports::false_means_none", shown::off),
    played(
        "ports::wrong_values_are_events_and_cost_nothing",
        shown::wrong,
    ),
    played("ports::kubectl_get_shows_the_ports", shown::columns),
    played(
        "ports::a_pod_that_comes_back_has_its_ports_again",
        shown::comes_back,
    )
    .limit(LONG),
    played("ports::a_stateless_pod_keeps_no_ports", shown::not_fixed),
    played("ports::a_pod_that_asks_for_both_gets_the_eip", shown::both),
    real(
        "ports::a_fixed_pod_moves_between_real_kubelets",
        kubelets::moves,
    ),
    played("ports::a_pool_names_gateway_ports_and_eip", room::pool).limit(LONG),
    played(
        "ports::a_full_gateway_gives_a_pod_all_or_nothing",
        room::all_or_nothing,
    )
    .limit(LONG),
    played("ports::an_entry_that_stays_pending_is_named", room::stuck).limit(LONG),
    played("ports::an_entry_that_was_edited_is_mended", room::mended).limit(LONG),
    played(
        "ports::an_annotation_or_a_record_that_goes_takes_the_ports_with_it",
        crash::taken_away,
    ),
    played(
        "ports::sigkill_after_the_call_ends_with_one_entry_for_each_port",
        crash::after_the_call,
    )
    .limit(LONG),
    played(
        "ports::sigkill_and_the_pod_gone_leaves_no_entry",
        crash::without_pod,
    )
    .limit(LONG),
];
