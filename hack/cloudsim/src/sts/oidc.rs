//! OIDC tokens: form, issuer, audience and time. Their own signature is not checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::identity::OidcProvider;
use crate::rpc::ApiError;

/// The audience that the documents ask for.
const AUDIENCE: &str = "sts.aliyuncs.com";

/// Checks a token; returns its claims. `now_s` is the cloud's time in seconds since 1970.
pub fn check(token: &str, provider: &OidcProvider, now_s: i64) -> Result<Value, ApiError> {
    let fail = |what: &str, text: &str| {
        Err(ApiError::refused_owned(
            format!("AuthenticationFail.OIDCToken.{what}"),
            text,
        ))
    };
    let Some(claims) = claims(token) else {
        return fail("Invalid", "This OIDC token is invalid.");
    };
    if claims["iss"].as_str() != Some(provider.issuer.as_str()) {
        return fail(
            "IssuerNotMatch",
            "The issuer of the OIDC token does not match.",
        );
    }
    let own = audiences(&claims);
    let known = |audience: &String| match provider.client_ids.as_slice() {
        [] => audience == AUDIENCE,
        ids => ids.contains(audience),
    };
    if !own.iter().any(known) {
        return fail(
            "AudienceNotMatch",
            "The audience of the OIDC token does not match.",
        );
    }
    if claims["exp"].as_i64().is_none_or(|end| end <= now_s) {
        return fail("Expired", "This OIDC token is expired.");
    }
    Ok(claims)
}

/// `aud`, which may be text or a list.
pub fn audiences(claims: &Value) -> Vec<String> {
    match &claims["aud"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(list) => list
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn claims(token: &str) -> Option<Value> {
    let parts: Vec<_> = token.split('.').collect();
    let [_, payload, _] = parts.as_slice() else {
        return None;
    };
    let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}
