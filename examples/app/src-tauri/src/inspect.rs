//! What a file is and what it would need, told before anything of it runs.

use serde::Serialize;
use tauri::{
    AppHandle,
    ipc::{InvokeBody, Request},
};
use tauri_plugin_wasi_sidecar::{
    SidecarExt,
    wasi_sidecar::{Artifact, Need},
};

/// An artifact, for the page.
#[derive(Serialize)]
pub(crate) struct Described {
    kind: &'static str,
    wasi: Option<&'static str>,
    size: u64,
    digest: String,
    imports: Vec<String>,
    needs: Vec<Needed>,
    runs: bool,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Needed {
    what: &'static str,
    detail: &'static str,
}

impl Described {
    pub(crate) fn of(artifact: &Artifact) -> Self {
        let runnable = artifact.check_runnable();
        let needed = |need: &Need| Needed { what: need.as_str(), detail: detail(*need) };
        Self {
            kind: artifact.kind().as_str(),
            wasi: artifact.wasi(),
            size: artifact.size(),
            digest: artifact.digest().to_string(),
            imports: artifact.imports().to_vec(),
            needs: artifact.needs().iter().map(needed).collect(),
            runs: runnable.is_ok(),
            reason: runnable.err().map(|error| error.chain()),
        }
    }
}

fn detail(need: Need) -> &'static str {
    match need {
        Need::Filesystem => "it can ask for files, and opens what is granted",
        Need::Environment => "it can ask for the environment, and sees what is granted",
        Need::Network => "it can ask for the network, and reaches what is granted",
        _ => "it can ask, and gets what is granted",
    }
}

/// Says what a dropped file is, and makes it the sidecar `dropped` if it can run. The page sends its bytes.
#[tauri::command(async)]
pub(crate) fn inspect(app: AppHandle, request: Request<'_>) -> Result<Described, String> {
    let InvokeBody::Raw(bytes) = request.body() else { return Err("a file comes as bytes".into()) };
    let artifact =
        Artifact::identify(bytes).map_err(|error| format!("this is {}", error.chain()))?;
    if artifact.check_runnable().is_ok() {
        app.sidecars().register("dropped", bytes.clone()).map_err(|error| error.to_string())?;
    }
    Ok(Described::of(&artifact))
}
