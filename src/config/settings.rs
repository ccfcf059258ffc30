//! File and environment -> one value per key, with its origin, and typed readers for them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::error::{ConfigError, Origin, shown};
use super::keys::{self, Found, Key};
use super::yaml::{self, Entry, Value};

/// A value and where it was given.
pub(super) struct Given {
    pub path: String,
    pub origin: Origin,
    pub value: Value,
    secret: bool,
}

/// What was given, by the key's path. Null and empty text count as not given.
pub(super) struct Settings {
    given: BTreeMap<&'static str, Given>,
    /// Complaints that are no reason to refuse the file.
    pub warnings: Vec<String>,
}

/// Walks the file.
struct Walk<'a> {
    file: &'a str,
    given: BTreeMap<&'static str, Given>,
    unknown: Vec<(String, Origin)>,
}

// === impl Settings ===

impl Settings {
    /// Everything that `text` and `env` give. Unknown keys are refused, unless the file is one of
    /// ack-extend-network-controller's: then they are warned of, for its versions differ.
    pub fn collect(
        file: &str,
        text: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let root = yaml::read(file, text)?;
        let is_enc = is_enc_form(&root);
        let mut walk = Walk {
            file,
            given: BTreeMap::new(),
            unknown: Vec::new(),
        };
        walk.section("", root, &walk.at(1))?;
        let warnings = unknown(&walk.unknown, is_enc)?;
        let mut settings = Self {
            given: walk.given,
            warnings,
        };
        settings.override_by(env);
        Ok(settings)
    }

    fn override_by(&mut self, env: &BTreeMap<String, String>) {
        for key in &keys::KEYS {
            let Some(name) = key.env else { continue };
            let Some(value) = env.get(name).filter(|value| !value.is_empty()) else {
                continue;
            };
            let given = Given {
                path: key.path.to_owned(),
                origin: Origin::Env(name),
                value: Value::Text(value.clone()),
                secret: key.secret,
            };
            self.given.insert(key.path, given);
        }
    }

    /// What is given for a key of the table.
    pub fn get(&self, path: &str) -> Option<&Given> {
        self.given.get(path)
    }

    /// Text; a whole number is taken as written.
    pub fn text(&self, path: &str) -> Result<Option<String>, ConfigError> {
        self.get(path).map(Given::text).transpose()
    }

    /// True or false.
    pub fn flag(&self, path: &str) -> Result<Option<bool>, ConfigError> {
        self.get(path).map(Given::flag).transpose()
    }

    /// A whole number within `range`.
    pub fn whole(
        &self,
        path: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ConfigError> {
        self.get(path).map(|given| given.whole(range)).transpose()
    }

    /// Text that `T` is parsed from; `wanted` says in the error what it should be.
    pub fn parsed<T: FromStr>(&self, path: &str, wanted: &str) -> Result<Option<T>, ConfigError> {
        self.get(path).map(|given| given.parsed(wanted)).transpose()
    }

    /// A list of text; from the environment, separated by commas.
    pub fn list(&self, path: &str) -> Result<Option<Vec<String>>, ConfigError> {
        self.get(path).map(Given::list).transpose()
    }
}

/// A file of ack-extend-network-controller has its required key and none of ours.
fn is_enc_form(root: &Value) -> bool {
    let Value::Map(entries) = root else {
        return false;
    };
    let has = |name: &str| entries.iter().any(|entry| entry.key == name);
    has(keys::ENC_ROOT) && !keys::OWN_ROOTS.into_iter().any(has)
}

fn unknown(unknown: &[(String, Origin)], is_enc: bool) -> Result<Vec<String>, ConfigError> {
    let problem = |path: &str| match keys::suggest(path) {
        Some(near) => format!("unknown key; did you mean {near}?"),
        None => "unknown key".to_owned(),
    };
    match unknown.first() {
        Some((path, origin)) if !is_enc => Err(ConfigError::refused(origin, path, problem(path))),
        _ => Ok(unknown
            .iter()
            .map(|(path, origin)| format!("{origin}: {}: {}, ignored", shown(path), problem(path)))
            .collect()),
    }
}

// === impl Walk ===

impl Walk<'_> {
    fn at(&self, line: u64) -> Origin {
        Origin::File {
            file: self.file.to_owned(),
            line,
        }
    }

    fn section(&mut self, path: &str, value: Value, origin: &Origin) -> Result<(), ConfigError> {
        match value {
            Value::Null => Ok(()),
            Value::Map(entries) => entries
                .into_iter()
                .try_for_each(|entry| self.entry(path, entry)),
            other => {
                let name = if path.is_empty() { "the file" } else { path };
                let problem = format!("expected a mapping of keys, found {}", other.kind());
                Err(ConfigError::refused(origin, name, problem))
            }
        }
    }

    fn entry(&mut self, parent: &str, entry: Entry) -> Result<(), ConfigError> {
        let path = match parent {
            "" => entry.key,
            parent => format!("{parent}.{}", entry.key),
        };
        let origin = self.at(entry.line);
        match keys::find(&path) {
            Found::Section => self.section(&path, entry.value, &origin),
            Found::Key(key) => self.set(key, path, origin, entry.value),
            Found::Unknown => {
                self.unknown.push((path, origin));
                Ok(())
            }
        }
    }

    fn set(
        &mut self,
        key: &'static Key,
        path: String,
        origin: Origin,
        value: Value,
    ) -> Result<(), ConfigError> {
        if value == Value::Null || value == Value::Text(String::new()) {
            return Ok(());
        }
        if let Some(before) = self.given.get(key.path)
            && before.value != value
        {
            let problem = format!(
                "differs from {} ({}), which means the same",
                before.path, before.origin
            );
            return Err(ConfigError::refused(&origin, &path, problem));
        }
        self.given.insert(
            key.path,
            Given {
                path,
                origin,
                value,
                secret: key.secret,
            },
        );
        Ok(())
    }
}

