//! Turns the options of `run` into a command.

use anyhow::Result;
use wasi_sidecar::{Command, CompileChild, Component, Engine, EngineConfig, ambient_authority};

use crate::{args::RunArgs, place, source::Source};

pub(super) struct Setup {
    pub(super) component: Component,
    pub(super) command: Command,
}

pub(super) fn setup(args: &RunArgs) -> Result<Setup> {
    // Makes all quick checks before anything slow.
    let source = Source::find(&args.file)?;
    let grants = args.grants.grants()?;
    let cache = if args.no_cache { None } else { place::code_cache() };
    let mut config = args.engine_limits.configure(EngineConfig::new());
    if let Some(cache) = cache {
        config = config.code_cache(cache);
    }
    if !args.trust {
        config = config.compile_isolated(compile_child(args)?);
    }
    let component = source.load(&Engine::new(&config)?)?;

    let mut command = Command::new(component.clone());
    command.args(&args.args).grants(grants).limits(args.limits.get().clone());
    args.grants.apply(&mut command);
    Ok(Setup { component, command })
}

/// Compiles in another instance of this program.
fn compile_child(args: &RunArgs) -> Result<CompileChild> {
    let mut child = CompileChild::this_program(ambient_authority())?;
    if let Some(bytes) = args.compile_memory {
        child = child.memory(bytes);
    }
    if let Some(time) = args.compile_time {
        child = child.cpu_time(time).time(time.saturating_add(time / 2));
    }
    Ok(child)
}
