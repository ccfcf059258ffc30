//! The control door: JSON over HTTP for tests, and the typed methods behind it.

pub mod eips;
mod handlers;
pub mod nat;
pub mod ops;
pub mod table;

use bytes::Bytes;
use http::{Method, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cloud::{Cloud, json_response};
use crate::rpc::form;
use crate::world::Refused;

/// A request to the control door, taken apart.
pub struct Asked {
    /// The parts of the path that the pattern has in braces.
    pub parts: Vec<String>,
    /// Query arguments.
    pub query: Vec<(String, String)>,
    /// The body; null if empty.
    pub body: Value,
}

impl Asked {
    /// The `n`th part in braces.
    pub fn part(&self, n: usize) -> &str {
        self.parts.get(n).map_or("", String::as_str)
    }

    /// A query argument.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as a typed value; an absent one counts as `{}`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        let body = if self.body.is_null() {
            json!({})
        } else {
            self.body.clone()
        };
        serde_json::from_value(body).map_err(|error| Refused::Invalid(error.to_string()))
    }

    /// The `n`th part as a number.
    pub fn number(&self, n: usize) -> Result<u64, Refused> {
        let text = self.part(n);
        text.parse()
            .map_err(|_| Refused::Invalid(format!("{text} is not a number")))
    }
}

/// What a control call answers.
pub type Answer = Result<Value, Refused>;

/// A typed value as an answer.
pub fn show<T: Serialize>(value: &T) -> Answer {
    serde_json::to_value(value).map_err(|error| Refused::Invalid(error.to_string()))
}

impl Cloud {
    /// The control door. `GET /` lists its calls.
    // It is async like the other doors, though nothing in it waits yet.
    #[allow(clippy::unused_async)]
    pub async fn control(&self, request: Request<Bytes>) -> Response<Bytes> {
        match self.control_answer(&request) {
            Ok(body) => json_response(200, &body),
            Err(refused) => {
                let status = match refused {
                    Refused::NotFound(..) => 404,
                    Refused::Conflict(_) => 409,
                    Refused::Invalid(_) => 400,
                };
                json_response(status, &json!({"error": refused.to_string()}))
            }
        }
    }

    fn control_answer(&self, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path();
        let body = match request.body().as_ref() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes)
                .map_err(|error| Refused::Invalid(format!("the body is not JSON: {error}")))?,
        };
        if request.method() == Method::GET && path == "/" {
            return Ok(table::help());
        }
        let (run, parts) = table::find(request.method(), path)?;
        let query = form::decode(request.uri().query().unwrap_or(""));
        run(self, &Asked { parts, query, body })
    }
}
