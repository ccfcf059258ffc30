//! What can be made to go wrong with a request.

use super::log::When;
use super::refusal::Refusal;
use super::route::Call;
use std::time::Duration;
use tokio::sync::watch;

/// What happens to a request that a fault has picked.
#[derive(Clone, Debug)]
pub enum Then {
    /// The server answers with this and does nothing.
    Refuse(Refusal),
    /// The connection breaks before the server has seen the request.
    LoseRequest,
    /// The server does the work, then the connection breaks.
    LoseAnswer,
    /// The request waits on its way until released, then the work is done: also after the client has given up.
    HoldRequest,
    /// The work is done at once, the answer waits until released.
    HoldAnswer,
    /// The request takes so long to arrive.
    Delay(Duration),
}

impl Then {
    /// Refused with this status and the reason that goes with it.
    pub fn status(code: u16) -> Self {
        Self::Refuse(Refusal::of_code(code, "refused by the test"))
    }

    /// 429 with `Retry-After`, in seconds.
    pub fn throttle(retry_after: u32) -> Self {
        let mut refusal = Refusal::of_code(429, "too many requests, please try again later");
        refusal.retry_after = Some(retry_after);
        Self::Refuse(refusal)
    }

    /// 403 as a `ResourceQuota` answers it: the same reason as a missing right, only the message tells.
    pub fn quota_exceeded(resource: &str) -> Self {
        let message = format!(
            "{resource} is forbidden: exceeded quota: test, requested: count/{resource}=1, used: count/{resource}=1, limited: count/{resource}=1"
        );
        Self::Refuse(Refusal::of_code(403, message))
    }
}

/// A fault that was ordered; what it holds is released by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

/// What becomes of a held request or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Closed,
    Open,
    /// Lost for good.
    Dropped,
}

struct Fault {
    id: FaultId,
    when: When,
    left: usize,
    then: Then,
    gate: watch::Sender<Gate>,
    held: usize,
}

/// A fault that has picked a request.
pub struct Picked {
    pub then: Then,
    pub gate: watch::Receiver<Gate>,
}

#[derive(Default)]
pub struct Faults {
    ids: u64,
    all: Vec<Fault>,
}

impl Faults {
    pub fn add(&mut self, when: When, times: usize, then: Then) -> FaultId {
        self.ids += 1;
        let id = FaultId(self.ids);
        let gate = watch::Sender::new(Gate::Closed);
        self.all.push(Fault {
            id,
            when,
            left: times,
            then,
            gate,
            held: 0,
        });
        id
    }

    /// The first fault, oldest first, that picks this request and has turns left.
    pub fn pick(&mut self, client: &str, call: &Call) -> Option<Picked> {
        let fault = self
            .all
            .iter_mut()
            .find(|f| f.left > 0 && f.when.picks(client, call))?;
        fault.left = if fault.left == usize::MAX {
            usize::MAX
        } else {
            fault.left - 1
        };
        fault.held += usize::from(matches!(fault.then, Then::HoldRequest | Then::HoldAnswer));
        Some(Picked {
            then: fault.then.clone(),
            gate: fault.gate.subscribe(),
        })
    }

    /// No further request is picked; what is held stays held.
    pub fn lift(&mut self, id: FaultId) {
        self.all
            .iter_mut()
            .filter(|f| f.id == id)
            .for_each(|f| f.left = 0);
    }

    pub fn open(&mut self, id: FaultId, gate: Gate) {
        for fault in self.all.iter_mut().filter(|f| f.id == id) {
            fault.gate.send_replace(gate);
            // requests that it picks from now on are held afresh
            fault.gate = watch::Sender::new(Gate::Closed);
            fault.held = 0;
        }
    }

    pub fn held(&self, id: FaultId) -> usize {
        self.all.iter().filter(|f| f.id == id).map(|f| f.held).sum()
    }
}
