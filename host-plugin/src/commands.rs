//! The IPC commands, under the names and with the JSON of the shell plugin (its `commands.rs`); `close_stdin`, `list` and
//! `ack` are ours.
//!
//! None of them blocks the main thread: those that wait are async, those that are not only look something up. In `spawn` and
//! `execute` the scopes come first, so that they are read before any argument; [`crate::scope::start_check`] relies on it.

mod input;
mod prepare;

use std::{io, sync::Arc, time::Duration};

use tauri::{
    Manager, Runtime, State, Webview,
    ipc::{Channel, CommandScope, GlobalScope, InvokeResponseBody, Request, Response},
};
use tokio::{io::AsyncWriteExt, sync::Mutex as AsyncMutex};
use wasi_sidecar::Child;

use crate::{
    Error, Result, ScopeEntry,
    children::{Listed, Owner, WebChild},
    delivery::{self, Credits, Page},
    encoding::Encoding,
    entry::Entry,
    error::broken_pipe,
    js::{CallOptions, Executed, RawOutput, Spawned, Text},
    process::reason,
    scope::{CallArgs, Scope},
    sidecars::Sidecars,
};

/// Bytes of each stream that `execute` collects. It all becomes one message, which the page has to hold as well.
const MAX_EXECUTE_OUTPUT: usize = 64 << 20;

#[tauri::command]
#[expect(
    clippy::too_many_arguments,
    reason = "each is a part of the message, or of where it comes from"
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
) -> Result<Spawned> {
    let encoding = Encoding::from_option(options.encoding.as_deref())?;
    let entry = prepare::allowed(
        &sidecars,
        &scope(&command_scope, &global_scope),
        &program,
        &args,
        &options,
    )?;
    let owner = owner(&webview);
    let page_now = sidecars.children().page(&owner);
    let mut child = start(&webview, &entry, args, &options).await?;

    let (pid, backend) = (child.id().get(), child.backend().as_str());
    let credits = Arc::new(Credits::default());
    let web = web_child(owner, &entry.0, Some(&mut child), &credits);
    let children = sidecars.children().clone();
    children.add_of_page(child.watch(), web, page_now);
    tracing::info!(sidecar = entry.0.name, child = pid, backend, "started for a webview");

    let partial_after = options.flush_partial_lines.map(|ms| Duration::from_millis(ms.into()));
    let (events, handle) = child.into_events(encoding.framing(partial_after));
    let page = Page {
        channel: on_event,
        batch: options.batch,
        arrived: prepare::when_arrived(&webview, &credits),
    };
    tauri::async_runtime::spawn(async move {
        delivery::deliver(events, encoding, partial_after, page, &credits).await;
        children.ended(pid);
        drop(handle);
    });
    Ok(if options.batch { Spawned::Told { pid, backend } } else { Spawned::Pid(pid) })
}

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
    let encoding = Encoding::from_option(options.encoding.as_deref())?;
    let entry = prepare::allowed(
        &sidecars,
        &scope(&command_scope, &global_scope),
        &program,
        &args,
        &options,
    )?;
    let owner = owner(&webview);
    let children = sidecars.children();
    let page_now = children.page(&owner);
    let child = start(&webview, &entry, args, &options).await?;

    let pid = child.id().get();
    let web = web_child(owner, &entry.0, None, &Arc::default());
    children.add_of_page(child.watch(), web, page_now);
    let output = child.wait_with_output().await;
    children.ended(pid);
    let output = output?;

    let (code, signal) = (output.status.code(), output.status.signal());
    let reason = reason(Some(output.status.termination()));
    let body = match encoding {
        Encoding::Raw if options.batch => {
            let stdout = output.stdout.len();
            InvokeResponseBody::Raw(
                RawOutput { code, signal, reason, stdout }.with(&output.stdout, &output.stderr)?,
            )
        }
        Encoding::Raw => {
            let (stdout, stderr) = (Text::Raw(&output.stdout), Text::Raw(&output.stderr));
            json(&Executed { code, signal, reason, stdout, stderr })?
        }
        Encoding::Utf8 | Encoding::Label(_) => {
            let (stdout, stderr) = (encoding.text(output.stdout)?, encoding.text(output.stderr)?);
            let (stdout, stderr) = (Text::Text(&stdout), Text::Text(&stderr));
            json(&Executed { code, signal, reason, stdout, stderr })?
        }
    };
    Ok(Response::new(body))
}

