//! ACS3-HMAC-SHA256: the signature of a call, made from its argument pairs and never from its URL.
//!
//! Source: Alibaba Cloud's page "V3 request signature"; its published example is a test here.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::credentials::Keys;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// RFC 3986: all but the unreserved characters.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is signed: a POST to `/` with an empty body and everything in the query, as all RPC-style calls are.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'a> {
    pub host: &'a str,
    pub action: &'a str,
    pub version: &'a str,
    pub args: &'a [(String, String)],
}

/// The headers of a signed call, in the order of their names; the last is `authorization`.
pub type Headers = Vec<(&'static str, String)>;

/// Signs `call` as sent at `at`. `nonce` must be new for every attempt: the cloud refuses one it has seen.
pub fn sign(call: Unsigned<'_>, keys: &Keys, at: Timestamp, nonce: &str) -> Headers {
    let mut headers = signed_headers(call, keys, at, nonce);
    let names = headers
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(";");
    let canonical = canonical_request(&query(call.args), &headers, &names);
    let to_sign = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical)));
    let signature = hmac(keys.secret.expose_secret(), &to_sign);
    let id = &keys.access_key_id;
    headers.push((
        "authorization",
        format!("{ALGORITHM} Credential={id},SignedHeaders={names},Signature={signature}"),
    ));
    headers
}

/// The headers of a call that nobody signs: `AssumeRoleWithOIDC`, whose caller has nothing to sign with yet.
pub fn unsigned(call: Unsigned<'_>, at: Timestamp, nonce: &str) -> Headers {
    vec![
        ("host", call.host.to_owned()),
        ("x-acs-action", call.action.to_owned()),
        ("x-acs-date", date(at)),
        ("x-acs-signature-nonce", nonce.to_owned()),
        ("x-acs-version", call.version.to_owned()),
    ]
}

fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The arguments as a query string: sorted by name, encoded once. It is what is signed, and what is sent.
pub fn query(args: &[(String, String)]) -> String {
    let encode = |text| utf8_percent_encode(text, &ENCODED).to_string();
    let mut pairs: Vec<_> = args.iter().map(|(k, v)| (encode(k), encode(v))).collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// The documented set: host and all `x-acs-*`, sorted by name.
fn signed_headers(call: Unsigned<'_>, keys: &Keys, at: Timestamp, nonce: &str) -> Headers {
    let mut headers = vec![
        ("host", call.host.to_owned()),
        ("x-acs-action", call.action.to_owned()),
        ("x-acs-content-sha256", hex(&Sha256::digest(b""))),
        ("x-acs-date", date(at)),
    ];
    if let Some(token) = &keys.token {
        headers.push(("x-acs-security-token", token.expose_secret().to_owned()));
    }
    headers.push(("x-acs-signature-nonce", nonce.to_owned()));
    headers.push(("x-acs-version", call.version.to_owned()));
    headers
}

fn canonical_request(query: &str, headers: &Headers, names: &str) -> String {
    let block = headers
        .iter()
        .fold(String::new(), |mut block, (name, value)| {
            let _ = writeln!(block, "{name}:{}", value.trim());
            block
        });
    format!(
        "POST\n/\n{query}\n{block}\n{names}\n{}",
        hex(&Sha256::digest(b""))
    )
}

fn hmac(secret: &str, text: &str) -> String {
    // HMAC takes keys of any length; this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(args: &[(&str, &str)]) -> Vec<(String, String)> {
        args.iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn keys(token: Option<&str>) -> Keys {
        Keys {
            access_key_id: "YourAccessKeyId".into(),
            secret: "YourAccessKeySecret".into(),
            token: token.map(Into::into),
            expires: None,
        }
    }

    fn published(args: &[(String, String)], keys: &Keys) -> Headers {
        let (host, action) = ("ecs.cn-shanghai.aliyuncs.com", "RunInstances");
        let call = Unsigned {
            host,
            action,
            version: "2014-05-26",
            args,
        };
        let at = "2023-10-26T10:22:32Z".parse().unwrap();
        sign(call, keys, at, "3156853299f313e23d1673dc12e1703d")
    }

    #[test]
    fn the_published_example() {
        let args = pairs(&[
            ("RegionId", "cn-shanghai"),
            (
                "ImageId",
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            ),
        ]);
        let headers = published(&args, &keys(None));
        assert_eq!(
            headers.last().unwrap().1,
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn a_temporary_keys_token_is_sent_and_signed() {
        let with = published(&[], &keys(Some("token")));
        assert!(with.contains(&("x-acs-security-token", "token".to_owned())));
        let authorization = &with.last().unwrap().1;
        assert!(authorization.contains("x-acs-date;x-acs-security-token;x-acs-signature-nonce"));
        assert_ne!(
            authorization,
            &published(&[], &keys(Some("other"))).last().unwrap().1
        );
    }

    #[test]
    fn arguments_are_encoded_once_and_sorted_bytewise() {
        let args = pairs(&[
            ("X.2", "a b"),
            ("X.10", "*~/%20"),
            ("Ä", "+"),
            ("Empty", ""),
        ]);
        assert_eq!(
            query(&args),
            "%C3%84=%2B&Empty=&X.10=%2A~%2F%2520&X.2=a%20b"
        );
        assert_eq!(query(&[]), "");
    }
}
