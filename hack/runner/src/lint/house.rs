//! The house rules that a machine can check, for every text file of the checkout.

use std::path::Path;

/// No Rust file is longer.
const MOST_LINES: usize = 400;

/// The characters of a folder that exists on somebody's machine only. (Taken apart here, or this file would be found.)
const MACHINE_PATHS: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/fa", "rm/"),
    concat!("/ho", "me/"),
];

/// Hosts that packages and images come from: which mirror is used is each machine's own affair.
const REGISTRIES: [&str; 10] = [
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("sum.golang", ".org"),
    concat!("deb.debian", ".org"),
    concat!("registry.k8s", ".io"),
    concat!("gh", "cr.io"),
    concat!("quay", ".io"),
];

/// What says that something is not finished.
const LEFTOVERS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("#[", "ignore"),
];

/// One line per breach.
pub fn findings<P: AsRef<Path>>(root: &Path, files: &[P]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().map(AsRef::as_ref) {
        // What is no text is none of our business.
        if let Ok(text) = std::fs::read_to_string(root.join(file)) {
            let said = breaches(file, &text);
            found.extend(
                said.into_iter()
                    .map(|breach| format!("{}:{breach}", file.display())),
            );
        }
    }
    found
}

/// `LINE: what is wrong` for each breach of the rules by a file with this text.
fn breaches(file: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if file.extension().is_some_and(|extension| extension == "rs") {
        found.extend(rust_breaches(file, text));
    }
    if file
        .extension()
        .is_some_and(|extension| extension == "lock" || extension == "sum")
    {
        return found; // written by tools
    }
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        found.extend(
            machine_path(line).map(|path| format!("{number}: a path of one machine: {path}")),
        );
        found.extend(
            first(line, &REGISTRIES)
                .map(|host| format!("{number}: a package registry's host: {host}")),
        );
        found.extend(first(line, &LEFTOVERS).map(|word| format!("{number}: not finished: {word}")));
    }
    found
}

fn rust_breaches(file: &Path, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let mut found = Vec::new();
    if lines > MOST_LINES {
        found.push(format!("{lines}: more than {MOST_LINES} lines"));
    }
    if file.ends_with("mod.rs") {
        found.push("1: a mod.rs; write foo.rs beside foo/".to_owned());
    }
    if !text.starts_with("//! ") {
        found.push("1: the first line does not say (`//! ...`) what the file is for".to_owned());
    }
    found
}

/// A path that begins here, not one that goes on: `$folder/root/x` is no machine's.
fn machine_path(line: &str) -> Option<&'static str> {
    let begins = |(at, _): (usize, &str)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_}.-)".contains(c))
    };
    MACHINE_PATHS
        .into_iter()
        .find(|path| line.match_indices(path).any(begins))
}

fn first<'a>(line: &str, patterns: &[&'a str]) -> Option<&'a str> {
    patterns
        .iter()
        .copied()
        .find(|pattern| line.contains(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(file: &str, text: &str) -> usize {
        breaches(Path::new(file), text).len()
    }

    #[test]
    fn a_rust_file_is_short_and_says_its_job() {
        assert_eq!(breaches_of("src/a.rs", "//! One job.\n"), 0);
        assert_eq!(breaches_of("src/a.rs", "fn main() {}\n"), 1);
        assert_eq!(breaches_of("src/a/mod.rs", "//! One job.\n"), 1);
        assert_eq!(
            breaches_of("src/a.rs", &format!("//! One job.\n{}", "\n".repeat(399))),
            0
        );
        assert_eq!(
            breaches_of("src/a.rs", &format!("//! One job.\n{}", "\n".repeat(400))),
            1
        );
        assert_eq!(breaches_of("a.md", &"\n".repeat(400)), 0);
    }

    #[test]
    fn every_text_is_free_of_machine_paths_hosts_and_markers() {
        for pattern in MACHINE_PATHS.iter().chain(&REGISTRIES).chain(&LEFTOVERS) {
            let found = breaches(Path::new("hack/a.sh"), &format!("true\ntrue {pattern}x\n"));
            assert_eq!(found.len(), 1, "{pattern}");
            assert!(found[0].starts_with("2: "), "{found:?}");
        }
    }

    #[test]
    fn a_folder_below_another_is_no_machine_path() {
        let path = MACHINE_PATHS[1];
        assert_eq!(
            breaches_of("a.sh", &format!("cp x \"$work{path}x\" a{path}")),
            0
        );
        assert_eq!(breaches_of("a.sh", &format!("cp x {path}x")), 1);
    }

    #[test]
    fn files_written_by_tools_may_name_hosts() {
        assert_eq!(breaches_of("Cargo.lock", REGISTRIES[0]), 0);
        assert_eq!(breaches_of("go.sum", REGISTRIES[4]), 0);
    }
}
