//! What the engines of EIPs and of ports have in common: whom to plan for next, what the watches have shown, how sure
//! one can be of an object, what holds a name back, and whose a record is.

pub(crate) mod agenda;
pub(crate) mod brake;
pub(crate) mod hold_off;
pub(crate) mod holding;
pub(crate) mod known;
pub(crate) mod shown;
