//! The compilation status of a sidecar for pages: as the result of a command, and as an event on every change.

use std::{fmt, sync::Arc};

use serde::Serialize;
use tauri::{AppHandle, Emitter, Runtime};
use wasi_sidecar::{CodeOrigin, Status, StatusWatch};

use crate::spelling::explain;

/// The name of the event.
const STATUS_EVENT: &str = "wasi-sidecar://status";

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusPayload {
    /// The sidecar's configured name.
    name: String,
    status: &'static str,
    /// Milliseconds since compilation began.
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl StatusPayload {
    pub(crate) fn new(name: &str, status: &Status) -> Self {
        let mut payload =
            Self { name: name.to_owned(), status: "", elapsed: None, origin: None, error: None };
        payload.status = match status {
            Status::Queued => "queued",
            Status::Compiling { since } => {
                payload.elapsed =
                    Some(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX));
                "compiling"
            }
            Status::Ready(origin) => {
                payload.origin = Some(match origin {
                    CodeOrigin::Cache => "cache",
                    CodeOrigin::AheadOfTime => "ahead-of-time",
                    _ => "compiled",
                });
                "ready"
            }
            Status::Failed(error) => {
                payload.error = Some(explain(error));
                "failed"
            }
            Status::Native => "native",
            _ => "not-asked",
        };
        payload
    }
}

/// Emits status events to all pages. The closure hides the app's runtime type `R`.
#[derive(Clone)]
pub(crate) struct StatusEmitter(Arc<dyn Fn(String, StatusWatch) + Send + Sync>);

impl StatusEmitter {
    pub(crate) fn new<R: Runtime>(app: AppHandle<R>) -> Self {
        Self(Arc::new(move |name, watch| {
            // A task, since the caller may hold a lock that emitting an event takes as well.
            tauri::async_runtime::spawn(emit_changes(app.clone(), name, watch));
        }))
    }

    /// Emits every change of a component's status until its code is ready or the component is dropped.
    pub(super) fn follow(&self, name: &str, watch: StatusWatch) {
        self.0(name.to_owned(), watch);
    }
}

impl fmt::Debug for StatusEmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StatusEmitter")
    }
}

async fn emit_changes<R: Runtime>(app: AppHandle<R>, name: String, mut watch: StatusWatch) {
    while let Some(status) = watch.changed().await {
        if let Err(error) = app.emit(STATUS_EVENT, StatusPayload::new(&name, &status)) {
            tracing::debug!(sidecar = name, %error, "a status reached no page");
        }
        if matches!(status, Status::Ready(_)) {
            return;
        }
    }
}
