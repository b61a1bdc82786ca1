//! Logs refused calls.

use crate::{Error, error::sanitize};

/// Logs which page made the call and which rule refuses it. Only the debug level has the text, which can contain what the page
/// sent.
pub(super) fn log_refusal(call: &'static str, webview: &str, error: &Error) {
    let rule = error.rule();
    match error.sidecar() {
        Some(sidecar) => tracing::warn!(call, webview, sidecar, rule, "a page's call was refused"),
        None => tracing::warn!(call, webview, rule, "a page's call was refused"),
    }
    tracing::debug!(call, webview, error = ?sanitize(error.to_string()), "refused because");
}
