//! Decides a guest's network requests, and logs the decisions. Its socket calls run on a thread of its own, with
//! look-ups beside them.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    vec,
};

use wasmtime_wasi::{p2::bindings::sockets::network::ErrorCode, sockets::SocketAddrUse};

use super::audit::Audit;
use crate::{
    Grants,
    grants::network::{LookUp, Name, NetworkPolicy, Protocol},
};

/// Addresses of datagrams that the log has been told of, so as not to tell each datagram. After these, and after as many others
/// as the log is told of a guest, nothing is told.
const MAX_TOLD: usize = 1000;

pub(super) struct Gate {
    audit: Audit,
    state: Mutex<State>,
}

struct State {
    policy: NetworkPolicy,
    told: HashSet<SocketAddr>,
}

/// How a look-up goes on that is allowed.
pub(super) enum Asked {
    Address(IpAddr),
    Name(Name),
}

impl Gate {
    pub(super) fn new(grants: &Grants, guest: &str) -> Self {
        let policy = NetworkPolicy::new(grants.network.iter().cloned());
        let state = Mutex::new(State { policy, told: HashSet::new() });
        Self { audit: Audit::new(guest), state }
    }

    /// Whether a guest may look up what it names.
    pub(super) fn may_look_up(&self, name: &str) -> Result<Asked, ErrorCode> {
        let state = self.state();
        match state.policy.may_look_up(name) {
            // Without a grant nothing answers, though an address needs no resolver.
            Ok(LookUp::Address(_)) if state.policy.rules().is_empty() => {
                Err(ErrorCode::AccessDenied)
            }
            Ok(LookUp::Address(address)) => Ok(Asked::Address(address)),
            Ok(LookUp::Ask { name, .. }) => Ok(Asked::Name(name)),
            Err(refusal) => {
                self.audit.refused("look-up", &refusal);
                Err(ErrorCode::AccessDenied)
            }
        }
    }

    /// What of a resolver's answers the guest is told. It may connect to these from now on.
    pub(super) fn answer(
        &self,
        name: &Name,
        found: io::Result<Vec<IpAddr>>,
    ) -> Result<vec::IntoIter<IpAddr>, ErrorCode> {
        let found = found.map_err(|error| {
            self.audit.not_found(name, &error);
            ErrorCode::NameUnresolvable
        })?;
        let mut state = self.state();
        let told = state.policy.remember(name, found).map_err(|refusal| {
            self.audit.refused("look-up", &refusal);
            ErrorCode::AccessDenied
        })?;
        if let Ok(LookUp::Ask { rule, .. }) = state.policy.may_look_up(name.as_str()) {
            self.audit.looked_up(name, &rule.to_string(), told.len());
        }
        match told.is_empty() {
            true => Err(ErrorCode::NameUnresolvable),
            false => Ok(told.into_iter()),
        }
    }

    /// Whether a socket may be used with an address.
    pub(super) fn admits(&self, address: SocketAddr, usage: SocketAddrUse) -> bool {
        match usage {
            SocketAddrUse::TcpConnect => self.may_reach(address, Protocol::Tcp),
            SocketAddrUse::UdpSend => self.may_reach(address, Protocol::Udp),
            // Anybody can send to a port. Strangers must not use up what the log is told.
            SocketAddrUse::UdpReceive => {
                self.state().policy.may_connect(address, Protocol::Udp).is_ok()
            }
            // What a client needs: the system chooses. A chosen address or port is one that others could find.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
                let chosen = !address.ip().to_canonical().is_unspecified() || address.port() != 0;
                if chosen {
                    self.audit.never("bind", &address);
                }
                !chosen
            }
            SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => {
                self.audit.never("listen", &address);
                false
            }
        }
    }

    /// Tells that a guest asked for a socket of a protocol that it may not use.
    pub(super) fn no_rule(&self, protocol: Protocol) {
        self.audit.no_rule(&protocol);
    }

    fn may_reach(&self, address: SocketAddr, protocol: Protocol) -> bool {
        let mut state = self.state();
        let State { policy, told } = &mut *state;
        let (what, once) = match protocol {
            Protocol::Tcp => ("connect", false),
            Protocol::Udp => ("send", true),
        };
        match policy.may_connect(address, protocol) {
            Ok(allowed) => {
                if !once || (told.len() < MAX_TOLD && told.insert(address)) {
                    let name = allowed.name().map(Name::as_str);
                    let rule = allowed.rule().to_string();
                    self.audit.reached(what, &address.to_string(), name, &rule);
                }
                true
            }
            Err(refusal) => {
                self.audit.refused(what, &refusal);
                false
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
