//! What the pages of an app hold together: waiting calls and collected output.

use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};

use super::{
    limits::PageLimits,
    quota::{Quota, QuotaLimits, Reservation},
};
use crate::{Error, Result};

#[derive(Debug, Default)]
pub(crate) struct PageResources {
    pub(crate) limits: PageLimits,
    calls: Quota,
    /// Kills have a quota of their own, so that a page can always end the child that makes its calls wait.
    kills: Quota,
    output: Quota,
    large_answer: AsyncMutex<()>,
}

impl PageResources {
    pub(crate) fn new(limits: PageLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Counts a call that may wait.
    ///
    /// # Errors
    ///
    /// If the webview has the maximum number of them.
    pub(crate) fn call(&self, webview: &str) -> Result<Reservation> {
        self.reserve_call(&self.calls, webview)
    }

    /// Counts a kill that waits for the child's end; see [`call`](Self::call).
    pub(crate) fn kill(&self, webview: &str) -> Result<Reservation> {
        self.reserve_call(&self.kills, webview)
    }

    fn reserve_call(&self, quota: &Quota, webview: &str) -> Result<Reservation> {
        quota.reserve(webview, 1, self.limits.call_limits()).ok_or_else(|| Error::TooManyCalls {
            webview: webview.to_owned(),
            limit: self.limits.calls,
        })
    }

    /// Where calls of `execute` reserve room for output.
    pub(crate) fn output(&self) -> (&Quota, QuotaLimits) {
        (&self.output, self.limits.output_limits())
    }

    /// Waits until no other large answer is encoded. Encoding takes a multiple of the output's memory.
    pub(crate) async fn large_answer(&self) -> AsyncMutexGuard<'_, ()> {
        self.large_answer.lock().await
    }
}
