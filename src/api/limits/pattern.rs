//! Which namespaces an entry is for: a name, or the beginning of one with `*` behind it.

/// A namespace's name, the beginning of names, or every name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Names may go on after the text.
    open: bool,
}

/// The text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a namespace's name, or its beginning and then *, or * alone")]
pub struct PatternError;

/// Longest name of a namespace, in bytes.
const MAX: usize = 63;

impl Pattern {
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        let (text, open) = match pattern.strip_suffix('*') {
            Some(text) => (text, true),
            None => (pattern, false),
        };
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let begins = !text.starts_with('-') && (open || !text.is_empty());
        let ends = open || !text.ends_with('-');
        if text.len() <= MAX && text.bytes().all(fits) && begins && ends {
            let text = text.to_owned();
            Ok(Self { text, open })
        } else {
            Err(PatternError)
        }
    }

    pub fn matches(&self, namespace: &str) -> bool {
        match self.open {
            true => namespace.starts_with(&self.text),
            false => namespace == self.text,
        }
    }

    /// Whether it matches every namespace that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        (self.open || !other.open) && self.matches(&other.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_star_matches_what_follows() {
        let table = [
            ("team-a", "team-a", true),
            ("team-a", "team-ab", false),
            ("team-a", "team", false),
            ("team-*", "team-", true),
            ("team-*", "team-a", true),
            ("team-*", "team", false),
            ("team-*", "my-team-a", false),
            ("*", "anything", true),
        ];
        for (text, namespace, matches) in table {
            assert_eq!(
                pattern(text).matches(namespace),
                matches,
                "{text} {namespace}"
            );
        }
    }

    #[test]
    fn one_pattern_covers_another() {
        let table = [
            ("*", "team-*", true),
            ("*", "*", true),
            ("team-*", "team-a", true),
            ("team-*", "team-a*", true),
            ("team-a*", "team-*", false),
            ("team-a", "team-a", true),
            ("team-a", "team-a*", false),
            ("team-*", "*", false),
        ];
        for (one, other, covers) in table {
            assert_eq!(
                pattern(one).covers(&pattern(other)),
                covers,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn what_no_namespace_can_be_called_is_no_pattern() {
        let long = "a".repeat(64);
        for text in [
            "", "Team", "a b", "*-a", "a*b", "**", "a_b", "-a", "a-", "a.b", "[a]", &*long,
        ] {
            assert_eq!(Pattern::parse(text), Err(PatternError), "{text}");
        }
    }
}
