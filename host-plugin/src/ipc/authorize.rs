//! Checks a page's call against the scope and the sidecar's grants, and builds the command.

use std::{path::Path, sync::Arc};

use wasi_sidecar::{Command, Engine, Program};

use super::options::{CallOptions, EnvOption};
use crate::{
    Error, Result, Sidecars,
    scope::{CallArgs, Scope},
    sidecar::LazySidecar,
};

/// A call that the scope allows.
pub(super) struct AllowedCall {
    pub(super) sidecar: Arc<LazySidecar>,
    /// Environment entries that the scope permits the call to set, by name.
    pub(super) env: Vec<String>,
}

/// Finds the requested sidecar, and checks that the scope allows the call.
pub(super) fn authorize(
    sidecars: &Sidecars,
    scope: &Scope<'_>,
    program: &str,
    args: &CallArgs,
    options: &CallOptions,
) -> Result<AllowedCall> {
    if !options.sidecar {
        return Err(Error::ProgramNotAllowed(program.into()));
    }
    let sidecar = sidecars.find(program)?;
    let could_mean = |other: &str| {
        let other = other.strip_suffix(".exe").unwrap_or(other);
        other == sidecar.config.name || other == sidecar.config.short_name()
    };
    let means = |other: &str| {
        could_mean(other) && sidecars.find(other).is_ok_and(|found| Arc::ptr_eq(&found, &sidecar))
    };
    match scope.check(program, &args.0, means, could_mean) {
        Ok(env) => Ok(AllowedCall { sidecar, env }),
        Err(source) => Err(Error::Scope { sidecar: sidecar.config.name.clone(), source }),
    }
}

/// Builds the command with the environment and the initial directory of the call.
pub(super) fn build_command(
    AllowedCall { sidecar, env: scope_env }: &AllowedCall,
    engine: &Engine,
    env: EnvOption,
    cwd: Option<String>,
) -> Result<Command> {
    let config = &sidecar.config;
    let mut command = sidecar.command(engine, env != EnvOption::Clear)?;
    if let EnvOption::Add(entries) = env {
        let is_allowed =
            |name: &String| config.grants.env.contains(name) || scope_env.contains(name);
        if let Some(name) = entries.keys().find(|name| !is_allowed(name)) {
            return Err(Error::Env { sidecar: config.name.clone(), name: name.clone() });
        }
        command.envs(entries);
    }
    if let Some(cwd) = cwd {
        // A page uses guest paths, whatever the backend. A native fallback needs the host path.
        let host = config
            .grants
            .host_path(Path::new(&cwd))
            .ok_or_else(|| Error::CurrentDir { sidecar: config.name.clone(), path: cwd.clone() })?;
        match command.program() {
            Program::Native(_) => command.current_dir(host),
            _ => command.current_dir(cwd),
        };
    }
    Ok(command)
}
