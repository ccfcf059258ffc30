//! Which test names a word selects, and how the names of `#[test]` functions begin.

use std::path::Path;

/// Whether `name` has `word` as a whole word: neither side of it is a letter, a digit or an underscore (`grep -wF`).
pub fn has_word(name: &str, word: &str) -> bool {
    !word.is_empty()
        && name.match_indices(word).any(|(at, found)| {
            let before = name[..at].chars().next_back();
            let after = name[at + found.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What goes before the path of a test: nothing for the agent's own unit tests, the file's name for `tests/NAME.rs`,
/// the package's name first for every other package.
///
/// `folder` is the package's folder relative to the checkout, "" for the agent; `kind` is cargo's target kind.
pub fn prefix(folder: &Path, kind: &str, target: &str) -> String {
    let package = folder
        .file_name()
        .map(|name| format!("{}::", name.to_string_lossy()))
        .unwrap_or_default();
    match kind {
        "lib" => package,
        "bin" => format!("{package}main::"),
        _ => format!("{package}{target}::"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_no_word_character_beside_it() {
        for (name, word, expected) in [
            ("eip::plan::tests::binds", "eip", true),
            ("eip::binds", "binds", true),
            ("eip_binds", "eip", false),
            ("reip::x", "eip", false),
            ("eip2::x", "eip", false),
            ("eip_x::eip", "eip", true),
            ("eip::plan::x", "eip::plan", true),
            ("eip::planned", "eip::plan", false),
            ("EIP::x", "eip", false),
            ("eip", "eip", true),
            ("eip", "", false),
        ] {
            assert_eq!(has_word(name, word), expected, "{name} {word}");
        }
    }

    #[test]
    fn a_prefix_says_where_the_test_lives() {
        for (folder, kind, target, expected) in [
            ("", "lib", "eipd", ""),
            ("", "bin", "eipd", "main::"),
            ("", "test", "eip", "eip::"),
            ("hack/cloudsim", "lib", "cloudsim", "cloudsim::"),
            ("hack/cloudsim", "bin", "cloudsim", "cloudsim::main::"),
            ("hack/cloudsim", "test", "http", "cloudsim::http::"),
        ] {
            assert_eq!(prefix(Path::new(folder), kind, target), expected);
        }
    }
}
