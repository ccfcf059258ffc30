//! The end of the process: the first SIGTERM or SIGINT asks for a drain, the second one ends it there and then.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Told to every task that has to stop. Clones see the same request.
#[derive(Debug, Clone)]
pub struct Shutdown {
    requested: watch::Receiver<bool>,
}

/// Asks for the end; dropping it asks as well, for then nobody is left to ask.
#[derive(Debug)]
pub struct Trigger {
    request: watch::Sender<bool>,
}

/// A shutdown that its [`Trigger`] asks for, and nothing else: for tests, and for tasks with an end of their own.
pub fn manual() -> (Trigger, Shutdown) {
    let (request, requested) = watch::channel(false);
    (Trigger { request }, Shutdown { requested })
}

/// A shutdown that SIGTERM or SIGINT asks for. A second signal exits with status 1 at once.
///
/// Fails if the signal handlers cannot be installed. Needs a tokio runtime with I/O.
pub fn on_signals() -> io::Result<Shutdown> {
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
    let (trigger, shutdown) = manual();
    tokio::spawn(listen(terminate, interrupt, trigger));
    Ok(shutdown)
}

async fn listen(mut terminate: Signal, mut interrupt: Signal, trigger: Trigger) {
    let name = either(&mut terminate, &mut interrupt).await;
    tracing::info!(
        signal = name,
        "stopping; a second signal stops without a drain"
    );
    trigger.request();
    let name = either(&mut terminate, &mut interrupt).await;
    tracing::warn!(signal = name, "stopping at once");
    std::process::exit(1);
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

// === impl Trigger ===

impl Trigger {
    /// Asks for the end. Asking twice is asking once.
    pub fn request(&self) {
        self.request.send_replace(true);
    }
}

// === impl Shutdown ===

impl Shutdown {
    /// Waits until the end is asked for; returns at once if it was.
    pub async fn requested(&self) {
        let mut requested = self.requested.clone();
        // An error means that the trigger is gone, which counts as a request.
        drop(requested.wait_for(|asked| *asked).await);
    }

    /// Whether the end was asked for.
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow() || self.requested.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::clock;

    #[tokio::test(start_paused = true)]
    async fn a_request_reaches_every_clone_and_stays() {
        let (trigger, shutdown) = manual();
        let clone = shutdown.clone();
        assert!(!clone.is_requested());
        assert!(
            clock::timeout(Duration::from_hours(1), clone.requested())
                .await
                .is_err()
        );
        trigger.request();
        shutdown.requested().await;
        clone.requested().await;
        assert!(clone.is_requested() && shutdown.clone().is_requested());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_trigger_is_a_request() {
        let (trigger, shutdown) = manual();
        drop(trigger);
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }

    #[tokio::test]
    async fn sigterm_requests() {
        let shutdown = on_signals().unwrap();
        assert!(!shutdown.is_requested());
        let own = std::process::id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-TERM", &own])
            .status()
            .unwrap();
        assert!(sent.success());
        clock::timeout(Duration::from_secs(10), shutdown.requested())
            .await
            .unwrap();
    }
}
