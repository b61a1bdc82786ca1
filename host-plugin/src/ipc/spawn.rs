//! The command `spawn`, whose output goes to the page as events.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tauri::{
    Runtime, State, Webview,
    ipc::{Channel, CommandScope, GlobalScope, InvokeResponseBody},
};

use super::{
    options::CallOptions,
    start::{Call, Caller, StartedChild, Stdin, merge_scopes, start},
};
use crate::{
    Result, ScopeEntry, Sidecars,
    page::{
        Credits,
        delivery::{OutputOptions, PageChannel, acknowledge_on_arrival, deliver},
    },
    scope::CallArgs,
};

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum SpawnAnswer {
    /// The shell plugin's answer.
    Pid(u32),
    /// The answer to a page with the option `batch`.
    PidAndBackend { pid: u32, backend: &'static str },
}

#[tauri::command]
#[expect(
    clippy::too_many_arguments,
    reason = "each is a part of the message or identifies its sender"
)]
pub(crate) async fn spawn<R: Runtime>(
    command_scope: CommandScope<ScopeEntry>,
    global_scope: GlobalScope<ScopeEntry>,
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    program: String,
    args: CallArgs,
    options: CallOptions,
    on_event: Channel<InvokeResponseBody>,
) -> Result<SpawnAnswer> {
    let caller = Caller::new(&webview, &sidecars);
    let scope = merge_scopes(&command_scope, &global_scope);
    let credits = Arc::new(Credits::default());
    let call = Call { command: "spawn", program: &program, args, options: &options };
    let StartedChild { child, encoding, max_line, .. } =
        start(&webview, caller, scope, call, &credits, Stdin::Open).await?;

    let (pid, backend) = (child.id().get(), child.backend().as_str());
    let (watch, children) = (child.watch(), sidecars.children().clone());
    tracing::info!(sidecar = program, child = pid, backend, "started for a webview");

    let partial_after = options.flush_partial_lines.map(|ms| Duration::from_millis(ms.into()));
    let output = OutputOptions { encoding, partial_after, max_line };
    let (events, handle) = child.into_events(output.framing());
    let page = PageChannel {
        channel: on_event,
        batch: options.batch,
        acknowledge: acknowledge_on_arrival(&webview, &credits),
    };
    tauri::async_runtime::spawn(async move {
        deliver(events, output, page, &credits, &watch).await;
        children.forget(pid);
        drop(handle);
    });
    Ok(if options.batch {
        SpawnAnswer::PidAndBackend { pid, backend }
    } else {
        SpawnAnswer::Pid(pid)
    })
}
