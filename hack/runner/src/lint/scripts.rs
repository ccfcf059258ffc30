//! Scripts are read by their interpreter without being run, so that a slip in a branch seldom taken is found.

use std::path::{Path, PathBuf};

use super::{LIMIT, failed};
use crate::process::{Job, ProcessError, Supervisor};

/// Compiles a Python file without writing the result anywhere.
const COMPILE: &str =
    "import sys; [compile(open(name, 'rb').read(), name, 'exec') for name in sys.argv[1:]]";

/// `bash -n` on every shell script.
pub async fn shell(
    root: &Path,
    files: &[PathBuf],
    supervisor: &Supervisor,
) -> Result<String, ProcessError> {
    let mut found = String::new();
    for script in written_for(root, files, "sh", "bash") {
        let job = Job::new(root, "bash", LIMIT).arguments(["-n".as_ref(), script.as_os_str()]);
        found.push_str(&failed(supervisor.capture(&job).await?));
    }
    Ok(found)
}

pub async fn python(
    root: &Path,
    files: &[PathBuf],
    supervisor: &Supervisor,
) -> Result<String, ProcessError> {
    let scripts = written_for(root, files, "py", "python3");
    let job = Job::new(root, "python3", LIMIT)
        .arguments(["-c", COMPILE])
        .arguments(scripts);
    Ok(failed(supervisor.capture(&job).await?))
}

/// The files whose ending or first line names the language.
fn written_for<'a>(
    root: &Path,
    files: &'a [PathBuf],
    ending: &str,
    interpreter: &str,
) -> Vec<&'a PathBuf> {
    let is_one = |file: &&PathBuf| {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        file.extension()
            .is_some_and(|extension| extension == ending)
            || names_interpreter(&text, interpreter)
    };
    files.iter().filter(is_one).collect()
}

fn names_interpreter(text: &str, interpreter: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("#!")
        .is_some_and(|rest| rest.split(['/', ' ']).any(|word| word == interpreter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_interpreter() {
        for (line, interpreter, expected) in [
            ("#!/usr/bin/env bash", "bash", true),
            ("#!/bin/bash -e", "bash", true),
            ("# bash", "bash", false),
            ("#!/usr/bin/env python3", "python3", true),
            ("#!/usr/bin/env python3", "bash", false),
            ("", "bash", false),
        ] {
            assert_eq!(names_interpreter(line, interpreter), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn a_broken_script_is_found() {
        let folder = std::env::temp_dir().join(format!("eipd-scripts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("good.sh"), "true\n").unwrap();
        std::fs::write(folder.join("bad"), "#!/bin/bash\nif true\n").unwrap();
        std::fs::write(folder.join("bad.py"), "def\n").unwrap();
        let supervisor = Supervisor::new().unwrap();
        let good = shell(&folder, &["good.sh".into()], &supervisor)
            .await
            .unwrap();
        let bad = shell(&folder, &["good.sh".into(), "bad".into()], &supervisor)
            .await
            .unwrap();
        let bad_python = python(&folder, &["bad.py".into()], &supervisor)
            .await
            .unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(good, "");
        assert!(bad.contains("bad: line"), "{bad}");
        assert!(bad_python.contains("SyntaxError"), "{bad_python}");
    }
}
