//! The registry of children.
//!
//! Children of Rust are registered so that native fallbacks end with the app. Children of webviews also end with the webview
//! that started them, and only that webview may use them unless the sidecar is shared.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use wasi_sidecar::ChildRef;

use crate::page::{Owner, PageChild, PageLimits, PageResources};

/// Ended children that are remembered, so that killing a child that has just ended is not an error.
const REMEMBERED_ENDS: usize = 1024;

/// The children of one app. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Children(pub(super) Arc<Registry>);

#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<RegistryState>,
    /// Signals the end of each start.
    pub(super) start_ended: Condvar,
    resources: PageResources,
}

#[derive(Debug, Default)]
pub(super) struct RegistryState {
    pub(super) running: HashMap<u32, TrackedChild>,
    /// Starts in progress, in total and for each webview.
    pub(super) starting: usize,
    pub(super) starting_for: HashMap<String, usize>,
    /// Killed children that hang in a system call, with the webview that they count for. They still hold a thread and one of
    /// the app's guest slots.
    hanging: Vec<(String, ChildRef)>,
    /// The app is ending and starts no more children.
    pub(super) is_closed: bool,
    /// Ended children of webviews, oldest first.
    ended: VecDeque<(u32, Owner)>,
    /// How many pages each webview has left, and how many windows of each label were destroyed.
    pub(super) pages_left: HashMap<String, u64>,
    pub(super) windows_destroyed: HashMap<String, u64>,
}

/// Identifies a page among those that its webview has shown: the counts when the page called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageEpoch {
    pages_left: u64,
    pub(super) windows_destroyed: u64,
}

#[derive(Clone, Debug)]
pub(super) struct TrackedChild {
    pub(super) child: ChildRef,
    /// `None` for a child of Rust.
    pub(super) page: Option<PageChild>,
}

impl RegistryState {
    pub(super) fn page_epoch(&self, owner: &Owner) -> PageEpoch {
        let count = |of: &HashMap<String, u64>, label: &str| of.get(label).copied().unwrap_or(0);
        PageEpoch {
            pages_left: count(&self.pages_left, &owner.webview),
            windows_destroyed: count(&self.windows_destroyed, &owner.window),
        }
    }

    /// How many children count for a webview: those that are not gone, and those that are being started.
    pub(super) fn count(&mut self, webview: &str) -> usize {
        self.hanging.retain(|(_, child)| !child.is_gone());
        let hanging = self.hanging.iter().filter(|(owner, _)| owner == webview);
        let is_live = |tracked: &&TrackedChild| {
            let is_own = tracked.page.as_ref().is_some_and(|page| page.owner.webview == webview);
            is_own && !tracked.child.is_gone()
        };
        hanging.count()
            + self.running.values().filter(is_live).count()
            + self.starting_for.get(webview).copied().unwrap_or(0)
    }

    pub(super) fn start_ended_for(&mut self, webview: &str) {
        if let Some(count) = self.starting_for.get_mut(webview) {
            *count -= 1;
            if *count == 0 {
                self.starting_for.remove(webview);
            }
        }
    }

    /// Whether it is an ended child of this webview.
    pub(super) fn has_ended(&self, pid: u32, webview: &str) -> bool {
        self.ended.iter().any(|(ended, owner)| *ended == pid && owner.webview == webview)
    }
}

impl Children {
    pub(crate) fn new(limits: PageLimits) -> Self {
        let resources = PageResources::new(limits);
        Self(Arc::new(Registry { resources, ..Registry::default() }))
    }

    /// What the pages hold besides children.
    pub(crate) fn resources(&self) -> &PageResources {
        &self.0.resources
    }

    pub(super) fn state(&self) -> MutexGuard<'_, RegistryState> {
        // A panic under the lock would leave the entries consistent.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes an ended child. Call it for a child of a webview after all its output is delivered.
    pub(crate) fn forget(&self, pid: u32) {
        let mut state = self.state();
        let Some(TrackedChild { child, page: Some(page) }) = state.running.remove(&pid) else {
            return;
        };
        if !child.is_gone() {
            state.hanging.push((page.owner.webview.clone(), child));
        }
        if state.ended.len() == REMEMBERED_ENDS {
            state.ended.pop_front();
        }
        state.ended.push_back((pid, page.owner));
    }
}
