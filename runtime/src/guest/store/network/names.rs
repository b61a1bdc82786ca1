//! `wasi:sockets/ip-name-lookup`: a name that no rule covers is refused before anybody is asked, and the guest is told only what it
//! may connect to.
//!
//! The engine's own look-up is one switch for all names, and what it answers is not what a connection is checked against.

use std::{
    future::{Future, poll_fn},
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    vec,
};

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType},
};
use wasmtime_wasi::{
    WasiView, async_trait,
    p2::{
        DynPollable, Network, Pollable, SocketError,
        bindings::sockets::network::{ErrorCode, IpAddress},
        subscribe,
    },
};

use super::gate::Asked;
use crate::{
    Limit,
    guest::store::{OutOf, State},
};

type Answer = Result<vec::IntoIter<IpAddr>, ErrorCode>;

/// A look-up that is under way or answered.
enum Stream {
    Waiting(Pin<Box<dyn Future<Output = Answer> + Send>>),
    Answered(Answer),
}

impl Stream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<&mut Answer> {
        if let Self::Waiting(answer) = self {
            match answer.as_mut().poll(cx) {
                Poll::Ready(answer) => *self = Self::Answered(answer),
                Poll::Pending => return Poll::Pending,
            }
        }
        match self {
            Self::Answered(answer) => Poll::Ready(answer),
            Self::Waiting(_) => Poll::Pending,
        }
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll(cx).map(|_| ())).await;
    }
}

/// Puts these functions in the place of the engine's.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut names = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    names.resource(
        "resolve-address-stream",
        ResourceType::host::<Stream>(),
        |mut store, handle| {
            store.data_mut().ctx().table.delete(Resource::<Stream>::new_own(handle))?;
            Ok(())
        },
    )?;
    names.func_wrap(
        "resolve-addresses",
        |store, (network, name): (Resource<Network>, String)| {
            Ok((answer(begin(store, &network, &name))?,))
        },
    )?;
    names.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |store, (stream,): (Resource<Stream>,)| Ok((answer(next(store, &stream))?,)),
    )?;
    names.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store: StoreContextMut<'_, State>, (stream,): (Resource<Stream>,)| {
            let pollable: Resource<DynPollable> = subscribe(store.data_mut().ctx().table, stream)?;
            Ok((pollable,))
        },
    )
}

/// What the guest is told, or what ends it: it has used up its handles, or made one up.
pub(super) fn answer<T>(found: Result<T, SocketError>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(error) => error.downcast().map(Err),
    }
}

fn begin(
    mut store: StoreContextMut<'_, State>,
    network: &Resource<Network>,
    name: &str,
) -> Result<Resource<Stream>, SocketError> {
    let state = store.data_mut();
    state.ctx().table.get(network)?;
    // As for a listing, there is no error that fits.
    if state.is_full() {
        return Err(SocketError::trap(OutOf(Limit::Handles)));
    }
    let stream = match state.network.gate.may_look_up(name)? {
        Asked::Address(address) => Stream::Answered(Ok(vec![address].into_iter())),
        Asked::Name(name) => {
            let gate = Arc::clone(&state.network.gate);
            let found = state.network.resolver.clone().look_up(name.as_str().to_owned());
            let mut stream =
                Stream::Waiting(Box::pin(async move { gate.answer(&name, found.await) }));
            // Asks now, and not when the guest looks first.
            let _ = stream.poll(&mut Context::from_waker(Waker::noop()));
            stream
        }
    };
    Ok(state.ctx().table.push(stream)?)
}

fn next(
    mut store: StoreContextMut<'_, State>,
    stream: &Resource<Stream>,
) -> Result<Option<IpAddress>, SocketError> {
    let stream = store.data_mut().ctx().table.get_mut(stream)?;
    match stream.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(addresses)) => Ok(addresses.next().map(IpAddress::from)),
        Poll::Ready(Err(code)) => Err((*code).into()),
        Poll::Pending => Err(ErrorCode::WouldBlock.into()),
    }
}
