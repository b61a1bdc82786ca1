//! All children of the app, and whose they are.
//!
//! Rust's are only kept to end native twins with the app; those of webviews also by the webview that started them, which is
//! the only one that may use them unless the sidecar is shared.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::sync::Mutex as AsyncMutex;
use wasi_sidecar::{Backend, ChildRef, ChildStdin};

use crate::{
    Error, Result,
    config::OnReload,
    delivery::Credits,
    page_limits::{PageLimits, Waiting},
    shares::{Share, Shares},
    wait::wait_here,
};

/// Ends that are remembered, so that killing a child that has just ended is no error.
const REMEMBERED_ENDS: usize = 1024;

/// How long the end of the app waits for native twins that were killed. They are killed by the system, at once; this is
/// for one that hangs in the kernel.
const EXIT_GRACE: Duration = Duration::from_secs(2);

/// The children of one app. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Children(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when a start is over.
    started: Condvar,
    limits: PageLimits,
    /// Calls that wait for an answer. Those that kill are counted apart, so that a page can always end what keeps it waiting.
    calls: Shares,
    kills: Shares,
    /// Output that is collected.
    output: Shares,
    /// Held by whoever makes a large answer.
    answering: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    running: HashMap<u32, Kept>,
    /// Starts that are under way, and how many of them each webview has asked for.
    starting: usize,
    starting_for: HashMap<String, usize>,
    /// Children of webviews that are forgotten and not gone: they hang in a call of the system, and hold a thread and a place
    /// among the guests of the app. With the webview that they are counted for.
    hanging: Vec<(String, ChildRef)>,
    /// The app ends: nothing is started any more.
    closed: bool,
    /// Children of webviews that have ended, oldest first, with their owners.
    ended: VecDeque<(u32, Owner)>,
    /// How many pages each webview has left, and how often a window of each name was destroyed.
    pages_left: HashMap<String, u64>,
    windows_destroyed: HashMap<String, u64>,
}

/// Marks a page among those that its webview has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageMark {
    left: u64,
    destroyed: u64,
}

#[derive(Clone, Debug)]
struct Kept {
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
    pub(crate) waiting: Waiting,
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
    fn page(&self, owner: &Owner) -> PageMark {
        let count = |of: &HashMap<String, u64>, name: &str| of.get(name).copied().unwrap_or(0);
        PageMark {
            left: count(&self.pages_left, &owner.webview),
            destroyed: count(&self.windows_destroyed, &owner.window),
        }
    }

    /// How many children a webview has of which something is left, and those that are being started for it.
    fn count(&mut self, webview: &str) -> usize {
        self.hanging.retain(|(_, child)| !child.is_gone());
        let hanging = self.hanging.iter().filter(|(owner, _)| owner == webview);
        let lives = |kept: &&Kept| {
            let its = kept.web.as_ref().is_some_and(|web| web.owner.webview == webview);
            its && !kept.watch.is_gone()
        };
        hanging.count()
            + self.running.values().filter(lives).count()
            + self.starting_for.get(webview).copied().unwrap_or(0)
    }

    /// One that was being started for a webview is not any more.
    fn started_for(&mut self, webview: &str) {
        if let Some(count) = self.starting_for.get_mut(webview) {
            *count -= 1;
            if *count == 0 {
                self.starting_for.remove(webview);
            }
        }
    }
}

impl Children {
    pub(crate) fn new(limits: PageLimits) -> Self {
        Self(Arc::new(Shared { limits, ..Shared::default() }))
    }

