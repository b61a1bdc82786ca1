//! Commands that look something up.

use serde::Serialize;
use tauri::{Runtime, State, Webview};

use crate::{Result, Sidecars, sidecar::StatusPayload};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChildInfo {
    pid: u32,
    program: String,
    backend: &'static str,
    /// Bytes of linear memory; null for a native child.
    memory: Option<u64>,
    /// Milliseconds of CPU time; null for a native child.
    cpu_time: Option<f64>,
}

/// The running children that this webview may use, oldest first.
#[tauri::command]
pub(crate) fn list<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
) -> Vec<ChildInfo> {
    let children = sidecars.children().list(webview.label()).into_iter();
    let info = children.map(|(child, page)| {
        let usage = child.usage();
        ChildInfo {
            pid: child.id().get(),
            program: page.program,
            backend: child.backend().as_str(),
            memory: usage.map(|usage| usage.memory),
            cpu_time: usage.map(|usage| usage.cpu_time.as_secs_f64() * 1e3),
        }
    });
    info.collect()
}

/// The compilation status of a sidecar.
#[tauri::command]
pub(crate) fn status(sidecars: State<'_, Sidecars>, program: String) -> Result<StatusPayload> {
    let sidecar = sidecars.find(&program)?;
    Ok(StatusPayload::new(&sidecar.config.name, &sidecar.status(sidecars.engine())?))
}
