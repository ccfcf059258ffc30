//! An action's arguments, and reading them with the API's own errors.

use std::collections::BTreeMap;

use super::ApiError;

/// Arguments by name; lists are `Name.1`, `Name.2`, ...
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args(pub BTreeMap<String, String>);

impl Args {
    /// A value that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A mandatory value.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::missing(name))
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<Option<u32>, ApiError> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| ApiError::invalid(name, "not a number"))
        };
        self.get(name).map(parse).transpose()
    }

    /// A boolean in any spelling of true and false (SDKs send `True` as well as `true`).
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ApiError::invalid(name, "neither true nor false")),
        };
        self.get(name).map(parse).transpose()
    }

    /// `Name.1`, `Name.2`, ... in the order of their numbers.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let prefix = format!("{name}.");
        let numbered = self.0.iter().filter_map(|(key, value)| {
            let index: u32 = key.strip_prefix(&prefix)?.parse().ok()?;
            Some((index, value.as_str()))
        });
        let sorted: BTreeMap<u32, &str> = numbered.collect();
        sorted
            .into_values()
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// `a,b,c` of one argument, each part trimmed.
    pub fn comma_list(&self, name: &str) -> Vec<&str> {
        let parts = self.get(name).unwrap_or("").split(',');
        parts
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// `Name.N.Key` with its `Name.N.Value`, in the order of their numbers. A value may be
    /// absent; a value without a key is an error.
    pub fn pairs(&self, name: &str) -> Result<Vec<(String, Option<String>)>, ApiError> {
        let mut found: BTreeMap<u32, (Option<String>, Option<String>)> = BTreeMap::new();
        let prefix = format!("{name}.");
        for (key, value) in &self.0 {
            let Some((index, field)) = key.strip_prefix(&prefix).and_then(|k| k.split_once('.'))
            else {
                continue;
            };
            let Ok(index) = index.parse() else { continue };
            let entry = found.entry(index).or_default();
            match field {
                "Key" => entry.0 = Some(value.clone()),
                "Value" => entry.1 = Some(value.clone()),
                _ => {}
            }
        }
        let complete = |(key, value): (Option<String>, Option<String>)| {
            let key = key.filter(|key| !key.is_empty());
            key.map(|key| (key, value))
                .ok_or_else(|| ApiError::missing(&format!("{name}.N.Key")))
        };
        found.into_values().map(complete).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(pairs: &[(&str, &str)]) -> Args {
        Args(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn booleans_are_read_in_both_spellings() {
        let args = args(&[("A", "True"), ("B", "false"), ("C", "yes")]);
        assert_eq!(args.boolean("A"), Ok(Some(true)));
        assert_eq!(args.boolean("B"), Ok(Some(false)));
        assert!(args.boolean("C").is_err());
        assert_eq!(args.boolean("D"), Ok(None));
    }

    #[test]
    fn lists_are_ordered_by_number_not_by_text() {
        let args = args(&[("R.10", "c"), ("R.2", "b"), ("R.1", "a")]);
        assert_eq!(args.list("R"), ["a", "b", "c"]);
    }

    #[test]
    fn a_tag_value_without_a_key_is_refused() {
        let args = args(&[("Tag.1.Value", "x")]);
        assert_eq!(args.pairs("Tag").unwrap_err().code, "MissingParameter");
    }
}
