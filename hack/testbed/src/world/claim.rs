//! Whose a world is: a lock that its maker holds while it lives, and a mark that it was left standing on purpose. A
//! folder with neither is what a killed run has left behind, and is cleared away by the next one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::teardown;

/// Why a world's name cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("a world `{0}` is being used by another process")]
    Used(String),
    #[error("a world `{0}` is standing")]
    Kept(String),
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: io::Error },
}

/// The right to a name, until it is dropped; dropping it removes the world unless it is kept.
#[derive(Debug)]
pub struct Claim {
    tag: String,
    dir: PathBuf,
    lock_path: PathBuf,
    _lock: File,
    keep: bool,
}

impl Claim {
    /// Takes the name `tag`; its folder exists and is empty afterwards.
    pub fn take(worlds: &Path, tag: &str) -> Result<Self, ClaimError> {
        let claim = Self::lock(worlds, tag)?;
        if claim.kept_mark().exists() {
            return Err(ClaimError::Kept(tag.to_owned())).inspect_err(|_| claim.leave());
        }
        teardown::remove(tag, &claim.dir);
        fs::create_dir_all(&claim.dir).map_err(|source| ClaimError::File {
            path: claim.dir.clone(),
            source,
        })?;
        Ok(claim)
    }

    /// Takes a name that nobody has: `t` and five letters.
    pub fn take_any(worlds: &Path) -> Result<Self, ClaimError> {
        loop {
            let tag: String = std::iter::once('t')
                .chain((0..5).map(|_| fastrand::lowercase()))
                .collect();
            match Self::take(worlds, &tag) {
                Err(ClaimError::Used(_) | ClaimError::Kept(_)) => {}
                other => return other,
            }
        }
    }

    /// Removes the world `tag`, kept or left behind; whether there was one.
    pub fn remove(worlds: &Path, tag: &str) -> Result<bool, ClaimError> {
        if !worlds.join(tag).exists() {
            return Ok(false);
        }
        let claim = Self::lock(worlds, tag)?;
        drop(claim);
        Ok(true)
    }

    /// Removes every world whose maker was killed.
    pub fn sweep(worlds: &Path) {
        let entries = fs::read_dir(worlds).into_iter().flatten().flatten();
        for tag in entries
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
        {
            match Self::lock(worlds, &tag) {
                Ok(claim) if claim.kept_mark().exists() => claim.leave(),
                Ok(claim) => drop(claim),
                Err(_) => {}
            }
        }
    }

    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// From now on the world outlives this process.
    pub fn keep(&mut self) -> Result<(), ClaimError> {
        let path = self.kept_mark();
        File::create(&path).map_err(|source| ClaimError::File { path, source })?;
        self.keep = true;
        Ok(())
    }

    /// Gives the name up and touches nothing.
    fn leave(mut self) {
        self.keep = true;
    }

    fn kept_mark(&self) -> PathBuf {
        self.dir.join("kept")
    }

    fn lock(worlds: &Path, tag: &str) -> Result<Self, ClaimError> {
        let lock_path = worlds.join(format!("{tag}.lock"));
        let failed = |source| ClaimError::File {
            path: lock_path.clone(),
            source,
        };
        fs::create_dir_all(worlds).map_err(failed)?;
        loop {
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&lock_path)
                .map_err(failed)?;
            match lock.try_lock() {
                Ok(()) if is_file_at(&lock, &lock_path) => {
                    let dir = worlds.join(tag);
                    return Ok(Self {
                        tag: tag.to_owned(),
                        dir,
                        lock_path,
                        _lock: lock,
                        keep: false,
                    });
                }
                // The last holder removed the file between our open and our lock.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(ClaimError::Used(tag.to_owned())),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }
}

fn is_file_at(file: &File, path: &Path) -> bool {
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    let (own, there) = (
        file.metadata().ok().map(place),
        fs::metadata(path).ok().map(place),
    );
    own.is_some() && own == there
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.keep {
            teardown::remove(&self.tag, &self.dir);
        }
        let _ = fs::remove_file(&self.lock_path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("eipd-claim-{name}-{}", std::process::id()))
    }

    #[test]
    fn claim_is_refused_while_another_lives_or_the_world_is_kept() {
        let worlds = folder("refused");
        let mut first = Claim::take(&worlds, "one").unwrap();
        assert!(matches!(
            Claim::take(&worlds, "one"),
            Err(ClaimError::Used(_))
        ));
        first.keep().unwrap();
        drop(first);
        assert!(matches!(
            Claim::take(&worlds, "one"),
            Err(ClaimError::Kept(_))
        ));
        Claim::sweep(&worlds);
        assert!(worlds.join("one").exists(), "a sweep leaves what is kept");
        assert!(Claim::remove(&worlds, "one").unwrap());
        assert!(!Claim::remove(&worlds, "one").unwrap());
        fs::remove_dir_all(worlds).unwrap();
    }

    #[test]
    fn claim_clears_what_a_killed_run_left() {
        let worlds = folder("left");
        fs::create_dir_all(worlds.join("one")).unwrap();
        fs::write(worlds.join("one/rest"), "").unwrap();
        let claim = Claim::take(&worlds, "one").unwrap();
        assert!(!claim.dir().join("rest").exists());
        drop(claim);
        assert_eq!(fs::read_dir(&worlds).unwrap().count(), 0);
        fs::remove_dir_all(worlds).unwrap();
    }
}
