//! The older RPC signature of the V1 SDKs, HMAC-SHA1 (alibaba-api.md 3.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{Rpc, form};

/// The string to sign: method, path and every pair but the signature itself.
pub fn string_to_sign(rpc: &Rpc) -> String {
    let signed = rpc.pairs.iter().filter(|(name, _)| name != "Signature");
    let canonical = form::canonical(signed);
    format!("{}&%2F&{}", rpc.head.method, form::encode(&canonical))
}

/// Base64 HMAC-SHA1 of `text` under the secret and an `&`.
pub fn signature(secret: &str, text: &str) -> String {
    // HMAC takes keys of any length; the error arm cannot be reached.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(method: &str) -> Rpc {
        let uri = "/?Action=DescribeDedicatedHosts&Version=2014-05-26&Format=JSON\
                   &RegionId=cn-beijing&AccessKeyId=testid&SignatureMethod=HMAC-SHA1\
                   &SignatureVersion=1.0&SignatureNonce=edb2b34af0af9a6d14deaf7c1a5315eb\
                   &Timestamp=2023-03-13T08%3A34%3A30Z&Signature=ignored";
        let request = http::Request::builder()
            .method(method)
            .uri(uri)
            .body(bytes::Bytes::new());
        Rpc::parse(request.unwrap())
    }

    #[test]
    fn sign_v1_matches_the_published_vectors() {
        let sign = |method| signature("testsecret", &string_to_sign(&published(method)));
        assert_eq!(sign("GET"), "9NaGiOspFP5UPcwX8Iwt2YJXXuk=");
        assert_eq!(sign("POST"), "ZvQ9xGiFnquSJRvj+WE6kdSpTwU=");
    }

    #[test]
    fn sign_v1_has_no_colon_in_its_string_to_sign() {
        // The V1 SDK splits the error message at colons to compare the strings.
        assert!(!string_to_sign(&published("GET")).contains(':'));
    }
}
