//! The STS product, 2015-04-01: `AssumeRoleWithOIDC` and `GetCallerIdentity` (alibaba-api.md 4).

pub mod oidc;

use serde_json::{Value, json};

use crate::clock::iso;
use crate::identity::{OidcProvider, Role};
use crate::router::Route;
use crate::rpc::ApiError;
use crate::state::{Call, State};

/// The API version.
pub const VERSION: &str = "2015-04-01";

/// Finds an action.
pub fn route(action: &str) -> Option<Route> {
    let handler = match action {
        "AssumeRoleWithOIDC" => assume_role_with_oidc,
        "GetCallerIdentity" => get_caller_identity,
        _ => return None,
    };
    Some(Route {
        product: "sts",
        takes_token: false,
        handler,
    })
}

/// Whose keys the call is signed with. It needs no permission.
// The table of handlers wants this form.
#[allow(clippy::unnecessary_wraps)]
pub fn get_caller_identity(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let (account, id) = (&call.caller.account, &call.caller.access_key_id);
    let Some(set) = state.identities.temporary.get(id) else {
        let user = format!("2{account}");
        return Ok(json!({
            "AccountId": account,
            "Arn": format!("acs:ram::{account}:user/{id}"),
            "IdentityType": "RAMUser",
            "PrincipalId": user,
            "UserId": user,
        }));
    };
    let role = &set.role;
    Ok(json!({
        "AccountId": account,
        "Arn": format!("acs:ram::{account}:assumed-role/{role}/session"),
        "IdentityType": "AssumedRoleUser",
        "PrincipalId": format!("3{account}:session"),
        "UserId": "",
        "RoleId": format!("3{account}"),
    }))
}

/// Exchanges an OIDC token for temporary credentials of a role. Needs no signature.
pub fn assume_role_with_oidc(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let account = state.settings.account_id.clone();
    let session = session_name(call)?;
    let role = role(state, call, &account)?;
    let provider = provider(state, call, &account)?;
    let seconds = duration(call, &role)?;
    let now_s = state.clock.wall(call.now).as_second();
    let token = oidc::check(call.args.required("OIDCToken")?, &provider, now_s)?;
    check_trust(&role, &token)?;
    let State {
        identities, ids, ..
    } = state;
    let set = identities.issue(ids, &role.name, call.now, seconds * 1_000);
    let text = |claim: &str| token[claim].as_str().unwrap_or_default().to_owned();
    let time = |claim: &str| {
        let seconds = token[claim].as_i64().unwrap_or(0);
        jiff::Timestamp::from_second(seconds)
            .map(iso)
            .unwrap_or_default()
    };
    let name = &role.name;
    Ok(json!({
        "Credentials": {
            "AccessKeyId": set.id,
            "AccessKeySecret": set.secret,
            "SecurityToken": set.token,
            "Expiration": iso(state.clock.wall(set.expires_ms)),
        },
        "AssumedRoleUser": {
            "Arn": format!("acs:ram::{account}:role/{name}/{session}"),
            "AssumedRoleId": format!("3{account}:{session}"),
        },
        "OIDCTokenInfo": {
            "Subject": text("sub"),
            "Issuer": text("iss"),
            "ClientIds": oidc::audiences(&token).join(","),
            "ExpirationTime": time("exp"),
            "IssuanceTime": time("iat"),
            "VerificationInfo": "Success",
        },
        "SourceIdentity": "",
    }))
}

fn session_name(call: &Call) -> Result<String, ApiError> {
    let name = call.args.required("RoleSessionName")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if (2..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(name.to_owned());
    }
    Err(ApiError::refused(
        "InvalidParameter.RoleSessionName",
        "The parameter RoleSessionName is wrongly formed.",
    ))
}

fn role(state: &State, call: &Call, account: &str) -> Result<Role, ApiError> {
    let arn = call.args.required("RoleArn")?;
    let name = arn
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(":role/"));
    let Some((owner, name)) = name else {
        return Err(ApiError::refused(
            "InvalidParameter.RoleArn",
            "The parameter RoleArn is wrongly formed.",
        ));
    };
    let found = state
        .identities
        .roles
        .get(name)
        .filter(|_| owner == account);
    found.cloned().ok_or_else(|| {
        ApiError::not_found(
            "EntityNotExist.Role",
            format!("The role not exists: {arn}."),
        )
    })
}

fn provider(state: &State, call: &Call, account: &str) -> Result<OidcProvider, ApiError> {
    let arn = call.args.required("OIDCProviderArn")?;
    let name = arn.strip_prefix(&format!("acs:ram::{account}:oidc-provider/"));
    let found = name.and_then(|name| state.identities.providers.get(name));
    found.cloned().ok_or_else(no_permission)
}

fn no_permission() -> ApiError {
    ApiError::new(
        403,
        "AuthenticationFail.NoPermission",
        "This operation is forbidden by permission system.",
    )
}

fn duration(call: &Call, role: &Role) -> Result<u64, ApiError> {
    let most = if role.max_session_s == 0 {
        3_600
    } else {
        role.max_session_s
    };
    let seconds = u64::from(call.args.number("DurationSeconds")?.unwrap_or(3_600)).min(
        if call.args.get("DurationSeconds").is_none() {
            most
        } else {
            u64::MAX
        },
    );
    if (900..=most).contains(&seconds) {
        return Ok(seconds);
    }
    Err(ApiError::refused(
        "InvalidParameter.DurationSeconds",
        "The Min/Max value of DurationSeconds is 15min/the role's maximum.",
    ))
}

fn check_trust(role: &Role, token: &Value) -> Result<(), ApiError> {
    let subject = token["sub"].as_str().unwrap_or_default();
    let trusted = role.trusted_subjects.as_ref();
    if trusted.is_none_or(|list| list.iter().any(|known| known == subject)) {
        return Ok(());
    }
    Err(no_permission())
}
