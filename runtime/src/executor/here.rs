//! Running a guest for a moment on the thread that wakes it.
//!
//! Whoever writes a line and waits for the answer would wake a thread of ours, and then be woken by it, at ten to forty
//! microseconds each, for an answer that takes two. So a call that wakes a guest runs it as well: once around, guest and
//! splitter, and the answer is there before anybody had to wait for it. What is not done after a moment goes to the workers.
//!
//! That is lent, not given. A guest that holds directories is never run here, since a file call can hang. One that computes is
//! interrupted at the next tick like everywhere, and how long it took is remembered of its artifact ([`Conduct`]): the longer
//! the list, the rarer another try. So an endless loop costs the thread of an app a tick, and then nearly nothing.

use std::{
    cell::RefCell,
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::workers::{Shared, Task};

/// How long tasks are taken on. The last of them may take longer; what comes after it goes to the workers.
const MOMENT: Duration = Duration::from_micros(500);

/// What is too long for one task.
const LONG: Duration = Duration::from_millis(1);

/// Turns that are left to the workers after the first one that was too long, and at most.
const LEFT_OUT: (u32, u32) = (4, 1 << 20);

/// How much longer that gets each time, and how many turns that were short make up for one.
const FACTOR: u32 = 4;
const FORGIVEN: u32 = 256;

/// How the guests of one artifact behaved on threads that were lent to them.
#[derive(Debug)]
pub(crate) struct Conduct {
    /// Turns to come that are left to the workers.
    left_out: AtomicU32,
    /// How many will be after the next one that is too long.
    penalty: AtomicU32,
    /// Turns that were short, since the last that was not.
    short: AtomicU32,
}

impl Default for Conduct {
    fn default() -> Self {
        let (first, _) = LEFT_OUT;
        Self {
            left_out: AtomicU32::new(0),
            penalty: AtomicU32::new(first),
            short: AtomicU32::new(0),
        }
    }
}

// Guests of one artifact may be on several threads. Counts that are off by one do no harm.
impl Conduct {
    /// Whether the next turn may be here.
    fn allows(&self) -> bool {
        let left_out = self.left_out.load(Ordering::Relaxed);
        if left_out > 0 {
            self.left_out.store(left_out - 1, Ordering::Relaxed);
        }
        left_out == 0
    }

    fn took(&self, time: Duration) {
        let (first, most) = LEFT_OUT;
        let penalty = self.penalty.load(Ordering::Relaxed);
        if time >= LONG {
            self.short.store(0, Ordering::Relaxed);
            self.left_out.store(penalty, Ordering::Relaxed);
            self.penalty.store((penalty * FACTOR).min(most), Ordering::Relaxed);
        } else if self.short.fetch_add(1, Ordering::Relaxed) >= FORGIVEN {
            self.short.store(0, Ordering::Relaxed);
            self.penalty.store((penalty / FACTOR).max(first), Ordering::Relaxed);
        }
    }
}

/// What this thread is to run when the call that it is in is done.
#[derive(Default)]
struct Here {
    open: bool,
    tasks: VecDeque<(Arc<Shared>, Task)>,
}

thread_local! {
    static HERE: RefCell<Here> = RefCell::default();
}

/// Makes a call, and then runs what it woke. Not to be used with a lock held that a guest's task or a receiver's waker takes.
pub(crate) fn here<T>(call: impl FnOnce() -> T) -> T {
    // A call inside of such a call: the outer one sees to it.
    if HERE.with_borrow_mut(|here| std::mem::replace(&mut here.open, true)) {
        return call();
    }
    let closing = Closing;
    let result = call();
    run_for_a_moment();
    drop(closing);
    result
}

/// Whether this thread runs guests for a moment, after the call that it is in.
pub(crate) fn is_lent() -> bool {
    HERE.with_borrow(|here| here.open)
}

/// Keeps a task that was woken for the end of the call, if this thread is in one and may run it.
pub(super) fn keep(shared: &Arc<Shared>, task: Task) -> Option<Task> {
    HERE.with_borrow_mut(|here| {
        if !here.open || !task.metadata().as_ref().is_none_or(|conduct| conduct.allows()) {
            return Some(task);
        }
        here.tasks.push_back((Arc::clone(shared), task));
        None
    })
}

fn next() -> Option<(Arc<Shared>, Task)> {
    HERE.with_borrow_mut(|here| here.tasks.pop_front())
}

/// What is left over is for [`Closing`].
fn run_for_a_moment() {
    let mut first = None;
    while let Some((shared, task)) = next() {
        let begin = Instant::now();
        let conduct = task.metadata().clone();
        shared.run(task);
        let end = Instant::now();
        if let Some(conduct) = conduct {
            conduct.took(end.duration_since(begin));
        }
        if end.duration_since(*first.get_or_insert(begin)) >= MOMENT {
            return;
        }
    }
}

/// Ends the call, also when it panics, and leaves to the workers what was not run: nothing that was woken may be forgotten.
struct Closing;

impl Drop for Closing {
    fn drop(&mut self) {
        HERE.with_borrow_mut(|here| here.open = false);
        // One by one: the queue keeps its memory for the next call.
        while let Some((shared, task)) = next() {
            shared.enqueue(task);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::AssertUnwindSafe,
        sync::mpsc,
        thread::{self, ThreadId},
    };

    use super::{super::workers::Workers, *};

    fn workers() -> (tokio::runtime::Runtime, Workers) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let workers = Workers::start(1, runtime.handle()).expect("a thread");
        (runtime, workers)
    }

    /// Where each of the polls of a task happens that asks for so many more.
    async fn polls(sender: mpsc::Sender<ThreadId>, more: usize) {
        for turn in 0..=more {
            let _ = sender.send(thread::current().id());
            if turn < more {
                tokio::task::yield_now().await;
            }
        }
    }

    #[test]
    fn what_a_call_wakes_runs_where_it_was_made() {
        let (_runtime, workers) = workers();
        let (sender, ran) = mpsc::channel();
        here(|| {
            here(|| workers.run(None, polls(sender.clone(), 0)));
            assert!(ran.try_recv().is_err(), "not before the outer call is done");
        });
        assert_eq!(ran.try_recv(), Ok(thread::current().id()));
        workers.run(None, polls(sender, 0));
        assert_ne!(ran.recv(), Ok(thread::current().id()), "without such a call");
    }

    #[test]
    fn a_task_that_always_wants_more_is_left_to_the_workers() {
        let (_runtime, workers) = workers();
        let (sender, ran) = mpsc::channel();
        here(|| workers.run(None, polls(sender, 1_000_000)));
        let here = ran.iter().take_while(|id| *id == thread::current().id()).count();
        assert!((1..1_000_000).contains(&here), "{here}");
        assert!(ran.iter().all(|id| id != thread::current().id()), "it came back");
    }

    #[test]
    fn one_that_takes_long_is_tried_ever_less() {
        let (_runtime, workers) = workers();
        let conduct = Arc::<Conduct>::default();
        let mut tried = Vec::new();
        for turn in 0..1000 {
            let (sender, ran) = mpsc::channel();
            let task = async move {
                thread::sleep(LONG);
                let _ = sender.send(thread::current().id());
            };
            here(|| workers.run(Some(Arc::clone(&conduct)), task));
            if ran.recv() == Ok(thread::current().id()) {
                tried.push(turn);
            }
        }
        // 4 are left out after the first, then 16, 64, 256 and 1024.
        assert_eq!(tried, [0, 5, 22, 87, 344]);
    }

    #[test]
    fn being_short_for_long_is_rewarded() {
        let conduct = Conduct::default();
        for _ in 0..3 {
            conduct.took(LONG);
        }
        let longest = conduct.penalty.load(Ordering::Relaxed);
        for _ in 0..10 * FORGIVEN {
            conduct.took(Duration::ZERO);
        }
        assert!(longest > LEFT_OUT.0);
        assert_eq!(conduct.penalty.load(Ordering::Relaxed), LEFT_OUT.0);
    }

    #[test]
    fn nothing_is_forgotten_when_the_call_panics() {
        let (_runtime, workers) = workers();
        let (sender, ran) = mpsc::channel();
        let call = || {
            here(|| {
                workers.run(None, polls(sender, 0));
                std::panic::panic_any("a fault of the caller");
            })
        };
        assert!(std::panic::catch_unwind(AssertUnwindSafe(call)).is_err());
        assert!(ran.recv().is_ok());
    }
}
