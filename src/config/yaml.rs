//! YAML text -> values with line numbers, untyped: types are judged key by key, so that errors can name the key.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{SnippetMode, Spanned, UserMessageFormatter, render_options};

use super::error::{ConfigError, shown};

/// A YAML value. It may hold secrets, so it has no `Debug`.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Whole(i128),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<Entry>),
}

/// One key of a mapping and its line, from 1.
#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub line: u64,
    pub value: Value,
}

/// Reads one document; a file of comments only is [`Value::Null`].
pub(super) fn read(file: &str, text: &str) -> Result<Value, ConfigError> {
    // Of YAML 1.1 only what Go's readers agree on: a bare `n` or `off` is text, not false.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        ConfigError::Syntax {
            file: file.to_owned(),
            line: error.location().map_or(1, |at| at.line()),
            problem: shown(&error.render_with_options(render_options! {
                formatter: &UserMessageFormatter,
                // The lines around the error may hold an AccessKey.
                snippets: SnippetMode::Off,
            })),
        }
    })
}

impl Value {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Whole(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        Value::deserialize(from)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = from.next_key::<Spanned<String>>()? {
            let line = key.referenced.line();
            entries.push(Entry {
                key: key.value,
                line,
                value: from.next_value()?,
            });
        }
        Ok(Value::Map(entries))
    }
}
