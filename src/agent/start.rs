//! What a start waits for: tried until it is there, with the reason at `/readyz`, and in the log without a flood.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Duration;

use crate::clock;
use crate::cloud::credentials::Credentials;
use crate::cloud::watched::Watcher;
use crate::telemetry::readiness::Condition;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The same trouble is said again after so many tries: about every ten minutes.
const SAID_AGAIN: u32 = 20;

/// Reads until something is known: whatever is away at start comes back.
pub async fn until_known<T, E: Display, F: Future<Output = Result<T, E>>>(
    what: &str,
    condition: &Condition,
    read: impl Fn() -> F,
) -> T {
    let (mut wait, mut tries, mut said) = (FIRST_WAIT, 0_u32, String::new());
    loop {
        let error = match read().await {
            Ok(known) => return known,
            Err(error) => error.to_string(),
        };
        tries += 1;
        if error != said || tries.is_multiple_of(SAID_AGAIN) {
            tracing::warn!(%error, tries, "{what} is not known yet");
        }
        condition.unmet(format!("{what}: {error}"));
        said = error;
        clock::sleep(clock::jitter(wait, 0.2)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Waits for the first credentials, and stays: a task that ends would end the agent.
pub async fn credentials(credentials: Credentials, condition: Condition) {
    let what = "what cloud calls are signed with";
    until_known(what, &condition, || credentials.keys()).await;
    condition.met();
    std::future::pending::<()>().await;
}

/// Whether the cloud answers: unmet from a first call that fails to a first that does not. No call is made to find out.
pub struct Reached {
    condition: Condition,
    answered: OnceLock<()>,
}

impl Reached {
    pub fn new(condition: Condition) -> Self {
        condition.met();
        Self {
            condition,
            answered: OnceLock::new(),
        }
    }
}

impl Watcher for Reached {
    fn answered(&self) {
        if self.answered.set(()).is_ok() {
            self.condition.met();
        }
    }

    fn unanswered(&self, why: &str) {
        if self.answered.get().is_none() {
            self.condition
                .unmet(format!("the cloud does not answer: {why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;
    use crate::clock::Clock;
    use crate::cloud::credentials::{Keys, Source};
    use crate::telemetry::readiness::Readiness;

    #[tokio::test(start_paused = true)]
    async fn what_is_away_is_waited_for_and_named() {
        let readiness = Readiness::new();
        let condition = readiness.condition("identity");
        let tries = Cell::new(0);
        let read = || {
            tries.set(tries.get() + 1);
            let found = (tries.get() == 40).then_some("here").ok_or("nobody there");
            assert!(!readiness.is_ready());
            std::future::ready(found)
        };
        let began = clock::now();
        assert_eq!(until_known("the place", &condition, read).await, "here");
        let took = clock::now() - began;
        assert!(took > Duration::from_mins(10) && took < Duration::from_mins(30));
        assert_eq!(readiness.missing(), ["identity (the place: nobody there)"]);
    }

    /// A role that the node is given after a while.
    struct Late(crate::clock::Instant);

    impl Source for Late {
        fn name(&self) -> &'static str {
            "the node's RAM role"
        }

        fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
            let keys = Keys {
                access_key_id: "id".to_owned(),
                secret: "secret".into(),
                token: None,
                expires: None,
            };
            async { Ok((clock::now() > self.0).then_some(keys)) }.boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_credentials_it_is_not_ready_and_says_so() {
        let readiness = Readiness::new();
        let condition = readiness.condition("credentials");
        let there = clock::now() + Duration::from_mins(5);
        let held = Credentials::new(vec![Box::new(Late(there))], Clock::new());
        let waiting = clock::timeout(
            Duration::from_mins(4),
            credentials(held.clone(), condition.clone()),
        );
        assert!(waiting.await.is_err());
        let missing = readiness.missing().join("");
        assert!(
            missing.contains("nor has this node a RAM role"),
            "{missing}"
        );
        let waiting = clock::timeout(Duration::from_mins(4), credentials(held, condition));
        assert!(waiting.await.is_err(), "it stays");
        assert!(readiness.is_ready());
    }

    #[test]
    fn a_cloud_that_never_answered_is_told_and_one_that_did_is_trusted() {
        let readiness = Readiness::new();
        let reached = Reached::new(readiness.condition("cloud"));
        assert!(readiness.is_ready(), "nobody has asked it anything");
        reached.unanswered("connection refused");
        assert_eq!(
            readiness.missing(),
            ["cloud (the cloud does not answer: connection refused)"]
        );
        reached.answered();
        assert!(readiness.is_ready());
        reached.unanswered("connection refused");
        assert!(readiness.is_ready(), "what stands goes on");
    }
}
