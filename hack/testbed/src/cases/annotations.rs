//! What `docs/annotations.md` shows, on a real API server: each case applies the examples of its rows as they stand.
//!
//! A case is found on the page by its name, so a row that names it is what it does; `tests/annotations.rs` checks that the
//! two name each other.

mod around;
mod kept;
mod named;
mod outputs;
mod package;
mod settings;
pub(super) mod stage;
mod switches;
mod wrong;

use std::time::Duration;

use super::{Case, CaseFuture, Ring};
use crate::world::World;

/// For what has to wait for a sweep.
const LONG: Duration = Duration::from_mins(6);

const fn played(
    name: &'static str,
    run: for<'a> fn(&'a mut World) -> CaseFuture<'a>,
) -> Case<World> {
    Case::new(name, Ring::Processes, run)
}

pub const CASES: &[Case<World>] = &[
    played(
        "annotations::each_switch_brings_an_eip",
        switches::each_switch,
    ),
    played("annotations::false_means_none", switches::off),
    played(
        "annotations::the_newer_prefix_wins_and_an_event_says_so",
        switches::precedence,
    ),
    played(
        "annotations::taken_away_from_a_living_pod",
        switches::taken_away,
    ),
    played(
        "annotations::settings_reach_the_cloud",
        settings::reach_the_cloud,
    ),
    played(
        "annotations::wrong_values_are_events_and_cost_nothing",
        wrong::values,
    ),
    played(
        "annotations::a_stateless_pod_keeps_nothing",
        wrong::stateless,
    ),
    played(
        "annotations::an_address_outside_the_vpc_is_told",
        wrong::outside,
    ),
    played(
        "annotations::outputs_are_whole_and_written_once",
        outputs::whole,
    ),
    played("annotations::kubectl_get_shows_the_eip", outputs::columns),
    played(
        "annotations::an_init_container_finds_the_address",
        outputs::downward,
    ),
    played(
        "annotations::a_pod_that_comes_back_has_its_eip_again",
        kept::comes_back,
    )
    .limit(LONG),
    played(
        "annotations::a_named_eip_is_bound_and_left_as_it_is",
        named::bound_and_left,
    ),
    played(
        "annotations::a_bandwidth_package_is_joined_and_left",
        package::joined_and_left,
    ),
    played(
        "annotations::a_finished_job_gives_its_eip_back",
        around::job,
    ),
    played(
        "annotations::the_published_fields_are_enough",
        around::published_fields,
    ),
];
