//! Ends all children with the app.

use std::{sync::PoisonError, time::Duration};

use wasi_sidecar::Backend;

use super::registry::Children;
use crate::block_on::block_on;

/// How long the end of the app waits for killed native fallbacks. The system kills them at once, unless one hangs in the
/// kernel.
const EXIT_GRACE: Duration = Duration::from_secs(2);

impl Children {
    /// Kills all children, a native fallback with its process group, and refuses further starts.
    pub(crate) fn end_all(&self) {
        let mut state = self.state();
        state.is_closed = true;
        // A child whose start is in progress is not registered yet, and would outlive the app.
        let waited =
            self.0.start_ended.wait_timeout_while(state, EXIT_GRACE, |state| state.starting > 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let children: Vec<_> =
            state.running.values().map(|tracked| tracked.child.clone()).collect();
        drop(state);
        for child in &children {
            child.start_kill();
        }
        // Components end with the process. A task kills a native fallback, so it takes a moment.
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
        if block_on(async { tokio::time::timeout(EXIT_GRACE, all_ended).await }).is_err() {
            tracing::warn!("a killed native fallback has not ended");
        }
    }
}
