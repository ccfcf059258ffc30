//! What calls are signed with, as far as it is configured: an `AccessKey`, a mounted one, or RRSA.

use std::path::PathBuf;

use super::error::ConfigError;
use super::read::{endpoint, id};
use super::settings::{Given, Settings};
use super::{AccessKey, Credential, Rrsa};

/// Without these three there is no RRSA; the webhook sets them together.
const NEEDED: [(&str, &str); 3] = [
    ("rrsa.roleArn", "ALIBABA_CLOUD_ROLE_ARN"),
    ("rrsa.providerArn", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"),
    ("rrsa.tokenFile", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
];
const REMEDY: &str = "label the namespace eipd with pod-identity.alibabacloud.com/injection=on, annotate its ServiceAccount eipd with pod-identity.alibabacloud.com/role-name, and restart the pods";

pub(super) fn credential(settings: &Settings) -> Result<Credential, ConfigError> {
    Ok(Credential {
        access_key: access_key(settings)?,
        folder: settings.text("credential.folder")?.map(PathBuf::from),
        rrsa: rrsa(settings)?,
    })
}

fn access_key(settings: &Settings) -> Result<Option<AccessKey>, ConfigError> {
    let half = |given: &Given, other: &str| {
        Err(given.refuse(format!("{other} is not set; set both or neither")))
    };
    let (key, secret) = ("credential.accessKey", "credential.accessSecret");
    match (settings.get(key), settings.get(secret)) {
        (None, None) => Ok(None),
        (Some(given), None) => half(given, secret),
        (None, Some(given)) => half(given, key),
        (Some(id), Some(secret)) => Ok(Some(AccessKey {
            id: id.text()?,
            secret: secret.text()?.into(),
        })),
    }
}

/// Whatever the variables say, `enableRRSA: false` ignores them; absent, they decide.
fn rrsa(settings: &Settings) -> Result<Option<Rrsa>, ConfigError> {
    let wanted = settings.flag("enableRRSA")?;
    let given: Vec<_> = NEEDED
        .iter()
        .filter_map(|(path, _)| settings.get(path))
        .collect();
    match (wanted, given.as_slice()) {
        (Some(false), _) | (None, []) => Ok(None),
        (Some(true), []) => Err(none_set(settings)),
        (_, [role, provider, token]) => found(settings, role, provider, token).map(Some),
        (_, [some, ..]) => {
            let missing = NEEDED
                .iter()
                .filter(|(path, _)| settings.get(path).is_none());
            let missing: Vec<_> = missing.map(|(_, variable)| *variable).collect();
            Err(some.refuse(format!("RRSA also needs {}: {REMEDY}", missing.join(", "))))
        }
    }
}

fn none_set(settings: &Settings) -> ConfigError {
    let variables = NEEDED.map(|(_, variable)| variable).join(", ");
    let why = format!("RRSA is on, and none of {variables} is set: {REMEDY}");
    match settings.get("enableRRSA") {
        Some(given) => given.refuse(why),
        None => ConfigError::Missing {
            key: "enableRRSA",
            remedy: REMEDY,
        },
    }
}

fn found(
    settings: &Settings,
    role: &Given,
    provider: &Given,
    token: &Given,
) -> Result<Rrsa, ConfigError> {
    let role_arn = role.text()?;
    let name = role_arn.rsplit_once(":role/").map(|(_, name)| name);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(role.unexpected("acs:ram::ACCOUNT:role/NAME"));
    };
    if let Some(given) = settings.get("rrsaRoleName")
        && given.text()? != name
    {
        return Err(given.refuse(format!(
            "{:?} is not the role that the webhook has injected, {name:?}: correct it, or the annotation pod-identity.alibabacloud.com/role-name of the ServiceAccount",
            given.text()?
        )));
    }
    Ok(Rrsa {
        provider_arn: provider.text()?,
        token_file: PathBuf::from(token.text()?),
        endpoint: endpoint(settings, "rrsa.stsEndpoint")?,
        region: id(settings, "rrsa.stsRegion")?,
        internal: settings.flag("rrsa.vpcEndpoint")?,
        role_arn,
    })
}
