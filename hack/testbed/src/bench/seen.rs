//! The bench's own watch: when each pod's condition was first seen True.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};
use std::time::Instant;
use tokio::task::JoinHandle;

use super::BenchError;
use crate::clock;
use crate::played::is_true;

/// A running watch; it ends when this is dropped.
pub struct Seen {
    at: Arc<Mutex<HashMap<String, Instant>>>,
    task: JoinHandle<()>,
}

impl Seen {
    /// Watches all pods of the cluster.
    pub fn start(client: kube::Client) -> Self {
        let at: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
        let noted = Arc::clone(&at);
        let task = tokio::spawn(async move {
            let mut pods = watcher(Api::<Pod>::all(client), watcher::Config::default())
                .default_backoff()
                .applied_objects()
                .boxed();
            while let Ok(Some(pod)) = pods.try_next().await {
                if is_true(&pod, "k8s.aliyun.com/eip") {
                    let now = clock::now();
                    noted
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .entry(pod.name_any())
                        .or_insert(now);
                }
            }
        });
        Self { at, task }
    }

    /// When the pod was first seen bound; waits for it.
    pub async fn bound(&self, pod: &str, seconds: u64) -> Result<Instant, BenchError> {
        for _ in 0..seconds * 100 {
            if let Some(at) = self
                .at
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(pod)
            {
                return Ok(*at);
            }
            clock::sleep(Duration::from_millis(10)).await;
        }
        Err(BenchError::Overdue {
            what: format!("the binding of {pod}"),
            seconds,
        })
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.task.abort();
    }
}
