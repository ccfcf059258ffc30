//! `ram/security-credentials/`: the instance's role and its temporary credentials.

use serde_json::json;

use crate::clock::{Ms, iso};
use crate::state::State;
use crate::world::Instance;

/// The role's name, or its present credentials; none = 404.
pub fn page(state: &mut State, instance: &Instance, rest: &str, now: Ms) -> Option<String> {
    let role = instance.role.as_ref()?;
    if rest.is_empty() {
        return Some(role.clone());
    }
    if rest != role {
        return None;
    }
    let times = (
        state.settings.metadata.credentials_ms,
        state.settings.metadata.credentials_overlap_ms,
    );
    let State {
        identities,
        ids,
        clock,
        ..
    } = state;
    let set = identities.of_instance(ids, (&instance.id, role), now, times);
    let answer = json!({
        "Code": "Success",
        "AccessKeyId": set.id,
        "AccessKeySecret": set.secret,
        "SecurityToken": set.token,
        "Expiration": iso(clock.wall(set.expires_ms)),
        "LastUpdated": iso(clock.wall(set.made_ms)),
    });
    Some(answer.to_string())
}
