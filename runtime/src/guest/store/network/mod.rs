//! A guest's network access: sockets and names, checked by the policy of its grants.
//!
//! `gate` decides, `audit` tells the log; `names` and `sockets` are functions in the place of the engine's. Everything else of
//! `wasi:sockets` is the engine's own, which asks `gate` about each address before it is used, and about that of each datagram.

mod audit;
mod gate;
mod names;
mod sockets;

use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime_wasi::WasiCtxBuilder;

use self::gate::Gate;
use super::State;
use crate::{Grants, Limit, Limits, exec::resolver::GuestResolver, grants::network::Protocol};

/// The network of one guest.
pub(super) struct Network {
    gate: Arc<Gate>,
    resolver: GuestResolver,
    tcp: bool,
    udp: bool,
    /// Sockets it may hold open.
    most: usize,
    /// Whether the latest socket was refused.
    refused: bool,
    told: bool,
}

impl Network {
    pub(super) fn new(
        grants: &Grants,
        limits: &Limits,
        guest: &str,
        resolver: GuestResolver,
    ) -> Self {
        Self {
            gate: Arc::new(Gate::new(grants, guest)),
            resolver,
            tcp: grants.speaks(Protocol::Tcp),
            udp: grants.speaks(Protocol::Udp),
            most: limits.count(Limit::Sockets),
            refused: false,
            told: false,
        }
    }

    /// Tells the engine. Its own look-up stays off: it would answer what no connection may use.
    pub(super) fn configure(&self, wasi: &mut WasiCtxBuilder) {
        let gate = Arc::clone(&self.gate);
        wasi.allow_tcp(self.tcp).allow_udp(self.udp).allow_ip_name_lookup(false);
        wasi.socket_addr_check(move |address, usage| {
            Box::pin(std::future::ready(gate.admits(address, usage)))
        });
    }

    pub(super) fn refused(&self) -> Option<Limit> {
        self.refused.then_some(Limit::Sockets)
    }

    fn speaks(&self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Tcp => self.tcp,
            Protocol::Udp => self.udp,
        }
    }
}

/// Puts functions of our own in the place of some of the engine's.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    names::link(linker)?;
    sockets::link(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}