    pub(crate) fn limits(&self) -> PageLimits {
        self.0.limits
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below panics while it holds the lock; if it did, the entries are still good.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page that an owner shows now.
    pub(crate) fn page(&self, owner: &Owner) -> PageMark {
        self.state().page(owner)
    }

    /// Announces that a child of Rust's is about to be started.
    ///
    /// # Errors
    ///
    /// When the app is ending: a child that is started now would outlive it.
    pub(crate) fn starting(&self) -> Result<Starting> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Ending);
        }
        state.starting += 1;
        Ok(Starting { children: self.clone(), webview: None })
    }

    /// The same of one of a webview.
    ///
    /// # Errors
    ///
    /// Those of [`starting`](Self::starting), and when the webview has as many as it may.
    pub(crate) fn starting_for(&self, webview: &str, sidecar: &str) -> Result<Starting> {
        let (mut state, limit) = (self.state(), self.0.limits.children);
        if state.closed {
            return Err(Error::Ending);
        }
        if state.count(webview) >= limit {
            let (sidecar, webview) = (sidecar.to_owned(), webview.to_owned());
            return Err(Error::TooManyChildren { sidecar, webview, limit });
        }
        state.starting += 1;
        *state.starting_for.entry(webview.to_owned()).or_default() += 1;
        Ok(Starting { children: self.clone(), webview: Some(webview.to_owned()) })
    }

    /// Forgets a child that has ended; one of a webview when all it wrote has been delivered.
    pub(crate) fn forget(&self, pid: u32) {
        let mut state = self.state();
        let Some(Kept { watch, web: Some(web) }) = state.running.remove(&pid) else { return };
        if !watch.is_gone() {
            state.hanging.push((web.owner.webview.clone(), watch));
        }
        if state.ended.len() == REMEMBERED_ENDS {
            state.ended.pop_front();
        }
        state.ended.push_back((pid, web.owner));
    }

    /// A running child that this webview may use.
    pub(crate) fn get(&self, pid: u32, webview: &str) -> Result<(ChildRef, WebChild)> {
        match self.state().running.get(&pid) {
            Some(Kept { watch, web: Some(web) }) if web.shared || web.owner.webview == webview => {
                Ok((watch.clone(), web.clone()))
            }
            // The same answer for a stranger's child as for none: which of them there are is nobody's business.
            _ => Err(Error::NoSuchChild(pid)),
        }
    }

    /// The same, if it has not ended; one that has is kept until all it wrote has been delivered.
    pub(crate) fn running(&self, pid: u32, webview: &str) -> Result<WebChild> {
        let (watch, web) = self.get(pid, webview)?;
        if matches!(watch.try_wait(), Ok(None)) { Ok(web) } else { Err(Error::NoSuchChild(pid)) }
    }

    /// Whether it was a child of this webview, and has ended.
    pub(crate) fn has_ended(&self, pid: u32, webview: &str) -> bool {
        self.state().ended.iter().any(|(ended, owner)| *ended == pid && owner.webview == webview)
    }

    /// Kills a child of this webview and waits for its end. Killing one that has just ended is no error.
    ///
    /// # Errors
    ///
    /// When there is no such child, and when the webview has as many calls that wait for an end as it may. The child is killed
    /// all the same.
    pub(crate) async fn kill(&self, pid: u32, webview: &str) -> Result<()> {
        let child = match self.get(pid, webview) {
            Ok((child, _)) => child,
            Err(_) if self.has_ended(pid, webview) => return Ok(()),
            Err(error) => return Err(error),
        };
        if !matches!(child.try_wait(), Ok(None)) {
            return Ok(());
        }
        child.start_kill();
        let _held = self.counted(&self.0.kills, webview)?;
        // That it could not be run to an end is told by its events; it has ended, as was asked.
        let _ = child.wait().await;
        Ok(())
    }

    /// Counts a call that may have to wait, until the answer is dropped.
    ///
    /// # Errors
    ///
    /// When the webview has as many as it may.
    pub(crate) fn waiting_call(&self, webview: &str) -> Result<Share> {
        self.counted(&self.0.calls, webview)
    }

    fn counted(&self, shares: &Shares, webview: &str) -> Result<Share> {
        let limits = self.0.limits;
        shares
            .take(webview, 1, limits.most_calls())
            .ok_or_else(|| Error::TooManyCalls { webview: webview.to_owned(), limit: limits.calls })
    }

    /// Where the output that is collected for webviews is counted.
    pub(crate) fn output(&self) -> &Shares {
        &self.0.output
    }

    /// Held while a large answer is made.
    pub(crate) fn answering(&self) -> &AsyncMutex<()> {
        &self.0.answering
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
        let mut state = self.state();
        state.closed = true;
        // One whose start is under way is not known yet, and would outlive the app.
        let started =
            self.0.started.wait_timeout_while(state, EXIT_GRACE, |state| state.starting > 0);
        let (state, _) = started.unwrap_or_else(PoisonError::into_inner);
        let children: Vec<_> = state.running.values().map(|kept| kept.watch.clone()).collect();
        drop(state);
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
        if wait_here(async { tokio::time::timeout(EXIT_GRACE, all_ended).await }).is_err() {
            tracing::warn!("a native twin that was killed has not ended");
        }
    }
}

/// A start that is under way; dropped without a child, it has failed.
#[derive(Debug)]
pub(crate) struct Starting {
    children: Children,
    /// Which webview it is counted for.
    webview: Option<String>,
}

impl Starting {
    /// A child of Rust's: kept until it has ended.
    pub(crate) fn started(self, watch: ChildRef) {
        let (children, pid) = (self.children.clone(), watch.id().get());
        children.state().running.insert(pid, Kept { watch: watch.clone(), web: None });
        tauri::async_runtime::spawn(async move {
            let _ = watch.wait().await;
            children.forget(pid);
        });
    }

