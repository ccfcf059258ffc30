//! What a pod has had so far of EIP and address.

use super::Asker;
use crate::domain::ids::Uid;

#[derive(Clone, Debug)]
pub(super) struct Life {
    pub pod: Uid,
    pub owner: Option<Uid>,
    eip: Eip,
    has_ip: bool,
    had_ip: bool,
    /// The EIP goes because the pod had no address for too long.
    pub giving_back: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Eip {
    Not,
    Asked,
    Has,
}

/// What is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// It has just got its address (an address that stood when it was first seen proves nothing about now).
    pub got_ip: bool,
    /// It had an address, and has none now.
    pub lost_ip: bool,
    /// It had an EIP and has none now, and never had an address.
    pub in_vain: bool,
}

impl Life {
    pub fn new(pod: &Asker<'_>) -> Self {
        Self {
            pod: pod.pod.clone(),
            owner: pod.owner.cloned(),
            eip: Eip::Not,
            has_ip: pod.has_ip,
            had_ip: pod.has_ip,
            giving_back: false,
        }
    }

    pub fn sees(&mut self, has_ip: bool, with_eip: bool) -> Turn {
        let turn = Turn {
            got_ip: has_ip && !self.has_ip,
            lost_ip: self.had_ip && !has_ip,
            in_vain: self.eip == Eip::Has && !with_eip && !self.had_ip && !has_ip,
        };
        self.has_ip = has_ip;
        self.had_ip |= has_ip;
        self.giving_back &= with_eip;
        self.eip = if with_eip { Eip::Has } else { Eip::Not };
        turn
    }

    pub fn asks(&mut self) {
        if self.eip == Eip::Not {
            self.eip = Eip::Asked;
        }
    }

    /// Whether an EIP was in vain if it ends here. One that was just asked for counts: a pod that the kubelet refuses is
    /// gone before the answer comes.
    pub fn ends_in_vain(&self) -> bool {
        self.eip != Eip::Not && !self.had_ip
    }
}
