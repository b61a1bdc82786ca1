//! Loads machine code and links it to the host, ready to be instantiated. The only `unsafe` of this crate.

use std::sync::{Arc, OnceLock};

use wasmtime::{Module, component};

use super::{
    abi::{p1, p2},
    pool::{Engines, LinkedEngine},
};
use crate::{Error, ErrorKind, Result, compile::Form};

/// The machine code of an artifact, for the pool or for memory of its own.
#[derive(Clone)]
pub(crate) enum Compiled {
    /// Fits a slot of the pool. Linked for memory of its own when that is first needed.
    Either { pooled: Linked, on_demand: Arc<OnceLock<Result<Linked>>> },
    /// Needs memory of its own: there is no pool, or the artifact exceeds its slots.
    OnDemand(Linked),
}

/// Machine code linked to the host functions of its WASI version.
#[derive(Clone)]
pub(crate) enum Linked {
    P1(p1::Command),
    P2(p2::Command),
}

impl Compiled {
    /// Loads the machine code of the artifact `name` and links it to the host.
    ///
    /// Call it only with bytes that [`compile`](crate::compile) made: just now, or earlier and stored where nobody can
    /// have changed them. Other machine code would run outside the sandbox.
    pub(crate) fn load(engines: &Engines, form: Form, name: &str, code: &[u8]) -> Result<Self> {
        // Code moves from the pool to memory of its own by serializing it, which for modules takes the compiler.
        let may_move = form == Form::Component || cfg!(feature = "compiler");
        let pooled = engines.pooled().filter(|_| may_move).and_then(|pooled| {
            let refused = |error: &Error| {
                tracing::debug!(artifact = name, error = %error.chain(), "does not fit the pool");
            };
            Linked::load(pooled, form, name, code).inspect_err(refused).ok()
        });
        Ok(match pooled {
            Some(pooled) => Self::Either { pooled, on_demand: Arc::default() },
            None => Self::OnDemand(Linked::load(engines.on_demand(), form, name, code)?),
        })
    }

    pub(super) fn fits_pool(&self) -> bool {
        matches!(self, Self::Either { .. })
    }

    /// The code for a slot of the pool, or for memory of its own.
    pub(super) fn for_engine(&self, engines: &Engines, pooled: bool) -> Result<Linked> {
        match self {
            Self::OnDemand(linked) => Ok(linked.clone()),
            Self::Either { pooled: linked, .. } if pooled => Ok(linked.clone()),
            Self::Either { pooled, on_demand } => {
                on_demand.get_or_init(|| pooled.reload(engines.on_demand())).clone()
            }
        }
    }
}

impl Linked {
    /// The same code on another engine.
    fn reload(&self, engine: &LinkedEngine) -> Result<Self> {
        let (code, form) = match self {
            Self::P1(module) => (module.serialize(), Form::Module),
            Self::P2(component) => (component.serialize(), Form::Component),
        };
        let code = code.map_err(|error| {
            Error::with(ErrorKind::Internal, "loaded code cannot be loaded a second time", error)
        })?;
        Self::load(engine, form, "sidecar", &code)
    }

    #[expect(unsafe_code, reason = "loading machine code is what this crate exists to do safely")]
    fn load(engine: &LinkedEngine, form: Form, name: &str, code: &[u8]) -> Result<Self> {
        let unlinked = |error: wasmtime::Error| {
            let text = format!("`{name}` does not fit this host: {error:#}");
            Error::new(ErrorKind::Unsupported, text)
        };
        let unloaded = |error: wasmtime::Error| {
            Error::with(ErrorKind::Internal, "the engine refused its own code", error)
        };
        match form {
            Form::Component => {
                // SAFETY: `compile` made `code` for this engine, just now in this process or earlier. Earlier code was
                // authenticated: the cache checked its seal, which covers the artifact, the engine's fingerprint and
                // every byte, or `precompiled` checked its digest against the label inside the application.
                let component = unsafe { component::Component::deserialize(&engine.engine, code) }
                    .map_err(unloaded)?;
                p2::Command::link(&engine.p2, &component).map(Self::P2).map_err(unlinked)
            }
            Form::Module => {
                // SAFETY: as above.
                let module =
                    unsafe { Module::deserialize(&engine.engine, code) }.map_err(unloaded)?;
                p1::Command::link(&engine.p1, &module).map(Self::P1).map_err(unlinked)
            }
        }
    }

    pub(super) fn is_module(&self) -> bool {
        matches!(self, Self::P1(_))
    }
}