    /// A child of a page: kept until it is [forgotten](Children::forget). If the page was left while the child was
    /// started it is treated as [`page_left`](Children::page_left) would have, had it known of it.
    pub(crate) fn started_by(mut self, page: PageMark, watch: ChildRef, web: WebChild) {
        // Counted as one or the other, and never as both: the next may be the last that is allowed.
        let webview = self.webview.take();
        let mut state = self.children.state();
        if let Some(webview) = webview {
            state.started_for(&webview);
        }
        let now = state.page(&web.owner);
        if now != page {
            web.credits.page_left();
        }
        let left = now != page && web.on_reload == OnReload::Kill;
        // The app's end waits for starts, but not for ever.
        if left || now.destroyed != page.destroyed || state.closed {
            watch.start_kill();
        }
        state.running.insert(watch.id().get(), Kept { watch, web: Some(web) });
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let mut state = self.children.state();
        state.starting -= 1;
        if let Some(webview) = &self.webview {
            state.started_for(webview);
        }
        drop(state);
        self.children.0.started.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use wasi_sidecar::{Command, Component, Engine, EngineConfig};

    use super::*;

    /// A child that never ends by itself.
    fn spin() -> wasi_sidecar::Child {
        let wasm = wat::parse_str(
            r#"(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))"#,
        );
        let engine = Engine::new(&EngineConfig::new()).expect("an engine");
        let component =
            Component::new(&engine, wasm.expect("it is WebAssembly")).expect("runnable");
        Command::new(component).spawn().expect("it starts")
    }

    fn web(on_reload: OnReload) -> WebChild {
        WebChild {
            program: "spin".into(),
            owner: Owner { window: "main".into(), webview: "main".into() },
            shared: false,
            on_reload,
            stdin: Arc::default(),
            waiting: Waiting::new(PageLimits::default()),
            credits: Arc::default(),
        }
    }

    #[test]
    fn parity_33_a_child_whose_page_is_left_while_it_starts_ends() {
        type Leave = fn(&Children);
        let rows: [(OnReload, Leave, bool); 5] = [
            (OnReload::Kill, |_| {}, false),
            (OnReload::Kill, |children| children.page_left("main"), true),
            (OnReload::Kill, |children| children.page_left("other"), false),
            (OnReload::Keep, |children| children.page_left("main"), false),
            (OnReload::Keep, |children| children.window_destroyed("main"), true),
        ];
        for (on_reload, leave, ends) in rows {
            let (children, web) = (Children::default(), web(on_reload));
            let page = children.page(&web.owner);
            let starting = children.starting().expect("the app does not end");
            let child = spin();
            leave(&children);
            let (watch, credits) = (child.watch(), Arc::clone(&web.credits));
            starting.started_by(page, child.watch(), web);
            if ends {
                assert_eq!(wait_here(watch.wait()).expect("it ran").signal(), Some(9));
            } else {
                assert!(matches!(watch.try_wait(), Ok(None)), "{on_reload:?}");
            }
            let left =
                children.page(&Owner { window: "main".into(), webview: "main".into() }) != page;
            assert_eq!(credits.page_is_there(), !left);
            watch.start_kill();
        }
    }

    #[test]
    fn kills_that_wait_are_counted_apart_and_are_no_more_than_may_wait() {
        let limits = PageLimits { calls: 100, ..PageLimits::default() };
        let children = Children::new(limits);
        let start = || {
            let web = web(OnReload::Kill);
            let (page, child) = (children.page(&web.owner), spin());
            let starting = children.starting_for("main", "spin").expect("there is room");
            starting.started_by(page, child.watch(), web);
            child
        };
        let calls = |shares: &Shares| -> Vec<Share> {
            let one = || shares.take("main", 1, limits.most_calls());
            std::iter::from_fn(one).collect()
        };
        // What waits for its input keeps nobody from ending a child.
        let first = start();
        let writes = calls(&children.0.calls);
        assert_eq!(writes.len(), 100);
        let text = children.waiting_call("main").expect_err("there are a hundred").to_string();
        assert!(text.contains("`main`") && text.contains("`webviews.maxCalls`"), "{text}");
        wait_here(children.kill(first.id().get(), "main")).expect("it is its own");

        let second = start();
        let kills = calls(&children.0.kills);
        let error = wait_here(children.kill(second.id().get(), "main")).expect_err("no waiting");
        assert!(matches!(error, Error::TooManyCalls { limit: 100, .. }), "{error}");
        assert_eq!(wait_here(second.watch().wait()).expect("it ran").signal(), Some(9));
        wait_here(children.kill(second.id().get(), "main"))
            .expect("it has ended, and waits for none");
        // Another page's calls are its own.
        drop(children.waiting_call("other").expect("it has none"));
        drop((writes, kills));
        drop(children.waiting_call("main").expect("all were given back"));
    }

    #[test]
    fn parity_21_nothing_is_started_while_the_app_ends() {
        let children = Children::default();
        let starting = children.starting().expect("the app does not end yet");
        let child = spin();
        let watch = child.watch();
        std::thread::scope(|scope| {
            scope.spawn(|| children.end_all());
            while !children.state().closed {
                std::thread::yield_now();
            }
            assert!(matches!(children.starting(), Err(Error::Ending)));
            starting.started(child.watch());
        });
        assert_eq!(wait_here(watch.wait()).expect("it ran").signal(), Some(9));
    }
}
