//! Commands that control a running child.

use tauri::{Runtime, State, Webview};

use super::refusal::log_refusal;
use crate::{Result, Sidecars};

/// Kills a child and waits for its end. `Ok` if it has just ended.
#[tauri::command]
pub(crate) async fn kill<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    pid: u32,
) -> Result<()> {
    let killed = sidecars.children().kill(pid, webview.label()).await;
    killed.inspect_err(|error| log_refusal("kill", webview.label(), error))
}

/// Acknowledges bytes of a child's output. A child that is gone needs no credit.
#[tauri::command]
pub(crate) fn ack<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    pid: u32,
    bytes: usize,
) {
    // Only the page that receives the output acknowledges it, even if others may use the child.
    if let Ok((_, child)) = sidecars.children().get(pid, webview.label())
        && child.owner.webview == webview.label()
    {
        child.credits.acknowledge(bytes);
    }
}
