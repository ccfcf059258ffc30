//! An object as far as this process knows it, and since when.

use std::time::Duration;

use crate::clock::Instant;
use crate::domain::ids::ResourceVersion;
use crate::eip::facts::Sight;

/// How long a read, a write of ours, or a look counts (rule Freshness).
pub(crate) const FRESH: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, Default)]
pub(crate) enum Known<T> {
    #[default]
    Unknown,
    Absent {
        /// When that was read live; it ages then. `None`: nothing says otherwise.
        at: Option<Instant>,
    },
    Seen {
        it: T,
        /// When it was read live, or written by us.
        at: Option<Instant>,
    },
}

/// What a watch has said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Heard {
    #[default]
    Nothing,
    Seen,
    Left,
}

impl<T> Known<T> {
    pub(crate) fn it(&self) -> Option<&T> {
        match self {
            Self::Seen { it, .. } => Some(it),
            _ => None,
        }
    }

    pub(crate) fn sight(&self, now: Instant) -> Sight<'_, T> {
        match self {
            Self::Unknown => Sight::Unknown,
            // Another of that name may be anywhere by now.
            Self::Absent { at: Some(at) } if now.duration_since(*at) >= FRESH => Sight::Unknown,
            Self::Absent { .. } => Sight::Absent,
            Self::Seen { it, at } => Sight::Seen {
                it,
                fresh: at.is_some_and(|at| now.duration_since(at) < FRESH),
            },
        }
    }

    /// Takes in a newer state; what was read live stays so only if it is the same one.
    pub(crate) fn see(&mut self, it: T, version: impl Fn(&T) -> &ResourceVersion) {
        let at = match self {
            Self::Seen { it: known, at } if version(known) == version(&it) => *at,
            _ => None,
        };
        *self = Self::Seen { it, at };
    }

    pub(crate) fn touch(&mut self, asked: Instant) {
        if let Self::Seen { at, .. } = self {
            *at = Some(asked);
        }
    }

    pub(crate) fn doubt(&mut self) {
        if let Self::Seen { at, .. } = self {
            *at = None;
        }
    }
}

/// Whether `this` is an older state than `that`. Since Kubernetes 1.35 resourceVersions of one kind are comparable as
/// numbers (KEP-5504), and every etcd-backed server before behaved so; what is no number is taken as newer.
pub(crate) fn is_older(this: &ResourceVersion, that: &ResourceVersion) -> bool {
    let number = |version: &ResourceVersion| version.as_str().parse::<u128>().ok();
    matches!((number(this), number(that)), (Some(this), Some(that)) if this < that)
}
