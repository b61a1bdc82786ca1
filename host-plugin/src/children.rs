//! All children of the app, and whose they are.
//!
//! Rust's are only kept to end native twins with the app; those of webviews also by the webview that started them, which is
//! the only one that may use them unless the sidecar is shared.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::sync::Mutex as AsyncMutex;
use wasi_sidecar::{Backend, ChildRef, ChildStdin};

use crate::{Error, Result, config::OnReload, delivery::Credits};

/// Ends that are remembered, so that killing a child that has just ended is no error.
const REMEMBERED_ENDS: usize = 1024;

/// How long the end of the app waits for native twins that were killed. They are killed by the system, at once; this is
/// for one that hangs in the kernel.
const EXIT_GRACE: Duration = Duration::from_secs(2);

/// The children of one app. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Children(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    running: HashMap<u32, Entry>,
    /// Children of webviews that have ended, oldest first, with their owners.
    ended: VecDeque<(u32, Owner)>,
    /// How many pages each webview has left, and how often a window of each name was destroyed.
    pages_left: HashMap<String, u64>,
    windows_destroyed: HashMap<String, u64>,
}

/// A page, told from the ones before and after it in the same webview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    left: u64,
    destroyed: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    watch: ChildRef,
    /// None for those of Rust.
    web: Option<WebChild>,
}

/// A child of a webview.
#[derive(Clone, Debug)]
pub(crate) struct WebChild {
    pub(crate) program: String,
    pub(crate) owner: Owner,
    pub(crate) shared: bool,
    pub(crate) on_reload: OnReload,
    /// None once it is closed. Writers wait for each other here, in the order they came.
    pub(crate) stdin: Arc<AsyncMutex<Option<ChildStdin>>>,
    pub(crate) credits: Arc<Credits>,
}

/// Who started a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) window: String,
    pub(crate) webview: String,
}

/// What [`list`](Children::list) tells of a child.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    pid: u32,
    program: String,
    backend: &'static str,
    /// Bytes of linear memory it holds; null for a native child.
    memory: Option<u64>,
    /// Milliseconds of computing; null for a native child.
    cpu_time: Option<f64>,
}

impl State {
    fn page(&self, owner: &Owner) -> Page {
        let count = |of: &HashMap<String, u64>, name: &str| of.get(name).copied().unwrap_or(0);
        Page {
            left: count(&self.pages_left, &owner.webview),
            destroyed: count(&self.windows_destroyed, &owner.window),
        }
    }
}

impl Children {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below panics while it holds the lock; if it did, the entries are still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page that an owner shows now.
    pub(crate) fn page(&self, owner: &Owner) -> Page {
        self.state().page(owner)
    }

    /// Keeps a child of Rust's until it has ended. The caller tells of its end with [`ended`](Self::ended).
    pub(crate) fn add(&self, watch: ChildRef) {
        self.state().running.insert(watch.id().get(), Entry { watch, web: None });
    }

    /// Keeps a child of a page's likewise. If that page was left while the child was started it ends at once, since
    /// [`page_left`](Self::page_left) did not know of it.
    pub(crate) fn add_of_page(&self, watch: ChildRef, web: WebChild, page: Page) {
        let mut state = self.state();
        if state.page(&web.owner) != page {
            watch.start_kill();
            web.credits.page_left();
        }
        state.running.insert(watch.id().get(), Entry { watch, web: Some(web) });
    }

    /// Forgets a child that has ended.
    pub(crate) fn ended(&self, pid: u32) {
        let mut state = self.state();
        let Some(Entry { web: Some(web), .. }) = state.running.remove(&pid) else { return };
        if state.ended.len() == REMEMBERED_ENDS {
            state.ended.pop_front();
        }
        state.ended.push_back((pid, web.owner));
    }

    /// A running child that this webview may use.
    pub(crate) fn get(&self, pid: u32, webview: &str) -> Result<(ChildRef, WebChild)> {
        match self.state().running.get(&pid) {
            Some(Entry { watch, web: Some(web) }) if web.shared || web.owner.webview == webview => {
                Ok((watch.clone(), web.clone()))
            }
            // The same answer for a stranger's child as for none: which of them there are is nobody's business.
            _ => Err(Error::NoSuchChild(pid)),
        }
    }

    /// Whether it was a child of this webview, and has ended.
    pub(crate) fn has_ended(&self, pid: u32, webview: &str) -> bool {
        self.state().ended.iter().any(|(ended, owner)| *ended == pid && owner.webview == webview)
    }

    /// The running children this webview may use, oldest first.
    pub(crate) fn list(&self, webview: &str) -> Vec<Listed> {
        let state = self.state();
        let mut list: Vec<_> = state
            .running
            .iter()
            .filter_map(|(pid, entry)| Some((*pid, &entry.watch, entry.web.as_ref()?)))
            // One that has ended is kept until all it wrote has been delivered.
            .filter(|(_, watch, _)| matches!(watch.try_wait(), Ok(None)))
            .filter(|(_, _, web)| web.shared || web.owner.webview == webview)
            .map(|(pid, watch, web)| {
                let usage = watch.usage();
                Listed {
                    pid,
                    program: web.program.clone(),
                    backend: watch.backend().as_str(),
                    memory: usage.map(|usage| usage.memory),
                    cpu_time: usage.map(|usage| usage.cpu_time.as_secs_f64() * 1e3),
                }
            })
            .collect();
        list.sort_by_key(|child| child.pid);
        list
    }

    /// A webview loads another page: nobody there knows the children of the old one.
    pub(crate) fn page_left(&self, webview: &str) {
        *self.state().pages_left.entry(webview.to_owned()).or_default() += 1;
        for (watch, web) in self.of_webviews(|owner| owner.webview == webview) {
            match web.on_reload {
                OnReload::Kill => {
                    tracing::debug!(child = %watch.id(), webview, "killed: its page was left");
                    watch.start_kill();
                }
                OnReload::Keep => {}
            }
            web.credits.page_left();
        }
    }

    /// A window was destroyed: its children are ended, whatever is said of reloads.
    pub(crate) fn window_destroyed(&self, window: &str) {
        *self.state().windows_destroyed.entry(window.to_owned()).or_default() += 1;
        for (watch, web) in self.of_webviews(|owner| owner.window == window) {
            tracing::debug!(child = %watch.id(), window, "killed: its window was destroyed");
            watch.start_kill();
            web.credits.page_left();
        }
    }

    fn of_webviews(&self, matches: impl Fn(&Owner) -> bool) -> Vec<(ChildRef, WebChild)> {
        let state = self.state();
        let children = state.running.values().filter_map(|entry| {
            let web = entry.web.as_ref().filter(|web| matches(&web.owner))?;
            Some((entry.watch.clone(), web.clone()))
        });
        children.collect()
    }

    /// The app ends: so do all children, native ones with all they have started.
    pub(crate) fn end_all(&self) {
        let children: Vec<_> = self.state().running.values().map(|e| e.watch.clone()).collect();
        for child in &children {
            child.start_kill();
        }
        // Components end with the process. A native twin is killed by a task, which has to come to it.
        let natives: Vec<_> =
            children.into_iter().filter(|child| child.backend() == Backend::Native).collect();
        if natives.is_empty() {
            return;
        }
        let all_ended = async {
            for child in natives {
                let _ = child.wait().await;
            }
        };
        tauri::async_runtime::block_on(async {
            if tokio::time::timeout(EXIT_GRACE, all_ended).await.is_err() {
                tracing::warn!("a native twin that was killed has not ended");
            }
        });
    }
}
