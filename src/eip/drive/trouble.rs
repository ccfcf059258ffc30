//! An error of the cloud -> when and whether to try again.

use super::super::outcome::{Trouble, TroubleKind};
use crate::cloud::error::{Class, CloudError};
use crate::pace::Came;

pub(crate) fn trouble(error: &CloudError) -> Trouble {
    let kind = match error.class() {
        _ if error.may_have_happened() => TroubleKind::NoAnswer,
        Class::Throttled => TroubleKind::Throttled,
        Class::Quota
        | Class::Capacity
        | Class::Money
        | Class::FrequentPurchase
        | Class::PlaceFull => TroubleKind::Quota,
        Class::AlreadyBound => TroubleKind::PlaceTaken,
        Class::WrongState | Class::AlreadyDone | Class::NotFound | Class::PlaceNotFound => {
            TroubleKind::WrongState
        }
        Class::IdempotentMismatch => TroubleKind::TokenUsed,
        Class::Busy
        | Class::TokenInProgress
        | Class::NotSent
        | Class::NoAnswer
        | Class::CredentialsExpired
        | Class::Skew => TroubleKind::Passing,
        Class::PackageNotFound
        | Class::Prefix
        | Class::SnatPorts
        | Class::Denied
        | Class::CredentialsWrong
        | Class::NoCredentials
        | Class::Unreadable
        | Class::Permanent => TroubleKind::Lasting,
    };
    Trouble {
        kind,
        text: error.to_string(),
        retry_after: error.retry_after(),
    }
}

/// What the pace is to know of it.
pub(super) fn came(error: &CloudError) -> Came {
    match error.class() {
        Class::Throttled => Came::Throttled,
        Class::Quota => Came::Quota(error.to_string()),
        Class::FrequentPurchase => Came::FrequentPurchase(error.to_string()),
        _ => Came::Other,
    }
}
