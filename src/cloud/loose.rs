//! Reading the cloud's JSON: declared types are not kept there (numbers for strings, strings for bools).

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string, number or bool as text; null and absent as "".
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Array(_) | Value::Object(_) => Err(serde::de::Error::custom(
            "a list or an object where text is due",
        )),
    }
}

/// As [`text`], with "" as None: the cloud says so where there is nothing.
pub fn some_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    text(from).map(|text| Some(text).filter(|text| !text.is_empty()))
}

/// A whole number, also where it comes as text.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    text(from)?
        .parse()
        .map_err(|_| serde::de::Error::custom("no whole number where one is due"))
}
