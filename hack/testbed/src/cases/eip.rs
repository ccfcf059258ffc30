//! EIPs on real parts: the agent's binary against a real API server, and the `DaemonSet` on real kubelets.
//!
//! The same stories are told in virtual time by `tests/eip`; here they show that the doubles there did not lie.

mod account;
mod asked;
mod changeover;
mod crash;
mod hands;
mod identity;
pub(super) mod kubelets;
pub(super) mod life;
mod quiet;
pub(super) mod sight;
pub(super) mod wait;
mod wired;

use std::time::Duration;

use super::{Case, Ring};
use crate::world::World;

/// For what waits for a call to count as lost, or watches that nothing happens.
const LONG: Duration = Duration::from_mins(5);

const fn played(name: &'static str, run: Run) -> Case<World> {
    Case::new(name, Ring::Processes, run)
}

const fn real(name: &'static str, run: Run) -> Case<World> {
    Case::new(name, Ring::Nodes, run).limit(LONG)
}

const fn wired(name: &'static str, run: Run) -> Case<World> {
    Case::new(name, Ring::Wired, run).limit(LONG)
}

type Run = for<'a> fn(&'a mut World) -> super::CaseFuture<'a>;

pub const CASES: &[Case<World>] = &[
    played("eip::binds_and_gives_back", life::binds_and_gives_back),
    played(
        "eip::a_pod_deleted_before_it_has_an_ip_leaves_nothing",
        life::deleted_before_its_ip,
    ),
    played(
        "eip::a_name_created_again_at_once_gets_an_eip_of_its_own",
        life::created_again_at_once,
    ),
    played(
        "eip::a_pod_that_kubelet_refuses_costs_no_allocate",
        life::refused_by_kubelet,
    ),
    played(
        "eip::an_annotation_that_goes_takes_the_eip_with_it",
        life::annotation_goes,
    ),
    played(
        "eip::sigkill_after_allocate_ends_with_one_eip",
        crash::after_allocate,
    )
    .limit(LONG),
    played(
        "eip::sigkill_after_allocate_and_the_pod_gone_leaves_nothing",
        crash::after_allocate_without_pod,
    )
    .limit(LONG),
    played(
        "eip::sigkill_after_associate_and_the_pod_gone_leaves_nothing",
        crash::after_associate_without_pod,
    )
    .limit(LONG),
    played(
        "eip::a_second_agent_of_the_node_says_so_and_leaves",
        crash::second_agent,
    ),
    played(
        "eip::sigterm_leaves_the_binding_to_the_next_agent",
        crash::sigterm_at_rest,
    ),
    played(
        "eip::sigterm_waits_for_the_answer_in_flight",
        crash::sigterm_in_flight,
    ),
    played(
        "eip::bad_input_is_an_event_and_no_cloud_call",
        hands::bad_input,
    ),
    played(
        "eip::an_edited_allocation_id_never_releases_a_strangers_eip",
        hands::edited_record,
    ),
    played(
        "eip::the_crd_deleted_under_living_pods_gives_nothing_back",
        hands::deleted_crd,
    )
    .alone()
    .limit(LONG),
    played(
        "eip::the_role_of_the_node_signs_also_after_its_keys_end",
        quiet::role_signs,
    ),
    played("eip::a_role_is_taken_by_the_pods_own_token", identity::rrsa),
    played(
        "eip::doctor_finds_nothing_amiss_and_then_what_is",
        identity::doctor,
    ),
    played(
        "eip::no_secret_is_printed_at_the_most_talkative",
        quiet::talkative,
    )
    .alone(),
    played(
        "eip::a_used_up_quota_is_waited_for_and_ends_by_itself",
        account::quota,
    ),
    played(
        "eip::a_changed_bandwidth_reaches_the_eip_where_that_is_allowed",
        account::live_bandwidth,
    ),
    played(
        "eip::a_named_eip_is_taken_from_its_holder_where_that_is_allowed",
        account::robbed,
    ),
    played(
        "eip::a_changed_request_of_a_living_pod_is_followed",
        asked::changed_request,
    ),
    played(
        "eip::a_pod_whose_address_changes_has_its_eip_there",
        asked::changed_address,
    ),
    played(
        "eip::a_namespaces_limits_are_an_event_and_cost_nothing",
        asked::limits,
    ),
    played(
        "eip::while_terways_function_is_on_nothing_new_is_started",
        asked::terway,
    ),
    played(
        "eip::many_records_deleted_at_once_give_nothing_back",
        asked::storm,
    )
    .alone(),
    played(
        "eip::what_another_controller_left_is_taken_over_as_it_stands",
        changeover::taken_over,
    )
    .alone()
    .limit(LONG),
    played("eip::at_rest_nothing_is_asked_or_written", quiet::at_rest),
    real("eip::deployment_on_real_kubelets", kubelets::deployment),
    real(
        "eip::agent_killed_on_a_real_kubelet_while_a_pod_is_created",
        kubelets::agent_killed,
    ),
    real(
        "eip::a_pod_that_a_real_kubelet_refuses_costs_no_allocate",
        kubelets::refused,
    ),
    real(
        "eip::a_name_created_again_at_once_on_a_real_kubelet",
        kubelets::created_again_at_once,
    ),
    wired(
        "wired::an_exclusive_eni_is_found_without_asking_ecs",
        wired::exclusive,
    ),
    wired(
        "wired::a_member_eni_is_found_by_terways_object_or_by_ecs",
        wired::member,
    ),
    wired(
        "wired::an_address_that_was_changed_inside_the_pod_waits",
        wired::changed_inside,
    ),
    wired("wired::doctor_runs_in_the_agents_container", wired::doctor),
];
