//! What the webhook's variables and `enableRRSA` make of each other.

use super::*;

const WEBHOOK: [(&str, &str); 6] = [
    (
        "ALIBABA_CLOUD_ROLE_ARN",
        "acs:ram::1234567890123456:role/eipd",
    ),
    (
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c1",
    ),
    ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/run/token"),
    (
        "ALIBABA_CLOUD_STS_ENDPOINT",
        "sts-vpc.cn-hangzhou.aliyuncs.com",
    ),
    ("ALIBABA_CLOUD_STS_REGION", "cn-hangzhou"),
    ("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true"),
];

fn rrsa(text: &str, variables: &[(&str, &str)]) -> Result<Option<Rrsa>, String> {
    let config = parse_with(text, variables).map_err(|error| error.to_string());
    config.map(|config| config.credential.rrsa)
}

#[test]
fn the_webhooks_variables_are_enough() {
    let expected = Rrsa {
        role_arn: WEBHOOK[0].1.to_owned(),
        provider_arn: WEBHOOK[1].1.to_owned(),
        token_file: "/var/run/token".into(),
        endpoint: Some(WEBHOOK[3].1.to_owned()),
        region: Some("cn-hangzhou".to_owned()),
        internal: Some(true),
    };
    for text in ["", "enableRRSA: true", "rrsaRoleName: eipd"] {
        assert_eq!(rrsa(text, &WEBHOOK).unwrap(), Some(expected.clone()));
    }
    assert_eq!(rrsa("enableRRSA: false", &WEBHOOK).unwrap(), None);
    assert_eq!(rrsa("", &[]).unwrap(), None);
    let bare = rrsa("", &WEBHOOK[..3]).unwrap().unwrap();
    assert_eq!(
        (bare.endpoint, bare.region, bare.internal),
        (None, None, None)
    );
}

#[test]
fn asked_for_and_not_injected_is_a_failure_with_the_remedy() {
    let why = rrsa("\nenableRRSA: true", &[]).unwrap_err();
    assert!(why.starts_with("config.yaml:2: enableRRSA: "), "{why}");
    assert!(
        why.contains("pod-identity.alibabacloud.com/injection=on"),
        "{why}"
    );
}

#[test]
fn half_of_it_is_a_failure_that_names_the_other_half() {
    for text in ["", "enableRRSA: true"] {
        let why = rrsa(text, &WEBHOOK[..2]).unwrap_err();
        assert!(why.contains("ALIBABA_CLOUD_OIDC_TOKEN_FILE"), "{why}");
        assert!(!why.contains("needs ALIBABA_CLOUD_ROLE_ARN"), "{why}");
    }
    assert_eq!(rrsa("enableRRSA: false", &WEBHOOK[..2]).unwrap(), None);
}

#[test]
fn another_role_than_the_injected_one_is_a_failure_that_names_both() {
    let why = rrsa("rrsaRoleName: other", &WEBHOOK).unwrap_err();
    assert!(
        why.contains("\"other\"") && why.contains("\"eipd\""),
        "{why}"
    );
    let odd = [("ALIBABA_CLOUD_ROLE_ARN", "eipd"), WEBHOOK[1], WEBHOOK[2]];
    let why = rrsa("", &odd).unwrap_err();
    assert!(why.contains("acs:ram::ACCOUNT:role/NAME"), "{why}");
}

#[test]
fn a_mounted_secrets_folder_is_taken_as_it_is() {
    let config = parse("credential: {folder: /etc/eipd-credential}");
    assert_eq!(
        config.credential.folder.unwrap().to_str(),
        Some("/etc/eipd-credential")
    );
}
