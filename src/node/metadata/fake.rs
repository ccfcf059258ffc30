//! A metadata service for unit tests: a table of paths, tokens that can be lost, refusals on order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{Method, Request, Response, StatusCode};

use super::Metadata;
use crate::clock;
use crate::cloud::http::TransportError;

/// What the service answers; shared with the test.
#[derive(Clone, Default)]
pub struct Fake(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    /// By path under `/latest/meta-data/`; others give 404.
    pub paths: BTreeMap<String, String>,
    /// The one token that is known; `None`: hardened mode is not offered.
    pub token: Option<String>,
    /// GETs without a token are let in.
    pub plain: bool,
    /// Answers to give first, whatever is asked; 0: the connection breaks; 1: nothing comes.
    pub first: VecDeque<u16>,
    /// `PUT token` or `GET path`, in order.
    pub asked: Vec<String>,
}

impl Fake {
    /// Hardened mode only, with these paths.
    pub fn hardened(paths: &[(&str, &str)]) -> Self {
        let fake = Self::default();
        fake.with(|state| state.token = Some("token-1".to_owned()));
        fake.set(paths);
        fake
    }

    pub fn set(&self, paths: &[(&str, &str)]) {
        let paths = paths
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        self.with(|state| state.paths.extend(paths));
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// How often something was asked whose name begins so.
    pub fn count(&self, beginning: &str) -> usize {
        self.with(|state| {
            state
                .asked
                .iter()
                .filter(|asked| asked.starts_with(beginning))
                .count()
        })
    }

    pub fn client(&self, allow_plain: bool) -> Metadata {
        let fake = self.clone();
        let door = move |req: Request<Bytes>| {
            let answer = fake.with(|state| state.answer(&req));
            async move {
                // As long as a real one takes: requests at the same time overlap.
                clock::sleep(Duration::from_millis(1)).await;
                match answer.status().as_u16() {
                    599 => Err(TransportError::NoAnswer("reset".to_owned())),
                    598 => std::future::pending().await,
                    _ => Ok(answer),
                }
            }
            .boxed()
        };
        Metadata::of_this_node(Arc::new(door), allow_plain).unwrap()
    }
}

impl State {
    fn answer(&mut self, req: &Request<Bytes>) -> Response<Bytes> {
        let path = req
            .uri()
            .path()
            .trim_start_matches("/latest/meta-data/")
            .to_owned();
        self.asked.push(format!("{} {path}", req.method()));
        let (status, body) = match self.first.pop_front() {
            Some(0) => (599, String::new()),
            Some(1) => (598, String::new()),
            Some(status) => (status, String::new()),
            None => self.look_up(req, &path),
        };
        let mut answer = Response::new(Bytes::from(body));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer
    }

    fn look_up(&self, req: &Request<Bytes>, path: &str) -> (u16, String) {
        if req.method() == Method::PUT {
            let asked_right = path == "/latest/api/token"
                && req.headers()["x-aliyun-ecs-metadata-token-ttl-seconds"] == "21600";
            return match &self.token {
                Some(token) if asked_right => (200, token.clone()),
                Some(_) => (400, String::new()),
                None => (404, String::new()),
            };
        }
        match req.headers().get("x-aliyun-ecs-metadata-token") {
            Some(token) if self.token.as_deref() != token.to_str().ok() => (401, String::new()),
            None if !self.plain => (403, String::new()),
            _ => self
                .paths
                .get(path)
                .map_or((404, String::new()), |text| (200, text.clone())),
        }
    }
}
