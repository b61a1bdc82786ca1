//! The IPC commands, under the names and with the JSON of the shell plugin (its `commands.rs`); `close_stdin`, `list`,
//! `ack` and `status` are ours.
//!
//! None of them blocks the main thread: those that wait are async, those that are not only look something up. In `spawn` and
//! `execute` the scopes come first, so that they are read before any argument; [`crate::scope::start_check`] relies on it.

mod collect;
pub(crate) mod input;
mod prepare;

use std::{io, sync::Arc, time::Duration};

use tauri::{
    Manager, Runtime, State, Webview,
    ipc::{Channel, CommandScope, GlobalScope, InvokeResponseBody, Response},
};
use tokio::sync::Mutex as AsyncMutex;
use wasi_sidecar::Child;

use self::collect::Room;
use crate::{
    Error, Result, ScopeEntry,
    children::{Listed, Owner, PageMark, WebChild},
    delivery::{self, Credits, Page},
    encoding::{Encoding, Reading},
    js::{CallOptions, Spawned},
    page_limits::Waiting,
    scope::{CallArgs, Scope},
    sidecars::Sidecars,
    status::Told,
};

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
    let caller = Caller::new(&webview, &sidecars);
    let scope = scope(&command_scope, &global_scope);
    let credits = Arc::new(Credits::default());
    let call = Call { command: "spawn", program: &program, args, options: &options };
    let Started { child, encoding, max_line, .. } =
        start(&webview, caller, scope, call, &credits, Input::Kept).await?;

    let (pid, backend) = (child.id().get(), child.backend().as_str());
    let (watch, children) = (child.watch(), sidecars.children().clone());
    tracing::info!(sidecar = program, child = pid, backend, "started for a webview");

    let partial_after = options.flush_partial_lines.map(|ms| Duration::from_millis(ms.into()));
    let reading = Reading { encoding, partial_after, max_line };
    let (events, handle) = child.into_events(reading.framing());
    let page = Page {
        channel: on_event,
        batch: options.batch,
        arrived: prepare::when_arrived(&webview, &credits),
    };
    tauri::async_runtime::spawn(async move {
        delivery::deliver(events, reading, page, &credits, &watch).await;
        children.forget(pid);
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
    let caller = Caller::new(&webview, &sidecars);
    let scope = scope(&command_scope, &global_scope);
    let refused = |error: &Error| prepare::refused("execute", webview.label(), error);
    // Until its answer has been made: the child may have ended long before.
    let _waiting = sidecars.children().waiting_call(webview.label()).inspect_err(refused)?;
    let call = Call { command: "execute", program: &program, args, options: &options };
    let credits = Arc::default();
    let Started { mut child, encoding, sidecar, .. } =
        start(&webview, caller, scope, call, &credits, Input::AtItsEnd).await?;

    let children = sidecars.children();
    let room = Room {
        shares: children.output(),
        most: children.limits().most_output(),
        webview: webview.label(),
        sidecar: &sidecar,
    };
    let collected = collect::collect(&mut child, room).await;
    children.forget(child.id().get());
    let collected = collected.inspect_err(|error| {
        if matches!(error, Error::OutputFull { .. } | Error::TooMuchOutput { .. }) {
            refused(error);
        }
    })?;
    let _turn = match collected.is_small() {
        true => None,
        false => Some(children.answering().lock().await),
    };
    let batch = options.batch;
    let answer = tauri::async_runtime::spawn_blocking(move || collected.answer(encoding, batch));
    answer.await.map_err(failed)?
}

/// Ends a child's input, after what is being written to it.
#[tauri::command]
pub(crate) async fn close_stdin<R: Runtime>(
    webview: Webview<R>,
    sidecars: State<'_, Sidecars>,
    pid: u32,
) -> Result<()> {
    let refused = |error: &Error| prepare::refused("close_stdin", webview.label(), error);
    let child = sidecars.children().running(pid, webview.label()).inspect_err(refused)?;
    let _waiting = sidecars.children().waiting_call(webview.label()).inspect_err(refused)?;
    let _held = child.waiting.take(&child.program, 0).inspect_err(refused)?;
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
    let killed = sidecars.children().kill(pid, webview.label()).await;
    killed.inspect_err(|error| prepare::refused("kill", webview.label(), error))
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

/// How far a sidecar's code is.
#[tauri::command]
pub(crate) fn status(sidecars: State<'_, Sidecars>, program: String) -> Result<Told> {
    let entry = sidecars.entry(&program)?;
    Ok(Told::new(&entry.name, &entry.status(sidecars.engine())?))
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

/// Who calls, and from which page: read first of all, since a page can be left while its call is worked on.
struct Caller {
    owner: Owner,
    page: PageMark,
}

impl Caller {
    fn new<R: Runtime>(webview: &Webview<R>, sidecars: &Sidecars) -> Self {
        let owner = Owner {
            window: webview.window().label().to_owned(),
            webview: webview.label().to_owned(),
        };
        Self { page: sidecars.children().page(&owner), owner }
    }
}

/// What becomes of a child's input.
enum Input {
    /// The page writes to it.
    Kept,
    /// It is at its end from the start.
    AtItsEnd,
}

/// What a page asks to be started.
struct Call<'a> {
    command: &'static str,
    program: &'a str,
    args: CallArgs,
    options: &'a CallOptions,
}

/// What came of it, and how its output is to be read.
struct Started {
    child: Child,
    /// The name of the sidecar.
    sidecar: String,
    encoding: Encoding,
    max_line: usize,
}

/// Starts a sidecar as a webview asked for it, within what its entry and its scope allow, and keeps it among its children. A
/// refusal is told to the log as well.
async fn start<R: Runtime>(
    webview: &Webview<R>,
    caller: Caller,
    scope: Scope<'_>,
    call: Call<'_>,
    credits: &Arc<Credits>,
    input: Input,
) -> Result<Started> {
    let command = call.command;
    let started = async {
        let Call { program, args, options, .. } = call;
        let encoding = Encoding::from_option(options.encoding.as_deref())?;
        let sidecars = webview.state::<Sidecars>();
        let allowed = prepare::allowed(&sidecars, &scope, program, &args, options)?;
        // Before a thread is asked for: a page that starts without end makes none of them work.
        let starting =
            sidecars.children().starting_for(&caller.owner.webview, &allowed.entry.name)?;
        let waiting = Waiting::new(sidecars.children().limits());
        let (sidecar, max_line) = (allowed.entry.name.clone(), allowed.entry.max_line);
        let (app, env, cwd) =
            (webview.app_handle().clone(), options.env.clone(), options.cwd.clone());
        let credits = Arc::clone(credits);
        // Reading and hashing an artifact and opening directories are calls of the system.
        let started = tauri::async_runtime::spawn_blocking(move || {
            let sidecars = app.state::<Sidecars>();
            let mut command = prepare::command(&allowed, sidecars.engine(), env, cwd)?;
            command.args(args.0);
            let mut child = command.spawn()?;
            let stdin = match input {
                Input::Kept => child.stdin.take(),
                Input::AtItsEnd => None,
            };
            let web = WebChild {
                program: allowed.entry.name.clone(),
                owner: caller.owner,
                shared: allowed.entry.shared,
                on_reload: allowed.entry.on_reload,
                stdin: Arc::new(AsyncMutex::new(stdin)),
                waiting,
                credits,
            };
            starting.started_by(caller.page, child.watch(), web);
            Ok(child)
        });
        let child: Result<Child> = started.await.map_err(failed)?;
        Ok(Started { child: child?, sidecar, encoding, max_line })
    };
    started.await.inspect_err(|error| prepare::refused(command, webview.label(), error))
}

/// A thread of ours that did not come to an end: it panicked, or the app ends.
fn failed(error: tauri::Error) -> Error {
    Error::Io(io::Error::other(error))
}
