//! What a cloud begins with: control calls from a file.

use bytes::Bytes;
use http::{Method, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::cloud::Cloud;

/// One control call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    method: String,
    path: String,
    #[serde(default)]
    body: Value,
}

/// Why a seed cannot be planted.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Not a JSON list of steps.
    #[error("the seed is not a list of {{method, path, body}}: {0}")]
    Form(#[from] serde_json::Error),
    /// A method or path that HTTP does not have.
    #[error("step {0} is no HTTP request")]
    Request(usize),
    /// A step was refused.
    #[error("step {0} was refused: {1}")]
    Refused(usize, String),
}

/// Makes the control calls of a seed, in order.
pub async fn plant(cloud: &Cloud, text: &str) -> Result<(), SeedError> {
    let steps: Vec<Step> = serde_json::from_str(text)?;
    for (index, step) in steps.into_iter().enumerate() {
        let body = if step.body.is_null() {
            Bytes::new()
        } else {
            step.body.to_string().into()
        };
        let method = Method::from_bytes(step.method.as_bytes());
        let method = method.map_err(|_| SeedError::Request(index))?;
        let request = Request::builder().method(method).uri(&step.path).body(body);
        let request = request.map_err(|_| SeedError::Request(index))?;
        let answer = cloud.control(request).await;
        if !answer.status().is_success() {
            let why = String::from_utf8_lossy(answer.body()).into_owned();
            return Err(SeedError::Refused(index, why));
        }
    }
    Ok(())
}
