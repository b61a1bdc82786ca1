//! How far the code of a sidecar is, told to pages: as the answer to a question, and as an event whenever it changes.

use std::{fmt, sync::Arc};

use serde::Serialize;
use tauri::{AppHandle, Emitter, Runtime};
use wasi_sidecar::{CodeOrigin, Status, StatusWatch};

/// The event's name.
pub(crate) const EVENT: &str = "wasi-sidecar://status";

/// What a page is told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    /// The name the sidecar is configured by.
    name: String,
    status: &'static str,
    /// Milliseconds since compiling began.
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Told {
    pub(crate) fn new(name: &str, status: &Status) -> Self {
        let mut told =
            Self { name: name.to_owned(), status: "", elapsed: None, origin: None, error: None };
        told.status = match status {
            Status::Queued => "queued",
            Status::Compiling { since } => {
                told.elapsed = Some(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX));
                "compiling"
            }
            Status::Ready(origin) => {
                told.origin = Some(match origin {
                    CodeOrigin::Cache => "cache",
                    CodeOrigin::AheadOfTime => "ahead-of-time",
                    _ => "compiled",
                });
                "ready"
            }
            Status::Failed(error) => {
                told.error = Some(error.chain());
                "failed"
            }
            Status::Native => "native",
            _ => "not-asked",
        };
        told
    }
}

/// Sends the event. It knows the app, whatever runs it, so that an entry need not.
#[derive(Clone)]
pub(crate) struct Announcer(Arc<dyn Fn(String, StatusWatch) + Send + Sync>);

impl Announcer {
    pub(crate) fn new<R: Runtime>(app: AppHandle<R>) -> Self {
        Self(Arc::new(move |name, watch| {
            // From a task: what loads a sidecar may hold a lock that sending an event takes as well.
            tauri::async_runtime::spawn(announce(app.clone(), name, watch));
        }))
    }

    /// Tells every page of what becomes of a component, until it is gone or its code is there.
    pub(crate) fn follow(&self, name: &str, watch: StatusWatch) {
        self.0(name.to_owned(), watch);
    }
}

impl fmt::Debug for Announcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Announcer")
    }
}

async fn announce<R: Runtime>(app: AppHandle<R>, name: String, mut watch: StatusWatch) {
    while let Some(status) = watch.changed().await {
        if let Err(error) = app.emit(EVENT, Told::new(&name, &status)) {
            tracing::debug!(sidecar = name, %error, "a status reached no page");
        }
        if matches!(status, Status::Ready(_)) {
            return;
        }
    }
}
