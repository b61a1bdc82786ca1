//! The command `execute`, which answers with all output.

use std::sync::Arc;

use tauri::{
    Runtime, State, Webview,
    ipc::{CommandScope, GlobalScope, Response},
};

use super::{
    collect::{OutputRoom, collect},
    options::CallOptions,
    refusal::log_refusal,
    start::{Call, Caller, StartedChild, Stdin, merge_scopes, start, task_error},
};
use crate::{Error, Result, ScopeEntry, Sidecars, scope::CallArgs};

#[tauri::command]
pub(crate) async fn execute<R: Runtime>(
    command_scope: CommandScope<ScopeEntry>,
    global_scope: GlobalScope<ScopeEntry>,
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    program: String,
    args: CallArgs,
    options: CallOptions,
) -> Result<Response> {
    let caller = Caller::new(&webview, &sidecars);
    let scope = merge_scopes(&command_scope, &global_scope);
    let log = |error: &Error| log_refusal("execute", webview.label(), error);
    let (children, resources) = (sidecars.children(), sidecars.children().resources());
    // The call counts until its answer is encoded, which can be long after the child's end.
    let _call = resources.call(webview.label()).inspect_err(log)?;
    let call = Call { command: "execute", program: &program, args, options: &options };
    let credits = Arc::default();
    let StartedChild { mut child, encoding, sidecar, .. } =
        start(&webview, caller, scope, call, &credits, Stdin::Closed).await?;

    let (quota, limits) = resources.output();
    let room = OutputRoom { quota, limits, webview: webview.label(), sidecar: &sidecar };
    let collected = collect(&mut child, room).await;
    children.forget(child.id().get());
    let collected = collected.inspect_err(|error| {
        if matches!(error, Error::OutputFull { .. } | Error::TooMuchOutput { .. }) {
            log(error);
        }
    })?;
    let _turn = match collected.is_small() {
        true => None,
        false => Some(resources.large_answer().await),
    };
    let batch = options.batch;
    let answer =
        tauri::async_runtime::spawn_blocking(move || collected.into_answer(encoding, batch));
    answer.await.map_err(task_error)?
}
