//! The body of a watch response: lines of JSON, as they come up.

use super::Shared;
use super::time::{self as clock, Instant};
use super::watch::{Next, Opened};
use bytes::Bytes;
use futures::stream::{self, Stream};
use http_body::Frame;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;

/// How often a quiet watch is told how far it has come.
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);

struct Feed {
    server: Arc<Shared>,
    opened: Opened,
    changes: Receiver<u64>,
    ends_at: Instant,
    bookmark_at: Instant,
    over: bool,
}

/// Frees the watch when the client lets go of the body.
impl Drop for Feed {
    fn drop(&mut self) {
        self.server.lock().watches.forget(self.opened.id);
        self.server.wake();
    }
}

pub fn body(
    server: Arc<Shared>,
    opened: Opened,
) -> impl Stream<Item = Result<Frame<Bytes>, io::Error>> + Send {
    let now = clock::now();
    let feed = Feed {
        changes: server.changes(),
        ends_at: now + opened.time,
        bookmark_at: now + BOOKMARK_EVERY,
        over: false,
        server,
        opened,
    };
    stream::unfold(feed, |mut feed| async move {
        let item = feed.next().await?;
        Some((item, feed))
    })
}

impl Feed {
    async fn next(&mut self) -> Option<Result<Frame<Bytes>, io::Error>> {
        while !self.over {
            self.changes.borrow_and_update();
            match self.look() {
                Next::Event(event) => return Some(Ok(line(&event))),
                Next::Finished => return None,
                Next::Broken => {
                    self.over = true;
                    return Some(Err(io::Error::new(
                        io::ErrorKind::ConnectionReset,
                        "connection reset by peer",
                    )));
                }
                Next::Silent => self.changed().await,
                Next::Idle => {
                    if let Some(bookmark) = self.wait().await {
                        return Some(Ok(line(&bookmark)));
                    }
                }
            }
        }
        None
    }

    fn look(&self) -> Next {
        let mut state = self.server.lock();
        let state = &mut *state;
        state.watches.next(self.opened.id, &mut state.store)
    }

    /// Until something changed (None), a bookmark is due, or the time is over.
    async fn wait(&mut self) -> Option<serde_json::Value> {
        let (end, mark) = (self.ends_at, self.bookmark_at);
        tokio::select! {
            biased;
            _ = self.changes.changed() => None,
            () = clock::sleep_until(end) => {
                self.over = true;
                None
            }
            () = clock::sleep_until(mark), if self.opened.bookmarks => {
                self.bookmark_at += BOOKMARK_EVERY;
                let mut state = self.server.lock();
                let newest = state.store.version();
                state.watches.bookmark(self.opened.id, newest)
            }
        }
    }

    async fn changed(&mut self) {
        // the sender lives in the server that this feed holds: it can't go first
        let _ = self.changes.changed().await;
    }
}

fn line(event: &serde_json::Value) -> Frame<Bytes> {
    let mut line = event.to_string().into_bytes();
    line.push(b'\n');
    Frame::data(line.into())
}
