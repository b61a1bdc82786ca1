//! From the options of `run` to a command that can be started.

use anyhow::{Result, bail};
use wasi_sidecar::{
    Capabilities, Command, CompileChild, CompileOptions, Component, Engine, EngineConfig, Limits,
    ambient_authority,
};

use crate::{
    args::{DirGrant, EnvGrant, RunArgs},
    place,
    source::Source,
};

pub(super) struct Setup {
    pub(super) component: Component,
    pub(super) command: Command,
}

pub(super) fn setup(args: &RunArgs) -> Result<Setup> {
    if let Some(address) = args.net.first() {
        bail!(
            "`--net {address}` cannot be granted: this version gives guests no network; leave the \
             option out, and every socket call of the guest is refused"
        );
    }
    // Whatever can be refused is refused before anything slow begins.
    let source = Source::find(&args.file)?;
    let capabilities = capabilities(args)?;
    let cache = if args.no_cache { None } else { place::code_cache() };
    let mut config = args.more_limits.configure(EngineConfig::new());
    if let Some(cache) = cache {
        config = config.code_cache(cache);
    }
    if !args.trust {
        config = config.compile_isolated(compile_child(args)?);
    }
    let component = source.load(&Engine::new(&config)?)?;

    let mut command = Command::new(component.clone());
    command.args(&args.args).capabilities(capabilities).limits(limits(args));
    for entry in &args.env {
        if let EnvGrant::Set(name, value) = entry {
            command.env(name, value);
        }
    }
    if let Some(path) = &args.cwd {
        command.current_dir(path);
    }
    Ok(Setup { component, command })
}

/// What the limits of compiling are called here. One option sets both kinds of time.
const COMPILE_OPTIONS: CompileOptions = CompileOptions {
    memory: "--compile-memory",
    cpu_time: "--compile-time",
    time: "--compile-time",
    trust: "--trust",
};

/// Another instance of this program.
fn compile_child(args: &RunArgs) -> Result<CompileChild> {
    let mut child = CompileChild::this_program(ambient_authority())?.options(COMPILE_OPTIONS);
    if let Some(bytes) = args.compile_memory {
        child = child.memory(bytes);
    }
    if let Some(time) = args.compile_time {
        child = child.cpu_time(time).time(time.saturating_add(time / 2));
    }
    Ok(child)
}

fn capabilities(args: &RunArgs) -> Result<Capabilities> {
    let mut capabilities = Capabilities::new();
    for grant in &args.dir {
        capabilities =
            capabilities.dir(&grant.host, &grant.guest, grant.access, ambient_authority())?;
    }
    for DirGrant { host, guest, access } in &args.dangerous_dir {
        capabilities = capabilities.dangerous_dir(host, guest, *access, ambient_authority())?;
    }
    for entry in &args.env {
        if let EnvGrant::Pass(name) = entry {
            capabilities = capabilities.env(name)?;
        }
    }
    Ok(capabilities)
}

fn limits(args: &RunArgs) -> Limits {
    let mut limits = Limits::new();
    if let Some(bytes) = args.memory {
        limits = limits.memory(bytes);
    }
    if let Some(time) = args.time {
        limits = limits.time(time);
    }
    if let Some(time) = args.cpu_time {
        limits = limits.cpu_time(time);
    }
    args.more_limits.apply(limits)
}
