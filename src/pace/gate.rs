//! The breaker at work: waited for, probed, opened for all, and moved forward when an EIP comes free.

use std::time::Duration;

use jiff::Timestamp;

use super::breaker::{Breaker, Reason};
use super::{Action, Admission, BELIEVED, Pace, SOON, soon};
use crate::clock;
use crate::kubeapi::error::KubeError;

/// Between two Releases of ours that move the probe forward.
const FREED: Duration = Duration::from_secs(5);

impl Pace {
    /// An EIP was released: where all wait for quota, the next probe may come at once.
    pub async fn released(&self) {
        let wall = self.shared.clock.wall();
        let known = self.known(Action::Allocate).await.ok().flatten();
        let open = known.and_then(|state| state.breaker);
        if !open.is_some_and(|it| it.reason == Reason::Quota && it.holds(wall)) || !self.may_move()
        {
            return;
        }
        let object = self.object(Action::Allocate);
        if let Ok(Some(state)) = object.get().await
            && let Some(breaker) = state.breaker.as_ref().filter(|it| it.holds(wall))
        {
            let forward = Breaker {
                until: wall,
                ..breaker.clone()
            };
            // A conflict: somebody else does the same.
            let moved = object.set_breaker(&state, Some(&forward)).await;
            self.remember(Action::Allocate, moved.ok());
        }
    }

    fn may_move(&self) -> bool {
        let now = clock::now();
        self.mine(Action::Allocate, |mine| {
            let again = mine.freed.is_none_or(|at| now.duration_since(at) >= FREED);
            if again {
                mine.freed = Some(now);
            }
            again
        })
    }

    /// Waits for the breaker; the one that may probe moves it on first, so that the others go on waiting.
    pub(super) async fn pass_breaker(&self) -> Result<Option<Admission>, KubeError> {
        let wall = self.shared.clock.wall();
        let Some(state) = self.known(Action::Allocate).await? else {
            return Ok(None);
        };
        if state.is_busy(wall) {
            self.take_numbers(Action::Allocate);
        }
        let Some(breaker) = state.breaker.clone() else {
            return Ok(None);
        };
        if breaker.holds(wall) {
            return Ok(Some(wait_for(&breaker, wall)));
        }
        let object = self.object(Action::Allocate);
        match object
            .set_breaker(&state, Some(&breaker.probed(wall)))
            .await
        {
            Ok(state) => {
                self.remember(Action::Allocate, Some(state));
                Ok(None)
            }
            Err(KubeError::Conflict(_)) => {
                self.mine(Action::Allocate, |mine| mine.read = None);
                Ok(Some(soon()))
            }
            Err(error) => Err(error),
        }
    }

    /// Until when an Allocate that was refused waits, once the breaker is open; `None` where there is none to be had.
    pub async fn after_refusal(&self) -> Option<Admission> {
        let wall = self.shared.clock.wall();
        let state = self.known(Action::Allocate).await.ok()??;
        let breaker = state.breaker.filter(|breaker| breaker.holds(wall))?;
        Some(wait_for(&breaker, wall))
    }

    /// Opens the breaker for the whole fleet, unless somebody has.
    pub(super) async fn open(&self, reason: Reason, text: &str) -> Result<(), KubeError> {
        let object = self.object(Action::Allocate);
        let state = object.get_or_make().await?;
        let wall = self.shared.clock.wall();
        let opened = match &state.breaker {
            Some(known) if known.reason == reason && known.holds(wall) => Ok(state),
            _ => {
                let breaker = Breaker::open(reason, text, wall);
                object.set_breaker(&state, Some(&breaker)).await
            }
        };
        self.remember(Action::Allocate, opened.ok());
        Ok(())
    }
}

fn wait_for(breaker: &Breaker, wall: Timestamp) -> Admission {
    let left = Duration::try_from(breaker.until.duration_since(wall)).unwrap_or_default();
    Admission::Later {
        // A probe may be moved forward by a Release: a look now and then, never all at once.
        at: clock::now() + clock::jitter(left.clamp(SOON, BELIEVED * 4), 0.3),
        why: Some(breaker.text()),
    }
}
