//! An `AccessKey` from the configuration.

use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};

use super::{Keys, Source};

/// The `AccessKey` that a user configured; both parts empty means that there is none.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    pub access_key_id: String,
    pub access_key_secret: SecretString,
}

impl Configured {
    pub(super) fn read(&self) -> Result<Option<Keys>, String> {
        let id = self.access_key_id.trim();
        let secret = self.access_key_secret.expose_secret().trim();
        match (id.is_empty(), secret.is_empty()) {
            (true, true) => Ok(None),
            (false, false) => Ok(Some(Keys {
                access_key_id: id.to_owned(),
                secret: secret.into(),
                token: None,
                expires: None,
            })),
            (false, true) => Err("an accessKey is configured without its accessSecret".to_owned()),
            (true, false) => Err("an accessSecret is configured without its accessKey".to_owned()),
        }
    }
}

impl Source for Configured {
    fn name(&self) -> &'static str {
        "the configuration"
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
        std::future::ready(self.read()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(id: &str, secret: &str) -> Result<Option<Keys>, String> {
        Configured {
            access_key_id: id.into(),
            access_key_secret: secret.into(),
        }
        .read()
    }

    #[test]
    fn empty_strings_are_none() {
        assert!(read("", "").unwrap().is_none());
        assert!(read(" ", "\n").unwrap().is_none());
    }

    #[test]
    fn one_half_is_a_failure_that_shows_no_secret() {
        assert!(
            read("LTAIexample", "")
                .unwrap_err()
                .contains("accessSecret")
        );
        assert!(!read("", "s3cret").unwrap_err().contains("s3cret"));
    }

    #[test]
    fn a_mounted_secrets_newline_is_no_part_of_it() {
        let keys = read("LTAIexample\n", "s3cret\n").unwrap().unwrap();
        assert_eq!(keys.access_key_id, "LTAIexample");
        assert_eq!(keys.secret.expose_secret(), "s3cret");
    }
}
