//! `eip.limits` -> [`Limits`]. Limits guard money and other people's EIPs, so whatever is not quite clear is refused: a key
//! without a value, for one, must not be taken for "no limit".

use std::collections::BTreeMap;

use super::error::{ConfigError, shown};
use super::settings::Given;
use crate::api::limits::{Limit, Limits, Pattern};
use crate::api::request::{self, BANDWIDTH_MAX, ISPS, PROTECTIONS};
use crate::domain::pod::Nameable;

pub(super) const KEYS: [&str; 10] = [
    "namespaces",
    "maxBandwidth",
    "chargeTypes",
    "isps",
    "protectionTypes",
    "packages",
    "pools",
    "resourceGroups",
    "nameEips",
    "eipTags",
];

type Fields = BTreeMap<String, Given>;

pub(super) fn read(given: &Given) -> Result<Limits, ConfigError> {
    let mut limits: Vec<Limit> = Vec::new();
    for entry in given.elements()? {
        let fields = entry.all_fields(&KEYS)?;
        let Some(namespaces) = fields.get("namespaces") else {
            return Err(entry.refuse("namespaces is not set"));
        };
        let namespaces = patterns(namespaces, &limits)?;
        limits.push(limit(namespaces, &fields)?);
    }
    Ok(Limits::new(limits))
}

/// The namespaces of an entry. The first entry holds, so one that an earlier entry has for all its namespaces is a mistake.
fn patterns(given: &Given, earlier: &[Limit]) -> Result<Vec<Pattern>, ConfigError> {
    let items = given.elements()?;
    if items.is_empty() {
        return Err(given.refuse("has no namespace; write \"*\" for all"));
    }
    items.iter().map(|item| pattern(item, earlier)).collect()
}

fn pattern(given: &Given, earlier: &[Limit]) -> Result<Pattern, ConfigError> {
    let pattern =
        Pattern::parse(&given.text()?).map_err(|error| given.unexpected(&error.to_string()))?;
    let covers = |limit: &Limit| limit.namespaces.iter().any(|one| one.covers(&pattern));
    match earlier.iter().position(covers) {
        None => Ok(pattern),
        Some(n) => Err(given.refuse(format!(
            "never holds, for eip.limits[{n}] stands before it and has the same namespaces; move it up"
        ))),
    }
}

fn limit(namespaces: Vec<Pattern>, fields: &Fields) -> Result<Limit, ConfigError> {
    let ids = |name: &str| list(fields, name, request::id);
    Ok(Limit {
        namespaces,
        max_bandwidth: fields
            .get("maxBandwidth")
            .map(|given| given.whole(1..=BANDWIDTH_MAX))
            .transpose()?,
        charge_types: list(fields, "chargeTypes", request::charge_type)?,
        isps: list(fields, "isps", |text| request::one_of(text, &ISPS))?,
        protection_types: list(fields, "protectionTypes", |text| {
            request::one_of(text, &PROTECTIONS)
        })?,
        packages: ids("packages")?,
        pools: ids("pools")?,
        resource_groups: ids("resourceGroups")?,
        nameable: nameable(fields)?,
    })
}

/// A list of which `check` takes each element or says what it must be.
fn list<T>(
    fields: &Fields,
    name: &str,
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<Vec<T>>, ConfigError> {
    let Some(given) = fields.get(name) else {
        return Ok(None);
    };
    let item = |item: Given| {
        let text = item.text()?;
        if text.is_empty() {
            return Err(item.unexpected("text"));
        }
        check(&text).map_err(|problem| item.refuse(format!("\"{}\" {problem}", shown(&text))))
    };
    let items = given.elements()?.into_iter().map(item);
    items.collect::<Result<_, _>>().map(Some)
}

fn nameable(fields: &Fields) -> Result<Nameable, ConfigError> {
    let may = fields.get("nameEips").map(Given::flag).transpose()?;
    match (may, fields.get("eipTags")) {
        (Some(false), Some(tags)) => Err(tags.refuse(
            "nameEips is false, so no EIP may be named whatever its tags; remove one of the two",
        )),
        (Some(false), None) => Ok(Nameable::None),
        (_, None) => Ok(Nameable::Any),
        (_, Some(given)) => tags(given).map(Nameable::With),
    }
}

fn tags(given: &Given) -> Result<BTreeMap<String, String>, ConfigError> {
    let entries = given.entries()?;
    if entries.is_empty() {
        return Err(given.refuse(
            "has no tag; remove it to let every EIP be named, or set nameEips to false for none",
        ));
    }
    entries.into_iter().map(tag).collect()
}

/// A whole number is taken as written, as everywhere; an EIP may have a tag without a value.
fn tag((key, given): (String, Given)) -> Result<(String, String), ConfigError> {
    if key.is_empty() {
        return Err(given.refuse("a tag must have a key"));
    }
    if key.starts_with("eipd") {
        return Err(given.refuse("an EIP with a tag of eipd's can't be named, so this would allow none; set nameEips to false for that"));
    }
    Ok((key, given.text()?))
}
