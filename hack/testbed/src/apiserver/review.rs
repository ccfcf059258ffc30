//! `SelfSubjectAccessReview`: everything is allowed that no test forbids.

use super::ApiServer;
use super::route::{Call, Verb};
use super::state::State;
use serde_json::{Value, json};

impl ApiServer {
    /// Access reviews say no to `verb` on `resource` ("pods", "pods/status"); requests themselves are let through.
    pub fn deny(&self, verb: &str, resource: &str) {
        self.shared.lock().denied.push(format!("{verb} {resource}"));
    }
}

/// None: no access review.
pub fn answer(state: &State, call: &Call) -> Option<Value> {
    if call.resource != "selfsubjectaccessreviews" || call.verb != Verb::Create {
        return None;
    }
    let asked = &call.body["spec"]["resourceAttributes"];
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let resource = match text("subresource") {
        "" => text("resource").to_owned(),
        sub => format!("{}/{sub}", text("resource")),
    };
    let right = format!("{} {resource}", text("verb"));
    let mut answer = call.body.clone();
    answer["status"] = json!({ "allowed": !state.denied.contains(&right) });
    Some(answer)
}
