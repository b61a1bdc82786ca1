//! Decides which artifact is compiled next.
//!
//! A compilation uses all cores, so two large ones at once are no faster than one after the other. Small ones must not
//! wait behind large ones, and code that a child waits for must not wait behind preloads. So one compilation of any
//! kind runs, a second beside it if it is waited for or small, and a third if it is small.
//!
//! The caller compiles on its own thread, and waits here for a slot.

use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// Largest artifact in bytes that counts as small: compiled within about a second on two cores.
const SMALL: usize = 1 << 20;

/// Most compilations at once: one of each kind described above.
const MAX_RUNNING: usize = 3;

/// How urgently a caller needs the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A spawned child cannot start without it.
    Spawned,
    /// It is prepared for later.
    Preload,
}

/// The callers that wait for the code of one artifact.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    spawned: AtomicUsize,
    preloads: AtomicUsize,
}

impl Waiters {
    fn count(&self, urgency: Urgency) -> &AtomicUsize {
        match urgency {
            Urgency::Spawned => &self.spawned,
            Urgency::Preload => &self.preloads,
        }
    }

    /// Whether any caller waits.
    pub(crate) fn are_there(&self) -> bool {
        self.is_urgent() || self.preloads.load(Ordering::Relaxed) > 0
    }

    /// Whether a child waits.
    pub(crate) fn is_urgent(&self) -> bool {
        self.spawned.load(Ordering::Relaxed) > 0
    }
}

/// The compile queue of an engine.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Notified when a slot may be free.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Ticket>,
    running: usize,
    tickets: u64,
}

#[derive(Debug)]
struct Ticket {
    id: u64,
    bytes: usize,
    waiters: Arc<Waiters>,
}

/// Counts a caller as waiting until it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting {
    queue: Arc<Queue>,
    waiters: Arc<Waiters>,
    urgency: Urgency,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waiters.count(self.urgency).fetch_sub(1, Ordering::Relaxed);
        self.queue.look_again();
    }
}

/// A compile slot, released on drop.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a Queue);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.look_again();
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_again(&self) {
        // Takes the lock, so that no thread is between its check and its wait.
        let _state = self.state();
        self.changed.notify_all();
    }

    /// Registers a caller that waits for an artifact's code.
    pub(crate) fn wait(self: &Arc<Self>, waiters: &Arc<Waiters>, urgency: Urgency) -> Waiting {
        waiters.count(urgency).fetch_add(1, Ordering::Relaxed);
        self.look_again();
        Waiting { queue: Arc::clone(self), waiters: Arc::clone(waiters), urgency }
    }

    /// Waits for a slot for an artifact of this many bytes, while `wanted` returns true.
    pub(crate) fn turn(
        &self,
        bytes: usize,
        waiters: &Arc<Waiters>,
        wanted: impl Fn() -> bool,
    ) -> Option<Turn<'_>> {
        let mut state = self.state();
        let id = state.tickets;
        state.tickets += 1;
        state.waiting.push(Ticket { id, bytes, waiters: Arc::clone(waiters) });
        loop {
            if !wanted() {
                state.waiting.retain(|ticket| ticket.id != id);
                self.changed.notify_all();
                return None;
            }
            let candidates = state.waiting.iter().map(|ticket| Candidate {
                urgent: ticket.waiters.is_urgent(),
                bytes: ticket.bytes,
                id: ticket.id,
            });
            if next(candidates, state.running).is_some_and(|next| next.id == id) {
                state.waiting.retain(|ticket| ticket.id != id);
                state.running += 1;
                // Another artifact may get a slot as well.
                self.changed.notify_all();
                return Some(Turn(self));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A waiting artifact, as input of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    urgent: bool,
    bytes: usize,
    id: u64,
}

/// The artifact to start beside `running` others, if any: those waited for come first, then the smallest, then the
/// oldest.
fn next(waiting: impl Iterator<Item = Candidate>, running: usize) -> Option<Candidate> {
    waiting
        .filter(|one| match running {
            0 => true,
            1 => one.urgent || one.bytes <= SMALL,
            _ => running < MAX_RUNNING && one.bytes <= SMALL,
        })
        .min_by_key(|one| (!one.urgent, one.bytes, one.id))
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    const BIG: usize = 18 << 20;

    #[test]
    fn what_is_waited_for_and_what_is_small_goes_first() {
        let one = |id, bytes, urgent| Candidate { urgent, bytes, id };
        let (big, other) = (one(0, BIG, false), one(1, BIG, false));
        let (small, smaller) = (one(2, 2000, false), one(3, 1000, false));
        let (urgent, urgent_small) = (one(4, BIG, true), one(5, 3000, true));
        let rows: [(&[Candidate], usize, Option<Candidate>); 9] = [
            (&[], 0, None),
            (&[big, other], 0, Some(big)),
            (&[big, small, smaller], 0, Some(smaller)),
            (&[big, small, urgent], 0, Some(urgent)),
            (&[big, urgent, urgent_small], 0, Some(urgent_small)),
            (&[big, other], 1, None),
            (&[big, urgent], 1, Some(urgent)),
            (&[other, urgent, small], 2, Some(small)),
            (&[smaller, urgent_small], 3, None),
        ];
        for (waiting, running, expected) in rows {
            assert_eq!(next(waiting.iter().copied(), running), expected, "{waiting:?}, {running}");
        }
    }

    #[test]
    fn a_small_one_overtakes_large_ones_and_a_spawn_a_preload() {
        let queue = Arc::new(Queue::default());
        let (sender, order) = mpsc::channel();
        let first = queue.turn(BIG, &Arc::default(), || true);
        let spawned = Arc::<Waiters>::default();
        let start = |name, bytes, waiters: &Arc<Waiters>| {
            let (queue, waiters, sender) =
                (Arc::clone(&queue), Arc::clone(waiters), sender.clone());
            thread::spawn(move || {
                let _turn = queue.turn(bytes, &waiters, || true);
                sender.send(name).expect("the test waits");
            })
        };
        let preloaded = start("preloaded", BIG, &Arc::default());
        let large = start("spawned", BIG + 1, &spawned);
        while queue.state().waiting.len() < 2 {
            thread::yield_now();
        }
        start("small", 1000, &Arc::default()).join().expect("its turn comes");
        assert_eq!(order.recv(), Ok("small"), "while a large one is compiled");
        assert_eq!(queue.state().waiting.len(), 2, "the large ones wait");
        let waiting = queue.wait(&spawned, Urgency::Spawned);
        large.join().expect("its turn comes");
        assert_eq!(order.recv(), Ok("spawned"), "though it came last");
        drop((waiting, first));
        preloaded.join().expect("its turn comes");
        assert_eq!(queue.state().running, 0);
    }

    #[test]
    fn one_that_nobody_wants_leaves_the_queue() {
        let queue = Arc::new(Queue::default());
        let _first = queue.turn(BIG, &Arc::default(), || true);
        let waiters = Arc::<Waiters>::default();
        let waiting = queue.wait(&waiters, Urgency::Preload);
        let second = {
            let (queue, waiters) = (Arc::clone(&queue), Arc::clone(&waiters));
            thread::spawn(move || queue.turn(BIG, &waiters, || waiters.are_there()).is_some())
        };
        while queue.state().waiting.is_empty() {
            thread::yield_now();
        }
        drop(waiting);
        assert!(!second.join().expect("it does not hang"));
        assert!(queue.state().waiting.is_empty());
    }
}
