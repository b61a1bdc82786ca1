//! Resolves names for guests, each on a short-lived thread.
//!
//! The system's function blocks, for half a minute if no server answers, and cannot be cancelled: a guest that is gone leaves its
//! look-ups behind until they end. So their number is bounded, for each guest and for all together.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread,
};

use tokio::sync::{Semaphore, oneshot};

/// Look-ups of all guests of an engine at a time. Each has a thread.
const MAX_LOOK_UPS: usize = 16;

/// Look-ups of one guest at a time. Further ones wait: one guest must not hold up the others.
const MAX_GUEST_LOOK_UPS: usize = 4;

type Ask = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// What is asked for the addresses of a name.
#[derive(Clone)]
pub(crate) struct NameSource(Arc<Ask>);

impl NameSource {
    pub(crate) fn new(
        ask: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(ask))
    }

    /// The system's resolver.
    pub(crate) fn system() -> Self {
        Self::new(|name| {
            // It wants a port, and no answer depends on it.
            let found = (name, 0).to_socket_addrs()?;
            Ok(found.map(|address: SocketAddr| address.ip()).collect())
        })
    }
}

impl fmt::Debug for NameSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameSource").finish_non_exhaustive()
    }
}

/// Looks up names for all guests of an engine.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    source: NameSource,
    all: Arc<Semaphore>,
}

/// Looks up names for one guest.
#[derive(Clone, Debug)]
pub(crate) struct GuestResolver {
    resolver: Resolver,
    own: Arc<Semaphore>,
}

impl Resolver {
    pub(crate) fn new(source: NameSource) -> Self {
        Self { source, all: Arc::new(Semaphore::new(MAX_LOOK_UPS)) }
    }

    pub(crate) fn for_guest(&self) -> GuestResolver {
        GuestResolver { resolver: self.clone(), own: Arc::new(Semaphore::new(MAX_GUEST_LOOK_UPS)) }
    }
}

impl GuestResolver {
    /// The addresses of `name`. Dropping this gives up waiting; a question that was asked runs to its end, and counts until then.
    ///
    /// # Errors
    ///
    /// Those of the resolver, and of starting a thread.
    pub(crate) async fn look_up(self, name: String) -> io::Result<Vec<IpAddr>> {
        let own = self.own.acquire_owned().await.map_err(io::Error::other)?;
        let all = self.resolver.all.acquire_owned().await.map_err(io::Error::other)?;
        let (sender, found) = oneshot::channel();
        let NameSource(ask) = self.resolver.source;
        let work = move || {
            let found = ask(&name);
            drop((own, all));
            // The guest may be gone.
            let _ = sender.send(found);
        };
        thread::Builder::new().name("wasi-sidecar-names".into()).spawn(work)?;
        // The sender is gone without an answer if the resolver panicked.
        found.await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Context, Poll, Waker},
    };

    use super::*;

    #[test]
    fn look_ups_in_flight_are_bounded_and_their_turns_come_back() {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let resolver = Resolver::new(NameSource::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = gate.lock().expect("not poisoned").recv();
            Ok(Vec::new())
        }));
        let guest = resolver.for_guest();
        let mut waiting: Vec<_> = (0..MAX_GUEST_LOOK_UPS + 3)
            .map(|n| Box::pin(guest.clone().look_up(n.to_string())))
            .collect();
        let mut context = Context::from_waker(Waker::noop());
        for look_up in &mut waiting {
            assert!(look_up.as_mut().poll(&mut context).is_pending());
        }
        // Giving up frees no turn: the questions were asked.
        waiting.truncate(0);
        let mut further = Box::pin(guest.clone().look_up("further".into()));
        assert!(further.as_mut().poll(&mut context).is_pending());
        for _ in 0..MAX_GUEST_LOOK_UPS {
            release.send(()).expect("somebody waits");
        }
        release.send(()).expect("the one that waited");
        loop {
            match further.as_mut().poll(&mut context) {
                Poll::Ready(found) => break assert!(found.is_ok()),
                Poll::Pending => thread::yield_now(),
            }
        }
        assert_eq!(begun.load(Ordering::SeqCst), MAX_GUEST_LOOK_UPS + 1);
    }

    #[test]
    fn a_resolver_that_panics_is_an_error() {
        let resolver = Resolver::new(NameSource::new(|_| std::panic::panic_any("a fault")));
        let mut look_up = Box::pin(resolver.for_guest().look_up("name".into()));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match look_up.as_mut().poll(&mut context) {
                Poll::Ready(found) => break assert!(found.is_err()),
                Poll::Pending => thread::yield_now(),
            }
        }
    }
}
