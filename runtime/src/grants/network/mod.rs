//! Network grants: which names, addresses and ports a guest may look up, connect and send to. Pure: nothing here asks a
//! resolver or opens a socket.
//!
//! `rule` reads one grant, made of `host` (over `names`) and `ports`; `place` says of which `class` an address
//! is, from the tables of `ranges` and, for IPv4 inside IPv6, `embedded`; `policy` decides for one guest, with the `answers` it was
//! given, and a `refusal` says why not.

mod answers;
mod class;
mod embedded;
mod host;
mod names;
mod place;
mod policy;
mod ports;
mod ranges;
mod refusal;
mod rule;
#[cfg(test)]
mod tests;

#[cfg(test)]
use answers::{MAX_ANSWERS, MAX_NAMES};
#[cfg(test)]
use class::{AddressClass, EmbeddedV4};
#[cfg(test)]
use host::HostPattern;
pub(crate) use names::Name;
pub(crate) use policy::{LookUp, NetworkPolicy};
pub(crate) use refusal::Refusal;
pub use rule::NetworkRule;
pub(crate) use rule::Protocol;
