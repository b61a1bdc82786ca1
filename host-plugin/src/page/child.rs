//! A child of a page.

use std::sync::Arc;

use tokio::sync::Mutex as AsyncMutex;
use wasi_sidecar::ChildStdin;

use super::{credits::Credits, input_budget::InputBudget};
use crate::config::OnReload;

#[derive(Clone, Debug)]
pub(crate) struct PageChild {
    /// The name of its sidecar.
    pub(crate) program: String,
    pub(crate) owner: Owner,
    /// Whether other webviews may use it.
    pub(crate) shared: bool,
    pub(crate) on_reload: OnReload,
    /// `None` once it is closed. The lock is fair, so writes keep their order.
    pub(crate) stdin: Arc<AsyncMutex<Option<ChildStdin>>>,
    pub(crate) input: InputBudget,
    pub(crate) credits: Arc<Credits>,
}

/// The window and the webview that started a child, by label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) window: String,
    pub(crate) webview: String,
}
