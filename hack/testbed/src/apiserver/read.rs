//! Get and list: pages, old versions, and the shorter forms of objects.

use super::form::Form;
use super::json;
use super::kind::Kind;
use super::refusal::Refusal;
use super::route::Call;
use super::selector::Selector;
use super::state::State;
use super::store::{Object, Slot};
use serde_json::{Value, json};

pub fn get(state: &mut State, kind: &Kind, call: &Call, view: u64) -> Result<Value, Refusal> {
    let namespace = call.namespace.as_deref().unwrap_or_default();
    let form = Form::of(&call.accept, &call.query);
    let slot = Slot::new(namespace, &call.name);
    // resourceVersion=0 is answered from the watch cache, which may lag; without it the answer is live
    let object = match call.param("resourceVersion") {
        "" => state.store.get(&kind.resource, &slot),
        _ => state.store.table(&kind.resource).as_of(view).remove(&slot),
    };
    let object = object.ok_or_else(|| Refusal::not_found(kind, &call.name))?;
    Ok(form.one(kind, &object))
}

/// The names of what a list covers, in order.
pub fn matching(state: &State, kind: &Kind, call: &Call) -> Result<Vec<Object>, Refusal> {
    let selector = selector(kind, call)?;
    Ok(state
        .store
        .all(&kind.resource)
        .filter(|o| selector.lets_through(o))
        .cloned()
        .collect())
}

pub fn selector(kind: &Kind, call: &Call) -> Result<Selector, Refusal> {
    let (labels, fields) = (call.param("labelSelector"), call.param("fieldSelector"));
    let mut selector = Selector::parse(kind, call.namespace.as_deref(), labels, fields)?;
    if call.namespace.is_none() || !kind.namespaced {
        selector = Selector::parse(kind, None, labels, fields)?;
    }
    Ok(selector)
}

/// Where a list stands: the version it is read at and the slot that its page begins after.
struct Page {
    version: u64,
    after: Option<Slot>,
    limit: usize,
}

pub fn list(state: &mut State, kind: &Kind, call: &Call, view: u64) -> Result<Value, Refusal> {
    let selector = selector(kind, call)?;
    let page = page(state, kind, call, view)?;
    let objects = state.store.table(&kind.resource).as_of(page.version);
    let rest = objects.into_iter().filter(|(slot, o)| {
        page.after.as_ref().is_none_or(|a| slot > a) && selector.lets_through(o)
    });
    let mut rest: Vec<(Slot, Object)> = rest.collect();
    let more = rest.split_off(page.limit.min(rest.len())).len();
    let mut meta = json!({ "resourceVersion": page.version.to_string() });
    if let (true, Some((last, _))) = (more > 0, rest.last()) {
        meta["continue"] =
            Value::from(format!("{}:{}/{}", page.version, last.namespace, last.name));
        if !selector.is_narrow() {
            meta["remainingItemCount"] = Value::from(more);
        }
    }
    let objects: Vec<Object> = rest.into_iter().map(|(_, object)| object).collect();
    Ok(Form::of(&call.accept, &call.query).many(kind, &objects, &meta))
}

fn page(state: &mut State, kind: &Kind, call: &Call, view: u64) -> Result<Page, Refusal> {
    let limit: usize = call
        .param("limit")
        .parse()
        .ok()
        .filter(|n| *n > 0)
        .unwrap_or(usize::MAX);
    if !call.param("continue").is_empty() {
        return next_page(state, kind, call.param("continue"), limit);
    }
    let newest = state.store.version();
    let asked = call.param("resourceVersion");
    let exact = call.param("resourceVersionMatch") == "Exact";
    let page = |version, limit| {
        Ok(Page {
            version,
            after: None,
            limit,
        })
    };
    match asked.parse::<u64>() {
        Err(_) if !asked.is_empty() => Err(Refusal::bad_request(format!(
            "invalid resource version: {asked}"
        ))),
        Err(_) => page(newest, limit),
        // the watch cache answers whole, whatever the limit
        Ok(0) => page(view.min(newest), usize::MAX),
        Ok(version) if exact && version < state.store.table(&kind.resource).oldest() => {
            Err(too_old(version))
        }
        Ok(version) if exact => page(version.min(newest), limit),
        Ok(version) if version > view.min(newest) => Err(too_large(version, view.min(newest))),
        Ok(_) => page(view.min(newest), limit),
    }
}

fn next_page(state: &mut State, kind: &Kind, token: &str, limit: usize) -> Result<Page, Refusal> {
    let bad = || Refusal::bad_request("continue key is not valid");
    let (version, slot) = token.split_once(':').ok_or_else(bad)?;
    let version: u64 = version.parse().map_err(|_| bad())?;
    let (namespace, name) = slot.split_once('/').ok_or_else(bad)?;
    if version < state.store.table(&kind.resource).oldest() {
        return Err(Refusal::expired(
            "The provided continue parameter is too old to display a consistent list result.",
        ));
    }
    let after = Some(Slot::new(namespace, name));
    Ok(Page {
        version,
        after,
        limit,
    })
}

fn too_old(version: u64) -> Refusal {
    Refusal::expired(format!(
        "The resourceVersion for the provided list is too old: {version}"
    ))
}

fn too_large(version: u64, newest: u64) -> Refusal {
    let mut refusal = Refusal::of_code(
        504,
        format!("Too large resource version: {version}, current: {newest}"),
    );
    refusal.retry_after = Some(1);
    refusal
}

/// The name of an object for a listing of the store in a failure's text.
pub fn brief(object: &Value) -> String {
    format!(
        "{}/{}@{}",
        json::namespace(object),
        json::name(object),
        json::version(object)
    )
}
