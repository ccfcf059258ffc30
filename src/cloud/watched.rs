//! The transport of an agent's calls to the cloud: so many at a time at most, and somebody watches whether it answers at all.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::Semaphore;

use super::http::{Exchange, TransportError};

/// Told of each call whether it was answered.
pub trait Watcher: Send + Sync + 'static {
    fn answered(&self);
    /// `why` holds no secret.
    fn unanswered(&self, why: &str);
}

/// A transport, and who is told.
pub struct Watched {
    pub exchange: Arc<dyn Exchange>,
    pub watcher: Box<dyn Watcher>,
    /// One for each call that may be under way.
    pub in_flight: Semaphore,
}

/// A call that its caller gives up on has had no answer either.
struct Waiting<'a> {
    watcher: &'a dyn Watcher,
    over: bool,
}

impl Watched {
    async fn send(&self, req: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        // Never closed.
        let _turn = self.in_flight.acquire().await;
        let mut waiting = Waiting {
            watcher: &*self.watcher,
            over: false,
        };
        let answer = self.exchange.exchange(req).await;
        waiting.over = true;
        match &answer {
            Ok(_) => self.watcher.answered(),
            Err(error) => self.watcher.unanswered(&error.to_string()),
        }
        answer
    }
}

impl Exchange for Watched {
    fn exchange(
        &self,
        req: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.send(req).boxed()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.watcher.unanswered("no answer within the deadline");
        }
    }
}
