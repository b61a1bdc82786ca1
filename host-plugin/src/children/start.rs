//! Starts in progress.

use wasi_sidecar::ChildRef;

use super::registry::{Children, PageEpoch, TrackedChild};
use crate::{Error, Result, config::OnReload, page::PageChild};

/// A start in progress. Dropping it without a child means that the start failed.
#[derive(Debug)]
pub(crate) struct StartGuard {
    children: Children,
    /// The webview that the start counts for.
    webview: Option<String>,
}

impl Children {
    /// Announces the start of a child of Rust.
    ///
    /// # Errors
    ///
    /// If the app is ending, since the child would outlive it.
    pub(crate) fn start(&self) -> Result<StartGuard> {
        let mut state = self.state();
        if state.is_closed {
            return Err(Error::Ending);
        }
        state.starting += 1;
        Ok(StartGuard { children: self.clone(), webview: None })
    }

    /// Announces the start of a child of a webview.
    ///
    /// # Errors
    ///
    /// If the app is ending, or the webview has the maximum number of children.
    pub(crate) fn start_for(&self, webview: &str, sidecar: &str) -> Result<StartGuard> {
        let (mut guard, limit) = (self.start()?, self.resources().limits.children);
        let mut state = self.state();
        if state.count(webview) >= limit {
            let (sidecar, webview) = (sidecar.to_owned(), webview.to_owned());
            return Err(Error::TooManyChildren { sidecar, webview, limit });
        }
        *state.starting_for.entry(webview.to_owned()).or_default() += 1;
        guard.webview = Some(webview.to_owned());
        Ok(guard)
    }
}

impl StartGuard {
    /// Registers a child of Rust until it has ended.
    pub(crate) fn started(self, child: ChildRef) {
        let (children, pid) = (self.children.clone(), child.id().get());
        children.state().running.insert(pid, TrackedChild { child: child.clone(), page: None });
        tauri::async_runtime::spawn(async move {
            let _ = child.wait().await;
            children.forget(pid);
        });
    }

    /// Registers a child of a page until it is [forgotten](Children::forget). If the page was left during the start, the child
    /// is treated as by [`page_left`](Children::page_left).
    pub(crate) fn started_for(mut self, epoch: PageEpoch, child: ChildRef, page: PageChild) {
        // Under one lock, so that the child never counts twice: the next start may be the last that is allowed.
        let webview = self.webview.take();
        let mut state = self.children.state();
        if let Some(webview) = webview {
            state.start_ended_for(&webview);
        }
        let now = state.page_epoch(&page.owner);
        if now != epoch {
            page.credits.close();
        }
        let was_left = now != epoch && page.on_reload == OnReload::Kill;
        // The end of the app waits for starts, but with a timeout.
        if was_left || now.windows_destroyed != epoch.windows_destroyed || state.is_closed {
            child.start_kill();
        }
        state.running.insert(child.id().get(), TrackedChild { child, page: Some(page) });
    }
}

impl Drop for StartGuard {
    fn drop(&mut self) {
        let mut state = self.children.state();
        state.starting -= 1;
        if let Some(webview) = &self.webview {
            state.start_ended_for(webview);
        }
        drop(state);
        self.children.0.start_ended.notify_all();
    }
}
