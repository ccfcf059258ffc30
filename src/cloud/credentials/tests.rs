//! When credentials are loaded, kept, refreshed and renewed.

use std::collections::VecDeque;

use futures::FutureExt;

use super::*;
use Line::{Absent, Broken, Until};

/// A source that gives what the test lines up; then the last again. A load takes a second.
#[derive(Clone)]
struct Script(Arc<StdMutex<Lined>>);

struct Lined {
    answers: VecDeque<Line>,
    loads: usize,
}

#[derive(Clone)]
enum Line {
    Absent,
    Broken,
    /// Keys of this name that end so many minutes after the start.
    Until(&'static str, i64),
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Line>) -> Self {
        Self(Arc::new(StdMutex::new(Lined {
            answers: answers.into_iter().collect(),
            loads: 0,
        })))
    }

    fn loads(&self) -> usize {
        self.0.lock().unwrap().loads
    }

    fn push(&self, answer: Line) {
        self.0.lock().unwrap().answers.push_back(answer);
    }
}

impl Source for Script {
    fn name(&self) -> &'static str {
        "the script"
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Keys>, String>> {
        async {
            clock::sleep(Duration::from_secs(1)).await;
            let mut lined = self.0.lock().unwrap();
            lined.loads += 1;
            let last = lined.answers.len() == 1;
            let line = if last {
                lined.answers[0].clone()
            } else {
                lined.answers.pop_front().unwrap()
            };
            match line {
                Absent => Ok(None),
                Broken => Err("half configured".to_owned()),
                Until(id, minutes) => Ok(Some(temporary(id, minutes))),
            }
        }
        .boxed()
    }
}

const START: &str = "2026-11-23T00:00:00Z";

fn temporary(id: &str, minutes: i64) -> Keys {
    let start: Timestamp = START.parse().unwrap();
    Keys {
        access_key_id: id.into(),
        secret: format!("secret of {id}").into(),
        token: Some(format!("token of {id}").into()),
        expires: Some(start + SignedDuration::from_mins(minutes)),
    }
}

fn credentials(sources: &[&Script]) -> Credentials {
    let sources = sources
        .iter()
        .map(|&s| Box::new(s.clone()) as Box<dyn Source>)
        .collect();
    Credentials::new(sources, Clock::starting_at(START.parse().unwrap()))
}

async fn id(credentials: &Credentials) -> String {
    credentials.keys().await.unwrap().access_key_id
}

#[tokio::test(start_paused = true)]
async fn only_not_configured_falls_through() {
    let (absent, role) = (Script::new([Absent]), Script::new([Until("role", 360)]));
    assert_eq!(id(&credentials(&[&absent, &role])).await, "role");
    let broken = Script::new([Broken]);
    let failed = CredentialsError::Failed {
        source_name: "the script",
        reason: "half configured".to_owned(),
    };
    assert_eq!(
        credentials(&[&broken, &role]).keys().await.unwrap_err(),
        failed
    );
    let none = credentials(&[&absent]).keys().await.unwrap_err();
    assert_eq!(none, CredentialsError::NotConfigured);
}

#[tokio::test(start_paused = true)]
async fn they_are_loaded_once_for_all_and_refreshed_ahead_of_their_end() {
    let role = Script::new([Until("a", 360), Until("b", 720)]);
    let held = credentials(&[&role]);
    futures::future::join_all((0..20).map(|_| id(&held))).await;
    assert_eq!(role.loads(), 1);
    clock::sleep(Duration::from_mins(360 - 26)).await;
    assert_eq!(id(&held).await, "a");
    clock::sleep(Duration::from_mins(26 - 14)).await;
    let ids = futures::future::join_all((0..20).map(|_| id(&held))).await;
    assert!(
        ids[1..].iter().all(|id| id == "a"),
        "nobody waits while the old ones are valid"
    );
    assert_eq!((id(&held).await.as_str(), role.loads()), ("b", 2));
}

#[test]
fn a_fleet_refreshes_spread_out() {
    let hours = Duration::from_hours(6);
    let seen: std::collections::BTreeSet<_> = (0..100).map(|_| ahead(hours)).collect();
    let (min, max) = (*seen.first().unwrap(), *seen.last().unwrap());
    assert!(min >= Duration::from_mins(15) && max <= AHEAD);
    assert!(seen.len() > 90);
    assert!(ahead(Duration::from_mins(3)) <= Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn old_ones_serve_while_a_refresh_fails_until_they_end() {
    let role = Script::new([Until("a", 60), Broken]);
    let held = credentials(&[&role]);
    assert_eq!(id(&held).await, "a");
    clock::sleep(Duration::from_mins(50)).await;
    for _ in 0..5 {
        assert_eq!(id(&held).await, "a");
    }
    assert_eq!(
        role.loads(),
        2,
        "a failed refresh is not repeated at every call"
    );
    clock::sleep(Duration::from_mins(2)).await;
    assert_eq!((id(&held).await.as_str(), role.loads()), ("a", 3));
    clock::sleep(Duration::from_mins(8)).await;
    assert!(matches!(
        held.keys().await,
        Err(CredentialsError::Failed { .. })
    ));
    role.push(Until("b", 120));
    held.keys().await.unwrap_err();
    assert_eq!(id(&held).await, "b", "it recovers by itself");
}

#[tokio::test(start_paused = true)]
async fn keys_that_come_expired_are_a_failure() {
    let role = Script::new([Until("a", 0)]);
    let error = credentials(&[&role]).keys().await.unwrap_err();
    assert!(error.to_string().contains("expired already"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn refused_keys_are_replaced_once_for_all_who_had_them() {
    let role = Script::new([Until("a", 360), Until("b", 360)]);
    let held = credentials(&[&role]);
    let old = held.keys().await.unwrap();
    let renewed = futures::future::join_all((0..20).map(|_| held.renew(&old))).await;
    assert!(
        renewed
            .iter()
            .all(|new| new.as_ref().unwrap().as_ref().unwrap().access_key_id == "b")
    );
    assert_eq!(role.loads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_has_no_others_is_not_asked_at_every_refusal() {
    let role = Script::new([Until("a", 360)]);
    let held = credentials(&[&role]);
    let old = held.keys().await.unwrap();
    for _ in 0..5 {
        assert!(held.renew(&old).await.unwrap().is_none());
    }
    assert_eq!(role.loads(), 2);
    clock::sleep(PAUSE * 2).await;
    assert!(held.renew(&old).await.unwrap().is_none());
    assert_eq!(role.loads(), 3);
}

#[test]
fn no_secret_is_shown() {
    let keys = temporary("a", 1);
    let text = format!("{keys:?}");
    assert!(text.contains("REDACTED") && !text.contains("secret of") && !text.contains("token of"));
    let said = "request was [x-acs-security-token:token of a] key [secret of a]";
    assert_eq!(
        keys.redact(said),
        "request was [x-acs-security-token:***] key [***]"
    );
}
