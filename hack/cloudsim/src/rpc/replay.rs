//! `ClientToken`: the same token with the same arguments gives the same answer again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ApiError, Args};
use crate::clock::Ms;

/// The answers that tokens stand for.
#[derive(Debug, Default)]
pub struct Replay {
    answers: BTreeMap<Key, Answer>,
}

type Key = (String, String, String);

#[derive(Debug)]
struct Answer {
    args: Args,
    body: Value,
    at: Ms,
}

impl Replay {
    /// The former answer to this token, if the arguments are the same.
    pub fn find(
        &mut self,
        (account, action): (&str, &str),
        args: &Args,
        lifetime: Ms,
        now: Ms,
    ) -> Result<Option<Value>, ApiError> {
        let Some(token) = args.get("ClientToken") else {
            return Ok(None);
        };
        if token.len() > 64 || !token.is_ascii() {
            return Err(ApiError::invalid(
                "ClientToken",
                "over 64 characters or not ASCII",
            ));
        }
        let key = (account.to_owned(), action.to_owned(), token.to_owned());
        let Some(answer) = self.answers.get(&key) else {
            return Ok(None);
        };
        if answer.at + lifetime <= now {
            self.answers.remove(&key);
            return Ok(None);
        }
        if answer.args != *args {
            return Err(ApiError::refused(
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical.",
            ));
        }
        Ok(Some(answer.body.clone()))
    }

    /// Remembers a successful answer; a failed call may be repeated with its token.
    pub fn remember(
        &mut self,
        (account, action): (&str, &str),
        args: &Args,
        body: &Value,
        now: Ms,
    ) {
        if let Some(token) = args.get("ClientToken") {
            let key = (account.to_owned(), action.to_owned(), token.to_owned());
            self.answers.insert(
                key,
                Answer {
                    args: args.clone(),
                    body: body.clone(),
                    at: now,
                },
            );
        }
    }

    /// Forgets every token, as a cloud may at any time before its documents say so.
    pub fn forget(&mut self) {
        self.answers.clear();
    }
}
