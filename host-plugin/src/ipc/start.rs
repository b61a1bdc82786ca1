//! Starts a child for a page; common to `spawn` and `execute`.
//!
//! Both commands take the scopes as their first arguments, so that Tauri reads them before any other argument.
//! [`start_check`](crate::scope::start_check) relies on it.

use std::{io, sync::Arc};

use tauri::{
    Manager, Runtime, Webview,
    ipc::{CommandScope, GlobalScope},
};
use tokio::sync::Mutex as AsyncMutex;
use wasi_sidecar::Child;

use super::{
    authorize::{authorize, build_command},
    options::CallOptions,
    refusal::log_refusal,
};
use crate::{
    Error, Result, ScopeEntry, Sidecars,
    children::PageEpoch,
    page::{Credits, InputBudget, Owner, PageChild, delivery::OutputEncoding},
    scope::{CallArgs, Scope},
};

/// Merges the scope of the command with the plugin's global scope.
pub(super) fn merge_scopes<'a>(
    command: &'a CommandScope<ScopeEntry>,
    global: &'a GlobalScope<ScopeEntry>,
) -> Scope<'a> {
    Scope {
        allow: command.allows().iter().chain(global.allows()).map(AsRef::as_ref).collect(),
        deny: command.denies().iter().chain(global.denies()).map(AsRef::as_ref).collect(),
    }
}

/// The calling page. A command reads it first, since the page can be left during the call.
pub(super) struct Caller {
    owner: Owner,
    epoch: PageEpoch,
}

impl Caller {
    pub(super) fn new<R: Runtime>(webview: &Webview<R>, sidecars: &Sidecars) -> Self {
        let owner = Owner {
            window: webview.window().label().to_owned(),
            webview: webview.label().to_owned(),
        };
        Self { epoch: sidecars.children().page_epoch(&owner), owner }
    }
}

pub(super) enum Stdin {
    /// The page writes to it.
    Open,
    Closed,
}

pub(super) struct Call<'a> {
    pub(super) command: &'static str,
    pub(super) program: &'a str,
    pub(super) args: CallArgs,
    pub(super) options: &'a CallOptions,
}

pub(super) struct StartedChild {
    pub(super) child: Child,
    /// The name of the sidecar.
    pub(super) sidecar: String,
    pub(super) encoding: OutputEncoding,
    pub(super) max_line: usize,
}

/// Starts a sidecar for a webview within its grants and the scope, and registers the child. Logs a refusal.
pub(super) async fn start<R: Runtime>(
    webview: &Webview<R>,
    caller: Caller,
    scope: Scope<'_>,
    call: Call<'_>,
    credits: &Arc<Credits>,
    stdin: Stdin,
) -> Result<StartedChild> {
    let name = call.command;
    let started = async {
        let Call { program, args, options, .. } = call;
        let encoding = OutputEncoding::from_option(options.encoding.as_deref())?;
        let sidecars = webview.state::<Sidecars>();
        let allowed = authorize(&sidecars, &scope, program, &args, options)?;
        let (config, children) = (&allowed.sidecar.config, sidecars.children());
        // This precedes the blocking task, so that a page that starts sidecars in a loop occupies no threads.
        let starting = children.start_for(&caller.owner.webview, &config.name)?;
        let input = InputBudget::new(children.resources().limits);
        let (sidecar, max_line) = (config.name.clone(), config.max_line);
        let (app, env, cwd) =
            (webview.app_handle().clone(), options.env.clone(), options.cwd.clone());
        let credits = Arc::clone(credits);
        // Reading the artifact, hashing it and opening directories block.
        let started = tauri::async_runtime::spawn_blocking(move || {
            let sidecars = app.state::<Sidecars>();
            let mut command = build_command(&allowed, sidecars.engine(), env, cwd)?;
            command.args(args.0);
            let mut child = command.spawn()?;
            let stdin = match stdin {
                Stdin::Open => child.stdin.take(),
                Stdin::Closed => None,
            };
            let config = &allowed.sidecar.config;
            let page = PageChild {
                program: config.name.clone(),
                owner: caller.owner,
                shared: config.shared,
                on_reload: config.on_reload,
                stdin: Arc::new(AsyncMutex::new(stdin)),
                input,
                credits,
            };
            starting.started_for(caller.epoch, child.watch(), page);
            Ok(child)
        });
        let child: Result<Child> = started.await.map_err(task_error)?;
        Ok(StartedChild { child: child?, sidecar, encoding, max_line })
    };
    started.await.inspect_err(|error| log_refusal(name, webview.label(), error))
}

/// The error of a blocking task that panicked, or that the end of the app cancelled.
pub(super) fn task_error(error: tauri::Error) -> Error {
    Error::Io(io::Error::other(error))
}
