//! Children of pages: who may use them, and when they end with their page.

use wasi_sidecar::ChildRef;

use super::registry::{Children, PageEpoch, TrackedChild};
use crate::{
    Error, Result,
    config::OnReload,
    page::{Owner, PageChild},
};

impl Children {
    /// The page that an owner shows now.
    pub(crate) fn page_epoch(&self, owner: &Owner) -> PageEpoch {
        self.state().page_epoch(owner)
    }

    /// A registered child that this webview may use.
    ///
    /// # Errors
    ///
    /// If there is none. Another webview's child gives the same error, so that a page cannot probe for it.
    pub(crate) fn get(&self, pid: u32, webview: &str) -> Result<(ChildRef, PageChild)> {
        match self.state().running.get(&pid) {
            Some(TrackedChild { child, page: Some(page) }) if may_use(page, webview) => {
                Ok((child.clone(), page.clone()))
            }
            _ => Err(Error::NoSuchChild(pid)),
        }
    }

    /// The same for a child that has not ended. An ended child stays registered until all its output is delivered.
    pub(crate) fn running(&self, pid: u32, webview: &str) -> Result<PageChild> {
        let (child, page) = self.get(pid, webview)?;
        if matches!(child.try_wait(), Ok(None)) { Ok(page) } else { Err(Error::NoSuchChild(pid)) }
    }

    /// Kills a child of this webview and waits for its end. `Ok` if it has just ended.
    ///
    /// # Errors
    ///
    /// If there is no such child. If the webview has the maximum number of waiting kills, the child is killed all the same.
    pub(crate) async fn kill(&self, pid: u32, webview: &str) -> Result<()> {
        let child = match self.get(pid, webview) {
            Ok((child, _)) => child,
            Err(_) if self.state().has_ended(pid, webview) => return Ok(()),
            Err(error) => return Err(error),
        };
        if !matches!(child.try_wait(), Ok(None)) {
            return Ok(());
        }
        child.start_kill();
        let _reservation = self.resources().kill(webview)?;
        // An error means that running the child failed, which its events report. It has ended either way.
        let _ = child.wait().await;
        Ok(())
    }

    /// The running children that this webview may use, oldest first.
    pub(crate) fn list(&self, webview: &str) -> Vec<(ChildRef, PageChild)> {
        let mut list = self.of_pages(|page| may_use(page, webview));
        list.retain(|(child, _)| matches!(child.try_wait(), Ok(None)));
        list.sort_by_key(|(child, _)| child.id().get());
        list
    }

    /// Ends or silences the children of a webview that loads another page, which does not know them.
    pub(crate) fn page_left(&self, webview: &str) {
        *self.state().pages_left.entry(webview.to_owned()).or_default() += 1;
        for (child, page) in self.of_pages(|page| page.owner.webview == webview) {
            match page.on_reload {
                OnReload::Kill => {
                    tracing::debug!(child = %child.id(), webview, "killed: its page was left");
                    child.start_kill();
                }
                OnReload::Keep => {}
            }
            page.credits.close();
        }
    }

    /// Ends the children of a destroyed window, whatever their `onReload`.
    pub(crate) fn window_destroyed(&self, window: &str) {
        *self.state().windows_destroyed.entry(window.to_owned()).or_default() += 1;
        for (child, page) in self.of_pages(|page| page.owner.window == window) {
            tracing::debug!(child = %child.id(), window, "killed: its window was destroyed");
            child.start_kill();
            page.credits.close();
        }
    }

    fn of_pages(&self, matches: impl Fn(&PageChild) -> bool) -> Vec<(ChildRef, PageChild)> {
        let state = self.state();
        let children = state.running.values().filter_map(|tracked| {
            let page = tracked.page.as_ref().filter(|page| matches(page))?;
            Some((tracked.child.clone(), page.clone()))
        });
        children.collect()
    }
}

fn may_use(page: &PageChild, webview: &str) -> bool {
    page.shared || page.owner.webview == webview
}
