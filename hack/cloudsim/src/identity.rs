//! Who may call: access keys, RAM roles with their temporary credentials, OIDC providers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Ms;
use crate::ids::Ids;

/// An `AccessKey` as the control door gives it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAccessKey {
    /// Made up if not given.
    pub id: Option<String>,
    /// Made up if not given.
    pub secret: Option<String>,
    /// The account; the settings' one if not given.
    pub account: Option<String>,
    /// Allowed actions, `vpc:AllocateEipAddress` or with `*`; none = all.
    pub allowed: Option<Vec<String>>,
    /// An inactive key is refused with `InvalidAccessKeyId.Inactive`.
    pub inactive: bool,
}

/// An `AccessKey`.
#[derive(Clone, Debug, Serialize)]
pub struct AccessKey {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The account it belongs to.
    pub account: String,
    /// Allowed actions; none = all.
    pub allowed: Option<Vec<String>>,
    /// Refused if set.
    pub inactive: bool,
}

/// A RAM role: of instances (through the metadata service) and of pods (through OIDC).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    /// Its name; the ARN is `acs:ram::<account>:role/<name>`.
    pub name: String,
    /// Allowed actions; none = all.
    pub allowed: Option<Vec<String>>,
    /// Subjects (`system:serviceaccount:<ns>:<name>`) that OIDC tokens may have; none = any.
    pub trusted_subjects: Option<Vec<String>>,
    /// Longest `DurationSeconds`; 0 = 3600.
    pub max_session_s: u64,
}

/// An OIDC provider of RAM.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcProvider {
    /// Its name; the ARN is `acs:ram::<account>:oidc-provider/<name>`.
    pub name: String,
    /// `iss` of its tokens.
    pub issuer: String,
    /// Audiences; empty = `sts.aliyuncs.com`.
    pub client_ids: Vec<String>,
}

/// Temporary credentials of a role.
#[derive(Clone, Debug, Serialize)]
pub struct Temporary {
    /// `STS....`
    pub id: String,
    /// Secret.
    pub secret: String,
    /// Security token.
    pub token: String,
    /// The role they act as.
    pub role: String,
    /// When they were made.
    pub made_ms: Ms,
    /// When they end.
    pub expires_ms: Ms,
}

/// Everything that can sign.
#[derive(Debug, Default)]
pub struct Identities {
    /// By id.
    pub keys: BTreeMap<String, AccessKey>,
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// By name.
    pub providers: BTreeMap<String, OidcProvider>,
    /// By `AccessKey` id.
    pub temporary: BTreeMap<String, Temporary>,
    /// The present credentials of an instance's role, by (instance, role).
    pub of_instances: BTreeMap<(String, String), String>,
}

impl Identities {
    /// Adds or replaces an `AccessKey`.
    pub fn add_key(&mut self, ids: &mut Ids, account: &str, new: NewAccessKey) -> AccessKey {
        let key = AccessKey {
            id: new.id.unwrap_or_else(|| ids.access_key()),
            secret: new.secret.unwrap_or_else(|| ids.secret(30)),
            account: new.account.unwrap_or_else(|| account.to_owned()),
            allowed: new.allowed,
            inactive: new.inactive,
        };
        self.keys.insert(key.id.clone(), key.clone());
        key
    }

    /// Makes temporary credentials for a role.
    pub fn issue(&mut self, ids: &mut Ids, role: &str, now: Ms, lifetime: Ms) -> Temporary {
        let set = Temporary {
            id: ids.sts_key(),
            secret: ids.secret(44),
            token: ids.secret(400),
            role: role.to_owned(),
            made_ms: now,
            expires_ms: now + lifetime,
        };
        self.temporary.insert(set.id.clone(), set.clone());
        set
    }

    /// The credentials that the metadata service shows for an instance's role: a new set is made
    /// `overlap` before the old one ends, and both are valid meanwhile.
    pub fn of_instance(
        &mut self,
        ids: &mut Ids,
        (instance, role): (&str, &str),
        now: Ms,
        (lifetime, overlap): (Ms, Ms),
    ) -> Temporary {
        let key = (instance.to_owned(), role.to_owned());
        let present = self
            .of_instances
            .get(&key)
            .and_then(|id| self.temporary.get(id));
        if let Some(set) = present.filter(|set| now + overlap < set.expires_ms) {
            return set.clone();
        }
        let set = self.issue(ids, role, now, lifetime);
        self.of_instances.insert(key, set.id.clone());
        set
    }
}

/// Who makes a call.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The account; empty for an anonymous call.
    pub account: String,
    /// The `AccessKey` id; empty for an anonymous call.
    pub access_key_id: String,
    /// Allowed actions; none = all.
    pub allowed: Option<Vec<String>>,
}

impl Caller {
    /// True if the RAM policy lets `action` (`vpc:AllocateEipAddress`) pass.
    pub fn may(&self, action: &str) -> bool {
        let Some(allowed) = &self.allowed else {
            return true;
        };
        allowed.iter().any(|pattern| matches(pattern, action))
    }
}

/// A RAM action pattern: `*` at the end or alone; case does not matter.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    match pattern.strip_suffix('*') {
        Some(start) => action.starts_with(start),
        None => pattern == action,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_matches_whole_names_and_stars() {
        let caller = |allowed: &[&str]| Caller {
            allowed: Some(allowed.iter().map(|a| (*a).to_owned()).collect()),
            ..Caller::default()
        };
        assert!(caller(&["vpc:DescribeEipAddresses"]).may("vpc:DescribeEipAddresses"));
        assert!(!caller(&["vpc:DescribeEipAddresses"]).may("vpc:ReleaseEipAddress"));
        assert!(caller(&["vpc:*"]).may("vpc:ReleaseEipAddress"));
        assert!(!caller(&["vpc:*"]).may("ecs:DescribeNetworkInterfaces"));
        assert!(caller(&["*"]).may("ecs:DescribeNetworkInterfaces"));
        assert!(!caller(&[]).may("vpc:ReleaseEipAddress"));
        assert!(Caller::default().may("anything"));
    }

    #[test]
    fn a_new_set_of_role_credentials_appears_before_the_old_one_ends() {
        let (mut all, mut ids) = (Identities::default(), Ids::new(1));
        let mut at = |now| all.of_instance(&mut ids, ("i-1", "r"), now, (6_000, 500));
        let first = at(0);
        assert_eq!(at(5_499).id, first.id);
        let second = at(5_500);
        assert_ne!(second.id, first.id);
        assert_eq!(second.expires_ms, 11_500);
        assert!(all.temporary.contains_key(&first.id));
    }
}