// === impl Given ===

impl Given {
    /// An element or field of this one, for messages.
    pub fn part(&self, name: impl Display, value: Value) -> Self {
        Self {
            path: format!("{}{name}", self.path),
            origin: self.origin.clone(),
            value,
            secret: self.secret,
        }
    }

    /// An error about this value.
    pub fn refuse(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError::refused(&self.origin, &self.path, problem)
    }

    /// Says what was wanted and what is there; the value itself only where it is no secret.
    pub fn unexpected(&self, wanted: &str) -> ConfigError {
        let found = match &self.value {
            _ if self.secret => self.value.kind().to_owned(),
            Value::Text(text) => format!("{:?}", shown(text)),
            Value::Flag(flag) => flag.to_string(),
            Value::Whole(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            other => other.kind().to_owned(),
        };
        self.refuse(format!("expected {wanted}, found {found}"))
    }

    pub fn text(&self) -> Result<String, ConfigError> {
        match &self.value {
            Value::Text(text) => Ok(text.clone()),
            Value::Whole(number) => Ok(number.to_string()),
            Value::Flag(_) | Value::Float(_) => Err(self.unexpected("text (put it in quotes)")),
            _ => Err(self.unexpected("text")),
        }
    }

    pub fn flag(&self) -> Result<bool, ConfigError> {
        match (&self.value, &self.origin) {
            (Value::Flag(flag), _) => Ok(*flag),
            (Value::Text(text), Origin::Env(_)) if text == "true" => Ok(true),
            (Value::Text(text), Origin::Env(_)) if text == "false" => Ok(false),
            _ => Err(self.unexpected("true or false")),
        }
    }

    pub fn whole(&self, range: RangeInclusive<u32>) -> Result<u32, ConfigError> {
        let number = match (&self.value, &self.origin) {
            (Value::Whole(number), _) => u32::try_from(*number).ok(),
            (Value::Text(text), Origin::Env(_)) => text.parse().ok(),
            _ => None,
        };
        let wanted = || format!("a whole number from {} to {}", range.start(), range.end());
        number
            .filter(|n| range.contains(n))
            .ok_or_else(|| self.unexpected(&wanted()))
    }

    /// A finite number above 0.
    pub fn rate(&self) -> Result<f64, ConfigError> {
        let number = match (&self.value, &self.origin) {
            // Far below 2^53 in practice; beyond that the rounding does no harm to a rate.
            #[allow(clippy::cast_precision_loss)]
            (Value::Whole(number), _) => Some(*number as f64),
            (Value::Float(number), _) => Some(*number),
            (Value::Text(text), Origin::Env(_)) => text.parse().ok(),
            _ => None,
        };
        number
            .filter(|n| n.is_finite() && *n > 0.0)
            .ok_or_else(|| self.unexpected("a number above 0"))
    }

    pub fn parsed<T: FromStr>(&self, wanted: &str) -> Result<T, ConfigError> {
        match &self.value {
            Value::Text(text) => text.parse().map_err(|_| self.unexpected(wanted)),
            _ => Err(self.unexpected(wanted)),
        }
    }

    pub fn list(&self) -> Result<Vec<String>, ConfigError> {
        match (&self.value, &self.origin) {
            (Value::Text(text), Origin::Env(_)) => Ok(text
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect()),
            _ => self.items()?.iter().map(Self::text).collect(),
        }
    }

    /// The elements of a list; empty ones are left out.
    pub fn items(&self) -> Result<Vec<Self>, ConfigError> {
        Ok(self.elements()?.into_iter().filter(Self::is_set).collect())
    }

    /// The elements of a list.
    pub fn elements(&self) -> Result<Vec<Self>, ConfigError> {
        let Value::List(items) = &self.value else {
            return Err(self.unexpected("a list"));
        };
        let element = |(n, value): (usize, &Value)| self.part(format!("[{n}]"), value.clone());
        Ok(items.iter().enumerate().map(element).collect())
    }

    /// The fields of a mapping, each with its own line; a name that is not in `known` is refused, empty ones are left out.
    pub fn fields(&self, known: &[&str]) -> Result<BTreeMap<String, Self>, ConfigError> {
        let fields = self.all_fields(known)?;
        let set = |(_, field): &(String, Self)| field.is_set();
        Ok(fields.into_iter().filter(set).collect())
    }

    /// As [`Self::fields`], the empty ones too.
    pub fn all_fields(&self, known: &[&str]) -> Result<BTreeMap<String, Self>, ConfigError> {
        let fields = self.entries()?;
        let unknown = |(name, _): &&(String, Self)| !known.contains(&name.as_str());
        match fields.iter().find(unknown) {
            Some((_, field)) => {
                Err(field.refuse(format!("unknown key; there are {}", known.join(", "))))
            }
            None => Ok(fields.into_iter().collect()),
        }
    }

    /// What a mapping holds, whatever its keys are, each with its own line.
    pub fn entries(&self) -> Result<Vec<(String, Self)>, ConfigError> {
        let Value::Map(entries) = &self.value else {
            return Err(self.unexpected("a mapping"));
        };
        let field = |entry: &Entry| {
            let mut field = self.part(format!(".{}", entry.key), entry.value.clone());
            if let Origin::File { line, .. } = &mut field.origin {
                *line = entry.line;
            }
            (entry.key.clone(), field)
        };
        Ok(entries.iter().map(field).collect())
    }

    fn is_set(&self) -> bool {
        self.value != Value::Null && self.value != Value::Text(String::new())
    }
}
