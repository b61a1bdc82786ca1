//! Machine code of a component: where it came from, and loading it. The only `unsafe` of this crate.

use std::sync::{Arc, OnceLock};

use wasmtime_wasi::p2::bindings::CommandPre;

use crate::{Engine, Error, ErrorKind, Result, compile::Form, store::State, vm::Vm};

/// Where a component's machine code came from.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasi_sidecar::Result<()> {
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{CodeOrigin, Component, Engine, EngineConfig};
///
/// let engine = Engine::new(&EngineConfig::new())?; // without a code cache
/// let component = Component::new(&engine, wasm)?;
/// assert_eq!(component.code_origin(), None);
/// component.compile().await?;
/// assert_eq!(component.code_origin(), Some(CodeOrigin::Compiled));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeOrigin {
    /// It was compiled by this engine.
    Compiled,
    /// It was found in the [`CodeCache`](crate::CodeCache).
    Cache,
    /// It was made ahead of time and brought along: [`Component::with_code`](crate::Component::with_code).
    AheadOfTime,
}

/// Machine code, ready to be instantiated.
#[derive(Clone)]
pub(crate) enum Compiled {
    /// In a place of the pool, or in memory of its own, for which it is linked when that is first needed.
    Either { pooled: Linked, own: Arc<OnceLock<Result<Linked>>> },
    /// In memory of its own alone: there is no pool, or the artifact is larger than any place of it.
    Own(Linked),
}

/// Code that is linked to the host on one of the two engines.
#[derive(Clone)]
pub(crate) enum Linked {
    Component(CommandPre<State>),
    Module(wasmtime::InstancePre<State>),
}

impl Compiled {
    /// Loads machine code of the artifact `name` and links it to the host.
    ///
    /// To be called only with bytes that [`compile`](crate::compile) made: just now, or earlier and kept where nobody can
    /// have changed them since. Machine code that somebody else made runs outside of any sandbox.
    pub(super) fn link(engine: &Engine, form: Form, name: &str, code: &[u8]) -> Result<Self> {
        // Code for the pool is moved to memory of its own by writing it once more, which for modules is part of the compiler.
        let may_move = form == Form::Component || cfg!(feature = "compiler");
        let pooled = engine.vms().pool().filter(|_| may_move).and_then(|pool| {
            let refused = |error: &Error| {
                tracing::debug!(artifact = name, error = %error.chain(), "not for the pool");
            };
            link(pool, form, name, code).inspect_err(refused).ok()
        });
        Ok(match pooled {
            Some(pooled) => Self::Either { pooled, own: Arc::default() },
            None => Self::Own(link(engine.vms().own(), form, name, code)?),
        })
    }

    /// Whether it can be given a place in the pool.
    pub(crate) fn fits_pool(&self) -> bool {
        matches!(self, Self::Either { .. })
    }

    /// The code for a place in the pool, if it fits one, or for memory of its own.
    pub(crate) fn on(&self, engine: &Engine, in_pool: bool) -> Result<Linked> {
        match self {
            Self::Own(linked) => Ok(linked.clone()),
            Self::Either { pooled, .. } if in_pool => Ok(pooled.clone()),
            Self::Either { pooled, own } => {
                own.get_or_init(|| pooled.link_on(engine.vms().own())).clone()
            }
        }
    }
}

impl Linked {
    /// The same code on another engine.
    fn link_on(&self, vm: &Vm) -> Result<Self> {
        let (code, form) = match self {
            Self::Component(command) => {
                (command.instance_pre().component().serialize(), Form::Component)
            }
            #[cfg(feature = "compiler")]
            Self::Module(module) => (module.module().serialize(), Form::Module),
            #[cfg(not(feature = "compiler"))]
            Self::Module(_) => {
                (Err(wasmtime::Error::msg("a module is never in the pool")), Form::Module)
            }
        };
        let unread = |error| {
            Error::with(ErrorKind::Internal, "loaded code cannot be loaded a second time", error)
        };
        link(vm, form, "sidecar", &code.map_err(unread)?)
    }
}

#[expect(unsafe_code, reason = "loading machine code is what this crate exists to do safely")]
fn link(vm: &Vm, form: Form, name: &str, code: &[u8]) -> Result<Linked> {
    let unlinked = |error: wasmtime::Error| {
        let text = format!("`{name}` does not fit this host: {error:#}");
        Error::new(ErrorKind::Unsupported, text)
    };
    let unloaded = |error: wasmtime::Error| {
        Error::with(ErrorKind::Internal, "the engine refused its own code", error)
    };
    match form {
        Form::Component => {
            // SAFETY: `code` was made by `compile` for this engine: just now in this process, or earlier,
            // and then the cache has checked its seal, which covers the artifact, the fingerprint of the
            // engine and every byte; or `ahead` has checked its digest against that in the application.
            let component =
                unsafe { wasmtime::component::Component::deserialize(&vm.engine, code) }
                    .map_err(unloaded)?;
            let linked = vm.components.instantiate_pre(&component).map_err(unlinked)?;
            CommandPre::new(linked).map(Linked::Component).map_err(unlinked)
        }
        Form::Module => {
            // SAFETY: as above.
            let module =
                unsafe { wasmtime::Module::deserialize(&vm.engine, code) }.map_err(unloaded)?;
            vm.modules.instantiate_pre(&module).map(Linked::Module).map_err(unlinked)
        }
    }
}
