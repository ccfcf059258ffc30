//! Secrets in what tests print: every one that the simulated cloud makes up begins alike, and a token of a
//! `ServiceAccount` has a form of its own.

/// As in `hack/cloudsim/src/ids.rs`.
const MARK: &str = "Hush";
/// The second part of a JSON web token: base64 of an object.
const TOKEN: &str = ".eyJ";
/// So many letters and digits follow it at least: a word that merely begins so is none.
const REST: usize = 10;

/// The first line of `text` that holds one.
pub fn find(text: &str) -> Option<&str> {
    text.lines().find(|line| holds(line))
}

fn holds(line: &str) -> bool {
    [MARK, TOKEN].iter().any(|mark| {
        line.match_indices(mark).any(|(at, _)| {
            let rest = line[at + mark.len()..].bytes();
            rest.take_while(u8::is_ascii_alphanumeric).count() >= REST
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let secret = format!("{MARK}{}", "5VxQm2Lk90aZ");
        for text in [
            format!("a\nsecret={secret}&b=c\nd"),
            format!("{{\"SecurityToken\":\"{secret}\"}}"),
            format!("x{secret}"),
            format!("Bearer eyJhbGciOiJSUzI1NiJ9{TOKEN}{secret}"),
        ] {
            assert!(
                find(&text).is_some_and(|line| line.contains(&secret)),
                "{text}"
            );
        }
    }

    #[test]
    fn words_are_none() {
        for text in [
            "",
            "Hush",
            "Hush, be quiet",
            "Hushed voices",
            "hush5VxQm2Lk90aZ",
        ] {
            assert_eq!(find(text), None);
        }
    }
}
