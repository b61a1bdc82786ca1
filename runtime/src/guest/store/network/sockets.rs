//! Creates sockets, only for protocols with a rule and up to the limit.
//!
//! A socket's streams are its children in the engine's table and cannot outlive it, so what the table holds is what is open.

use wasmtime::component::Linker;
use wasmtime_wasi::{
    WasiView,
    p2::{
        TcpSocket, UdpSocket,
        bindings::sockets::{
            network::{ErrorCode, IpAddressFamily},
            tcp_create_socket::Host as _,
            udp_create_socket::Host as _,
        },
    },
    sockets::WasiSocketsView,
};

use super::names::answer;
use crate::{Limit, grants::network::Protocol, guest::store::State};

/// Puts these functions in the place of the engine's.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?.func_wrap(
        "create-tcp-socket",
        |mut store, (family,): (IpAddressFamily,)| {
            let state = store.data_mut();
            if let Err(code) = state.may_make_socket(Protocol::Tcp) {
                return Ok((Err(code),));
            }
            Ok((answer(state.sockets().create_tcp_socket(family))?,))
        },
    )?;
    linker.instance("wasi:sockets/udp-create-socket@0.2.12")?.func_wrap_async(
        "create-udp-socket",
        |mut store, (family,): (IpAddressFamily,)| {
            Box::new(async move {
                let state = store.data_mut();
                if let Err(code) = state.may_make_socket(Protocol::Udp) {
                    return Ok((Err(code),));
                }
                Ok((answer(state.sockets().create_udp_socket(family).await)?,))
            })
        },
    )
}

impl State {
    fn may_make_socket(&mut self, protocol: Protocol) -> Result<(), ErrorCode> {
        if !self.network.speaks(protocol) {
            self.network.gate.no_rule(protocol);
            return Err(ErrorCode::AccessDenied);
        }
        let open = self
            .wasi
            .ctx()
            .table
            .iter_mut()
            .filter(|entry| entry.is::<TcpSocket>() || entry.is::<UdpSocket>());
        self.network.refused = open.count() >= self.network.most;
        if self.network.refused {
            self.tell_no_socket();
        }
        match self.network.refused || !self.may_open() {
            true => Err(ErrorCode::NewSocketLimit),
            false => Ok(()),
        }
    }

    fn tell_no_socket(&mut self) {
        self.control.note_refused(Limit::Sockets);
        if !std::mem::replace(&mut self.network.told, true) {
            let (guest, most) = (self.handles.guest(), self.network.most);
            tracing::warn!(%guest, limit = %Limit::Sockets, most, "may open no more sockets");
        }
    }
}
