//! From a page's call to a command: what the scope and the sidecar's own grants allow of it.

use std::{path::Path, sync::Arc};

use tauri::{Runtime, Webview};
use wasi_sidecar::{Command, Engine, Program};

use crate::{
    Error, Result,
    delivery::Credits,
    entry::Entry,
    error::short,
    js::{CallOptions, Env},
    scope::{CallArgs, Scope},
    sidecars::{Sidecars, last_part},
};

/// Bytes of messages after which an old-style page is asked whether they have arrived.
const ASK_AFTER: usize = 64 << 10;

/// A call that the scope allows.
pub(super) struct Allowed {
    /// The sidecar that is meant.
    pub(super) entry: Arc<Entry>,
    /// Names of environment entries that the scope lets the call set.
    pub(super) env: Vec<String>,
}

/// The sidecar that is meant, if the scope allows the call.
pub(super) fn allowed(
    sidecars: &Sidecars,
    scope: &Scope<'_>,
    program: &str,
    args: &CallArgs,
    options: &CallOptions,
) -> Result<Allowed> {
    if !options.sidecar {
        return Err(Error::ProgramNotAllowed(program.into()));
    }
    let entry = sidecars.entry(program)?;
    let could_mean = |other: &str| {
        let other = other.strip_suffix(".exe").unwrap_or(other);
        other == entry.name || other == last_part(&entry.name)
    };
    let means = |other: &str| {
        could_mean(other) && sidecars.entry(other).is_ok_and(|found| Arc::ptr_eq(&found, &entry))
    };
    match scope.check(program, &args.0, means, could_mean) {
        Ok(env) => Ok(Allowed { entry, env }),
        Err(source) => Err(Error::Scope { sidecar: entry.name.clone(), source }),
    }
}

/// Tells the log that a page's call was refused: who called and which rule it was. What the page has sent is in the text, and
/// that is for whoever looks closer; there it steers nothing.
pub(super) fn refused(call: &'static str, webview: &str, error: &Error) {
    let rule = error.rule();
    match error.sidecar() {
        Some(sidecar) => tracing::warn!(call, webview, sidecar, rule, "a page's call was refused"),
        None => tracing::warn!(call, webview, rule, "a page's call was refused"),
    }
    tracing::debug!(call, webview, error = ?short(error.to_string()), "refused because");
}

/// A command with the environment and the initial directory that a page asked for.
pub(super) fn command(
    Allowed { entry, env: scope_env }: &Allowed,
    engine: &Engine,
    env: Env,
    cwd: Option<String>,
) -> Result<Command> {
    let mut command = entry.command(engine, env != Env::Clear)?;
    if let Env::Add(entries) = env {
        let allowed = |name: &String| entry.grants().env.contains(name) || scope_env.contains(name);
        if let Some(name) = entries.keys().find(|name| !allowed(name)) {
            return Err(Error::Env { sidecar: entry.name.clone(), name: name.clone() });
        }
        command.envs(entries);
    }
    if let Some(cwd) = cwd {
        // A page knows the guest's paths, whichever backend runs; a native twin gets the place on the host.
        let host = entry
            .host_path(Path::new(&cwd))
            .ok_or_else(|| Error::CurrentDir { sidecar: entry.name.clone(), path: cwd.clone() })?;
        match command.program() {
            Program::Native(_) => command.current_dir(host),
            _ => command.current_dir(cwd),
        };
    }
    Ok(command)
}

/// For pages that do not acknowledge what they get: scripts are run in order, so when one that does nothing has been run,
/// the messages before it have arrived.
pub(super) fn when_arrived<R: Runtime>(
    webview: &Webview<R>,
    credits: &Arc<Credits>,
) -> Box<dyn Fn(usize) + Send + Sync> {
    let (webview, credits) = (webview.clone(), Arc::clone(credits));
    let unasked = std::sync::atomic::AtomicUsize::new(0);
    Box::new(move |bytes| {
        use std::sync::atomic::Ordering::Relaxed;

        if unasked.fetch_add(bytes, Relaxed) + bytes < ASK_AFTER {
            return;
        }
        let (asked, credits) = (unasked.swap(0, Relaxed), Arc::clone(&credits));
        let asked_page = webview.eval_with_callback("0", move |_| credits.give_back(asked));
        if let Err(error) = asked_page {
            tracing::debug!(%error, "a page cannot be asked what has arrived");
        }
    })
}
