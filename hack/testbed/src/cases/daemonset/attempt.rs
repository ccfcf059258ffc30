//! One write by an impersonated agent, and whether it has to pass.

use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use crate::cases::CaseError;
use crate::clock;

const ACCOUNT: &str = "system:serviceaccount:eipd:eipd";
/// A policy is in force some time after it was applied.
const PATIENCE: usize = 300;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    Admin,
    /// The agent of that node.
    Agent(&'static str),
    /// A token of the agents' account that names no node.
    Nowhere,
}

/// Who writes, whether that is allowed, what it is, where below the base path, and the body.
pub type Row<'a> = (Who, bool, &'a str, &'a str, &'a str);

/// How a table of rows is sent.
#[derive(Clone, Debug)]
pub struct How<'a> {
    pub method: Method,
    pub content: &'static str,
    pub base: &'a str,
}

impl How<'_> {
    /// Sends each row in turn; the first that does not end as it has to is the error.
    pub async fn hold(&self, client: &Client, rows: &[Row<'_>]) -> Result<(), CaseError> {
        for row in rows {
            self.hold_one(client, *row).await?;
        }
        Ok(())
    }

    /// As [`Self::hold`], for one.
    pub async fn hold_one(&self, client: &Client, row: Row<'_>) -> Result<(), CaseError> {
        let (who, allowed, what, tail, body) = row;
        let (status, answer) = self.send(client, who, tail, body).await?;
        // What is not allowed has to be forbidden, or a conflict: an answer of 422 would mean that the write was wrong.
        let ends_well = if allowed {
            status < 300
        } else {
            [403, 409].contains(&status)
        };
        if ends_well {
            return Ok(());
        }
        let wanted = if allowed { "allowed" } else { "forbidden" };
        let said = &answer["message"];
        Err(CaseError::new(format!(
            "{what} by {who:?} should be {wanted}: {status} {said}"
        )))
    }

    /// Repeats a write that has to be refused, without effect, until it is.
    pub async fn wait_refused(&self, client: &Client, row: Row<'_>) -> Result<(), CaseError> {
        let (who, _, what, tail, body) = row;
        for _ in 0..PATIENCE {
            let tail = format!("{tail}?dryRun=All");
            if self.send(client, who, &tail, body).await?.0 == 403 {
                return Ok(());
            }
            clock::sleep(Duration::from_millis(100)).await;
        }
        Err(CaseError::new(format!(
            "{what} by {who:?} is never refused"
        )))
    }

    /// Repeats a write of the administrator's until it passes: a new namespace takes a moment.
    pub async fn wait_done(
        &self,
        client: &Client,
        tail: &str,
        body: &str,
    ) -> Result<Value, CaseError> {
        let mut said = Value::Null;
        for _ in 0..PATIENCE {
            let (status, answer) = self.send(client, Who::Admin, tail, body).await?;
            if status < 300 {
                return Ok(answer);
            }
            said = answer;
            clock::sleep(Duration::from_millis(100)).await;
        }
        let (method, base) = (&self.method, self.base);
        Err(CaseError::new(format!("{method} {base}{tail}: {said}")))
    }

    async fn send(
        &self,
        client: &Client,
        who: Who,
        tail: &str,
        body: &str,
    ) -> Result<(u16, Value), CaseError> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(format!("{}{tail}", self.base))
            .header("content-type", self.content);
        if who != Who::Admin {
            request = request.header("Impersonate-User", ACCOUNT);
        }
        if let Who::Agent(node) = who {
            let extra = "Impersonate-Extra-authentication.kubernetes.io%2Fnode-name";
            request = request.header(extra, node);
        }
        let request = request.body(Body::from(body.as_bytes().to_vec()))?;
        let answer = client.send(request).await?;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await?.to_bytes();
        Ok((status, serde_json::from_slice(&bytes)?))
    }
}
