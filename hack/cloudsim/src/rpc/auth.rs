//! Who is calling: signature, timestamp, nonce and security token of a request.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ApiError, Rpc, sign_v1, sign_v3};
use crate::clock::Ms;
use crate::identity::{Caller, Identities};

/// A request's time may differ from the server's by this much.
const SKEW_MS: i64 = 15 * 60_000;

/// The one action that needs no signature.
const ANONYMOUS: &str = "AssumeRoleWithOIDC";

/// Nonces seen, each with its time; one cannot come again while its timestamp could be valid.
#[derive(Debug, Default)]
pub struct Nonces(BTreeMap<(String, String), Ms>);

impl Nonces {
    fn take(&mut self, key: &str, nonce: &str, now: Ms) -> Result<(), ApiError> {
        let kept = SKEW_MS.unsigned_abs() * 2;
        if self.0.len() > 100_000 {
            self.0.retain(|_, seen| *seen + kept > now);
        }
        let seen = self.0.insert((key.to_owned(), nonce.to_owned()), now);
        match seen {
            Some(before) if before + kept > now => Err(ApiError::refused(
                "SignatureNonceUsed",
                "The request signature nonce has been used.",
            )),
            _ => Ok(()),
        }
    }
}

/// What a request presents to prove who sends it.
struct Proof {
    key_id: String,
    nonce: Option<String>,
    time: Option<String>,
    token: Option<String>,
    /// Signature sent, string to sign, signature scheme.
    signature: String,
    text: String,
    sign: fn(&str, &str) -> String,
}

/// Finds out who calls. `now` is the cloud's wall time, `ms` the same since its start.
pub fn authenticate(
    rpc: &Rpc,
    identities: &Identities,
    nonces: &mut Nonces,
    (ms, now): (Ms, Timestamp),
    account: &str,
) -> Result<Caller, ApiError> {
    let Some(proof) = proof(rpc)? else {
        return anonymous(rpc, account);
    };
    check_time(proof.time.as_deref(), now)?;
    let (secret, caller) = lookup(&proof, identities, ms, account)?;
    if (proof.sign)(&secret, &proof.text) != proof.signature {
        return Err(ApiError::refused(
            "SignatureDoesNotMatch",
            format!(
                "Specified signature is not matched with our calculation. server string to sign is:{}",
                proof.text
            ),
        ));
    }
    let nonce = proof
        .nonce
        .ok_or_else(|| ApiError::missing("SignatureNonce"))?;
    nonces.take(&proof.key_id, &nonce, ms)?;
    Ok(caller)
}

fn anonymous(rpc: &Rpc, account: &str) -> Result<Caller, ApiError> {
    if rpc.action == ANONYMOUS {
        return Ok(Caller {
            account: account.to_owned(),
            ..Caller::default()
        });
    }
    Err(ApiError::refused(
        "MissingAccessKeyId",
        "AccessKeyId is mandatory for this action.",
    ))
}

fn proof(rpc: &Rpc) -> Result<Option<Proof>, ApiError> {
    if let Some(header) = rpc.header("authorization") {
        return proof_v3(rpc, &header).map(Some);
    }
    if rpc.get("AccessKeyId").is_none() && rpc.get("Signature").is_none() {
        return Ok(None);
    }
    proof_v1(rpc).map(Some)
}

fn proof_v3(rpc: &Rpc, header: &str) -> Result<Proof, ApiError> {
    let read = sign_v3::parse(header).ok_or_else(|| {
        ApiError::refused(
            "IncompleteSignature",
            "The request signature does not conform to Aliyun standards.",
        )
    })?;
    Ok(Proof {
        text: sign_v3::string_to_sign(rpc, &read.signed_headers),
        key_id: read.credential,
        nonce: rpc.header("x-acs-signature-nonce"),
        time: rpc.header("x-acs-date"),
        token: rpc.header("x-acs-security-token"),
        signature: read.signature,
        sign: sign_v3::signature,
    })
}

fn proof_v1(rpc: &Rpc) -> Result<Proof, ApiError> {
    let needed = |name: &str| {
        let value = rpc.get(name).map(str::to_owned);
        value.ok_or_else(|| ApiError::missing(name))
    };
    if needed("SignatureMethod")? != "HMAC-SHA1" {
        return Err(ApiError::refused(
            "InvalidSignatureMethod",
            "Specified signature method is not supported.",
        ));
    }
    Ok(Proof {
        key_id: needed("AccessKeyId")?,
        nonce: rpc.get("SignatureNonce").map(str::to_owned),
        time: rpc.get("Timestamp").map(str::to_owned),
        token: rpc
            .get("SecurityToken")
            .filter(|token| !token.is_empty())
            .map(str::to_owned),
        signature: needed("Signature")?,
        text: sign_v1::string_to_sign(rpc),
        sign: sign_v1::signature,
    })
}

fn check_time(sent: Option<&str>, now: Timestamp) -> Result<(), ApiError> {
    let sent = sent.ok_or_else(|| ApiError::missing("Timestamp"))?;
    let sent: Timestamp = sent.parse().map_err(|_| {
        ApiError::refused(
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })?;
    if (sent.as_millisecond() - now.as_millisecond()).abs() > SKEW_MS {
        return Err(ApiError::refused(
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        ));
    }
    Ok(())
}

fn lookup(
    proof: &Proof,
    identities: &Identities,
    now: Ms,
    account: &str,
) -> Result<(String, Caller), ApiError> {
    if let Some(key) = identities.keys.get(&proof.key_id) {
        if key.inactive {
            return Err(ApiError::refused(
                "InvalidAccessKeyId.Inactive",
                "Specified access key is disabled.",
            ));
        }
        let caller = Caller {
            account: key.account.clone(),
            access_key_id: key.id.clone(),
            allowed: key.allowed.clone(),
        };
        return Ok((key.secret.clone(), caller));
    }
    lookup_temporary(proof, identities, now, account)
}

fn lookup_temporary(
    proof: &Proof,
    identities: &Identities,
    now: Ms,
    account: &str,
) -> Result<(String, Caller), ApiError> {
    let Some(set) = identities.temporary.get(&proof.key_id) else {
        return Err(ApiError::not_found(
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        ));
    };
    let bad = |code, message: &str| Err(ApiError::refused(code, message));
    let Some(token) = &proof.token else {
        return bad(
            "MissingSecurityToken",
            "SecurityToken is mandatory for this action.",
        );
    };
    if *token != set.token {
        let known = identities
            .temporary
            .values()
            .any(|other| other.token == *token);
        return if known {
            bad(
                "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified SecurityToken mismatch with the AccessKey.",
            )
        } else {
            bad(
                "InvalidSecurityToken.Malformed",
                "Specified SecurityToken is malformed.",
            )
        };
    }
    if set.expires_ms <= now {
        return bad(
            "InvalidSecurityToken.Expired",
            "Specified SecurityToken is expired.",
        );
    }
    let allowed = identities
        .roles
        .get(&set.role)
        .and_then(|role| role.allowed.clone());
    let caller = Caller {
        account: account.to_owned(),
        access_key_id: set.id.clone(),
        allowed,
    };
    Ok((set.secret.clone(), caller))
}
