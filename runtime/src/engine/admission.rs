//! Limits how many guests run at once.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering},
};

use crate::{Error, ErrorKind, Result, Setting};

/// Counts the guests that run or are about to start.
#[derive(Debug, Default)]
pub(super) struct Admissions(Arc<AtomicUsize>);

/// A slot among the running guests, released on drop.
#[derive(Debug)]
pub(crate) struct Admission {
    running: Arc<AtomicUsize>,
    held: Arc<()>,
}

/// Tells whether an [`Admission`] is still held, without holding it.
#[derive(Clone, Debug)]
pub(crate) struct AdmissionWatch(Weak<()>);

impl Admissions {
    /// Admits one more guest if fewer than `max` run.
    pub(super) fn admit(&self, max: usize) -> Result<Admission> {
        let running = self.0.fetch_add(1, Ordering::Relaxed);
        let admission = Admission { running: Arc::clone(&self.0), held: Arc::default() };
        if running < max {
            return Ok(admission);
        }
        Err(Error::new(
            ErrorKind::Limit,
            format!(
                "{max} guests are running; wait for one to end, or raise `{}`",
                Setting::MaxGuests
            ),
        )
        .about(Setting::MaxGuests))
    }
}

impl Admission {
    pub(crate) fn watch(&self) -> AdmissionWatch {
        AdmissionWatch(Arc::downgrade(&self.held))
    }
}

impl AdmissionWatch {
    pub(crate) fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
}