/// Writes to a child's input, and answers when the child has taken all of it.
#[tauri::command]
pub(crate) async fn stdin_write<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    request: Request<'_>,
) -> Result<()> {
    let (pid, bytes) = input::read(&request)?;
    let (_, child) = sidecars.children().get(pid, webview.label())?;
    let mut stdin = child.stdin.lock().await;
    let written = match stdin.as_mut() {
        Some(stdin) => match stdin.write_all(&bytes).await {
            Ok(()) => stdin.flush().await,
            Err(error) => Err(error),
        },
        None => Err(io::ErrorKind::BrokenPipe.into()),
    };
    Ok(written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => broken_pipe(),
        _ => error,
    })?)
}

/// Ends a child's input, after what is being written to it.
#[tauri::command]
pub(crate) async fn close_stdin<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    pid: u32,
) -> Result<()> {
    let (_, child) = sidecars.children().get(pid, webview.label())?;
    drop(child.stdin.lock().await.take());
    Ok(())
}

/// Kills a child and waits for its end. Killing one that has just ended is no error.
#[tauri::command]
pub(crate) async fn kill<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    pid: u32,
) -> Result<()> {
    match sidecars.children().get(pid, webview.label()) {
        Ok((child, _)) => {
            child.start_kill();
            // That it could not be run to an end is told by its events; it has ended, as was asked.
            let _ = child.wait().await;
            Ok(())
        }
        Err(_) if sidecars.children().has_ended(pid, webview.label()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The children that this webview may use.
#[tauri::command]
pub(crate) fn list<R: Runtime>(webview: Webview<R>, sidecars: State<'_, Sidecars>) -> Vec<Listed> {
    sidecars.children().list(webview.label())
}

/// The page has consumed so many bytes of a child's output. A child that is gone needs no credit.
#[tauri::command]
pub(crate) fn ack<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    pid: u32,
    bytes: usize,
) {
    // Only the page that gets the output acknowledges it, also where others may use the child.
    if let Ok((_, child)) = sidecars.children().get(pid, webview.label())
        && child.owner.webview == webview.label()
    {
        child.credits.give_back(bytes);
    }
}

fn scope<'a>(
    command: &'a CommandScope<ScopeEntry>,
    global: &'a GlobalScope<ScopeEntry>,
) -> Scope<'a> {
    Scope {
        allow: command.allows().iter().chain(global.allows()).map(AsRef::as_ref).collect(),
        deny: command.denies().iter().chain(global.denies()).map(AsRef::as_ref).collect(),
    }
}

/// Starts a sidecar as a webview asked for it, within what its entry and its scope allow.
async fn start<R: Runtime>(
    webview: &Webview<R>,
    (entry, scope_env): &(Arc<Entry>, Vec<String>),
    args: CallArgs,
    options: &CallOptions,
) -> Result<Child> {
    let (app, entry, scope_env) =
        (webview.app_handle().clone(), Arc::clone(entry), scope_env.clone());
    let (env, cwd) = (options.env.clone(), options.cwd.clone());
    // Reading and hashing an artifact and opening directories are calls of the system.
    let started = tauri::async_runtime::spawn_blocking(move || {
        let engine = app.state::<Sidecars>().engine().clone();
        let mut command = prepare::command(&entry, &engine, &scope_env, env, cwd)?;
        command.args(args.0).max_output(MAX_EXECUTE_OUTPUT);
        Ok(command.spawn()?)
    });
    started
        .await
        .map_err(|error| Error::Config(format!("the start of a sidecar failed: {error}")))?
}

fn owner<R: Runtime>(webview: &Webview<R>) -> Owner {
    Owner { window: webview.window().label().to_owned(), webview: webview.label().to_owned() }
}

fn web_child(
    owner: Owner,
    entry: &Entry,
    child: Option<&mut Child>,
    credits: &Arc<Credits>,
) -> WebChild {
    WebChild {
        program: entry.name.clone(),
        owner,
        shared: entry.shared,
        on_reload: entry.on_reload,
        stdin: Arc::new(AsyncMutex::new(child.and_then(|child| child.stdin.take()))),
        credits: Arc::clone(credits),
    }
}

fn json(value: &impl serde::Serialize) -> Result<InvokeResponseBody> {
    Ok(InvokeResponseBody::Json(serde_json::to_string(value)?))
}
