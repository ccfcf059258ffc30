//! The HTTP doors: listeners on addresses of this or another network namespace.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::os::fd::AsFd;
use std::path::Path;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use nix::sched::{CloneFlags, setns};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::cloud::{Cloud, ListenerName, Lost};

/// Which door a listener leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "door", rename_all = "snake_case")]
pub enum Door {
    /// All products.
    Api,
    /// The metadata service of one instance.
    Metadata {
        /// `i-...`
        instance: String,
    },
    /// The control door.
    Control,
}

/// A listener to open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewListener {
    /// The door.
    #[serde(flatten)]
    pub door: Door,
    /// IP and port; port 0 = any free one.
    pub address: SocketAddr,
    /// File of the network namespace; none = this process's own.
    #[serde(default)]
    pub netns: Option<String>,
}

/// A listener, as listed.
#[derive(Clone, Debug, Serialize)]
pub struct Listener {
    /// Its number.
    pub id: u64,
    /// The order; its address is the bound one.
    #[serde(flatten)]
    pub order: NewListener,
}

/// Why a listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The namespace or the address cannot be used.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, std::io::Error),
}

/// All open listeners.
#[derive(Debug, Default)]
pub struct Listeners {
    open: BTreeMap<u64, (Listener, AbortHandle)>,
    last: u64,
}

impl Listeners {
    /// Closes a listener and its connections; false if there is none.
    pub fn close(&mut self, id: u64) -> bool {
        let found = self.open.remove(&id);
        found.map(|(_, task)| task.abort()).is_some()
    }

    /// Those open.
    pub fn iter(&self) -> impl Iterator<Item = &Listener> {
        self.open.values().map(|(listener, _)| listener)
    }
}

impl Cloud {
    /// Opens a listener; needs the runtime that will serve it.
    pub fn listen(&self, mut order: NewListener) -> Result<Listener, ListenError> {
        let failed = |error| ListenError::Bind(order.address, error);
        let socket = bind(order.address, order.netns.as_deref().map(Path::new)).map_err(failed)?;
        let failed = |error| ListenError::Bind(order.address, error);
        let bound = socket.local_addr().map_err(failed)?;
        let socket = TcpListener::from_std(socket).map_err(failed)?;
        order.address = bound;
        let mut all = self
            .listeners
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        all.last += 1;
        let listener = Listener {
            id: all.last,
            order,
        };
        let served = self.clone().accept(socket, listener.clone());
        let task = tokio::spawn(served).abort_handle();
        all.open.insert(listener.id, (listener.clone(), task));
        Ok(listener)
    }

    async fn accept(self, socket: TcpListener, listener: Listener) {
        let mut connections = JoinSet::new();
        let name = format!("{}:{}", listener.id, listener.order.address);
        loop {
            tokio::select! {
                accepted = socket.accept() => {
                    // A connection that failed before it was accepted concerns only its client.
                    let Ok((stream, _)) = accepted else { continue };
                    let door = listener.order.door.clone();
                    connections.spawn(self.clone().converse(stream, door, name.clone()));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn converse(self, stream: TcpStream, door: Door, name: String) {
        let service = service_fn(|request: Request<Incoming>| {
            let (cloud, door, name) = (self.clone(), door.clone(), name.clone());
            async move { cloud.answer_http(&door, name, request).await }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        // Broken connections are part of the game: lost answers are made this way.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    async fn answer_http(
        &self,
        door: &Door,
        name: String,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Lost> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(ListenerName(name));
        let response = match door {
            Door::Api => self.api(request).await?,
            Door::Metadata { instance } => self.metadata(instance, request).await?,
            Door::Control => self.control(request).await,
        };
        Ok(response.map(Full::new))
    }
}

/// Binds here, or in the network namespace of that file: a socket stays in the namespace where
/// it was made, so a short-lived thread goes there, binds, and hands the socket over.
fn bind(address: SocketAddr, netns: Option<&Path>) -> std::io::Result<StdListener> {
    let Some(netns) = netns else {
        return bind_here(address);
    };
    let file = std::fs::File::open(netns)?;
    let there = std::thread::spawn(move || {
        setns(file.as_fd(), CloneFlags::CLONE_NEWNET)?;
        bind_here(address)
    });
    there
        .join()
        .unwrap_or_else(|_| Err(std::io::Error::other("the binding thread panicked")))
}

fn bind_here(address: SocketAddr) -> std::io::Result<StdListener> {
    let socket = StdListener::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
