//! Reading objects that others wrote: what does not fit counts as absent, for one odd record must never stop a watch.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// Reads a field whatever stands there; null and anything of another shape become the default.
///
/// The CRD may be somebody else's, with a looser schema or none, and a typed list fails as a whole for one bad item.
pub fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

/// As [`lenient`], item by item: an odd item is left out, its neighbours stay.
pub fn lenient_items<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let items: Vec<serde_json::Value> = lenient(deserializer)?;
    Ok(items
        .into_iter()
        .filter_map(|item| T::deserialize(item).ok())
        .collect())
}
