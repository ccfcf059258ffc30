//! The user's own tags for a new EIP: a JSON object of strings that may not forge ownership.

use std::collections::BTreeMap;

use super::notice::shown;
use crate::api::keys::USER_TAGS;

/// Longest key or value, in characters.
const TAG_MAX: usize = 128;
/// More than any 17 tags need, in bytes, even with each character escaped twice over; read no further.
const INPUT_MAX: usize = 64 * 1024;
/// The cloud's own, and ours: a tag of ours is the proof of ownership. Compared without regard to case.
const RESERVED: [&str; 3] = ["eipd", "aliyun", "acs:"];

/// Reads `{"key": "value", ...}`.
pub(super) fn parse(value: &str) -> Result<BTreeMap<String, String>, String> {
    if value.len() > INPUT_MAX {
        return Err(format!("must have at most {INPUT_MAX} bytes"));
    }
    let tags: BTreeMap<String, String> = serde_json::from_str(value).map_err(|error| {
        format!(
            "must be a JSON object of strings such as {{\"team\":\"a\"}}: {}",
            shown(&error.to_string())
        )
    })?;
    if tags.len() > USER_TAGS {
        return Err(format!(
            "must have at most {USER_TAGS} tags, not {}: an EIP takes 20, and 3 are eipd's",
            tags.len()
        ));
    }
    for (key, value) in &tags {
        check(key, value).map_err(|text| format!("tag \"{}\" {text}", shown(key)))?;
    }
    Ok(tags)
}

fn check(key: &str, value: &str) -> Result<(), String> {
    // Whether the cloud trims keys is not written anywhere: " eipd-record" must not become one of ours.
    let lower = key.trim().to_lowercase();
    if lower.is_empty() {
        return Err("must have a key".into());
    }
    if let Some(reserved) = RESERVED.iter().find(|r| lower.starts_with(**r)) {
        return Err(format!(
            "must not begin with \"{reserved}\", which is reserved"
        ));
    }
    for text in [key, value] {
        if text.chars().count() > TAG_MAX {
            return Err(format!(
                "must have at most {TAG_MAX} characters in key and in value"
            ));
        }
        if text.contains("http://") || text.contains("https://") {
            return Err("must not hold http:// or https://".into());
        }
        if text.contains(char::is_control) {
            return Err("must not hold control characters such as line ends".into());
        }
    }
    Ok(())
}
