//! Query strings: decoded as a form (`+` is a space), encoded by RFC 3986.
//!
//! Clients write a space as `+` or `%20`; signatures are always over the RFC 3986 form, so a
//! server has to decode and encode afresh before it checks one (tried.md 1.2).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The pairs of a query or form body, in order.
pub fn decode(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode_part(name), decode_part(value))
        })
        .collect()
}

/// One name or value by RFC 3986: all but `A-Za-z0-9-_.~` as upper-case `%XX`.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `name=value&...`, encoded once and sorted bytewise by name.
pub fn canonical<'a>(pairs: impl Iterator<Item = &'a (String, String)>) -> String {
    let mut encoded: Vec<_> = pairs
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    encoded.sort();
    let joined: Vec<_> = encoded
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    joined.join("&")
}

fn decode_part(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space() {
        assert_eq!(
            decode("a=b+c&d=e%2Bf"),
            [
                ("a".to_owned(), "b c".to_owned()),
                ("d".to_owned(), "e+f".to_owned())
            ]
        );
    }

    #[test]
    fn encoding_is_rfc_3986() {
        assert_eq!(encode("a b*c~d/e"), "a%20b%2Ac~d%2Fe");
    }

    #[test]
    fn canonical_order_is_bytewise() {
        let pairs = decode("X.2=b&X.10=a&Empty=");
        assert_eq!(canonical(pairs.iter()), "Empty=&X.10=a&X.2=b");
    }

    #[test]
    fn a_name_without_a_value_keeps_its_equals_sign() {
        assert_eq!(canonical(decode("flag").iter()), "flag=");
    }
}
