//! A configured sidecar: the one place that chooses between a component and its native twin.

use crate::{
    Backend, Capabilities, Command, Component, Digest, Error, ErrorKind, Limits, NativeProgram,
    Program, Result, Status, StatusWatch,
};

/// When a native twin runs instead of the component.
///
/// A native twin has all of its user's rights. Capabilities and limits do not apply to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum When {
    /// Never, as if there were none.
    #[default]
    Never,
    /// When the component is absent, needs something this host does not offer, or cannot be compiled here. Not
    /// when it is damaged (cut off, altered, invalid inside), has another digest than the pinned one, is refused a grant, traps, or uses up a
    /// limit: then something is wrong that more rights would not mend.
    Unavailable,
    /// Always: a developer's switch.
    Always,
}

/// A sidecar as an application's configuration describes it.
///
/// In debug builds, `WASI_SIDECAR_BACKEND=native` in the environment makes every sidecar use its native twin,
/// where it has one that may ever run.
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let engine = wasi_sidecar::Engine::new(&wasi_sidecar::EngineConfig::new())?;
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Backend, Component, Limits, Sidecar};
///
/// let sidecar = Sidecar::new("word-count", Component::new(&engine, wasm))
///     .limits(Limits::new().memory(64 << 20));
/// assert_eq!(sidecar.backend()?, Backend::Component);
/// let command = sidecar.command()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sidecar {
    name: String,
    component: Result<Component>,
    pinned: Option<Digest>,
    native: Option<(NativeProgram, When)>,
    capabilities: Capabilities,
    limits: Limits,
}

impl Sidecar {
    /// A sidecar that runs `component`. That it could not be loaded is no error yet: a native twin may stand
    /// in for it. One that is pinned is loaded with its pin ([`Component::pinned`]), since other bytes may well be something
    /// this host does not offer, and that is a reason for the twin.
    #[must_use]
    pub fn new(name: impl Into<String>, component: Result<Component>) -> Self {
        Self {
            name: name.into(),
            component,
            pinned: None,
            native: None,
            capabilities: Capabilities::new(),
            limits: Limits::new(),
        }
    }

    /// A sidecar that always runs its native twin and has no component.
    #[must_use]
    pub fn always_native(name: impl Into<String>, program: NativeProgram) -> Self {
        let none = Error::new(ErrorKind::NotFound, "it has no component");
        Self::new(name, Err(none)).native(program, When::Always)
    }

    /// Runs no other component than the one with this digest.
    #[must_use]
    pub fn pin(mut self, digest: Digest) -> Self {
        self.pinned = Some(digest);
        self
    }

    /// Names a native twin, and when it stands in.
    #[must_use]
    pub fn native(mut self, program: NativeProgram, when: When) -> Self {
        self.native = Some((program, when));
        self
    }

    /// What the component may touch.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// How much the component may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The name it is configured by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Compiles the component now, so that the first start is quick and
    /// [`When::Unavailable`] knows whether it can be compiled here.
    ///
    /// # Errors
    ///
    /// Those of [`command`](Self::command).
    pub async fn preload(&self) -> Result<()> {
        if let (Program::Component(component), _) = self.choose()? {
            // Whether a failure is one is decided by the choice that follows.
            let _ = component.compile().await;
        }
        self.choose().map(drop)
    }

    /// How far the code of its component is: what to show while a first start takes long. [`Status::Native`] when its native
    /// twin would run now, [`Status::Failed`] when nothing would.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.choose() {
            Ok((Program::Component(component), _)) => component.status(),
            Ok((Program::Native(_), _)) => Status::Native,
            Err(error) => Status::Failed(error),
        }
    }

    /// The changes of the status of its component; `None` if it has none that could be loaded.
    #[must_use]
    pub fn watch_status(&self) -> Option<StatusWatch> {
        self.component.as_ref().ok().map(Component::watch_status)
    }

    /// What would run it now.
    ///
    /// # Errors
    ///
    /// Those of [`command`](Self::command).
    pub fn backend(&self) -> Result<Backend> {
        Ok(match self.choose()?.0 {
            Program::Component(_) => Backend::Component,
            Program::Native(_) => Backend::Native,
        })
    }

    /// A command that runs it with its capabilities and limits.
    ///
    /// # Errors
    ///
    /// When neither the component nor, where that is allowed, its native twin can run: the component's error,
    /// with the sidecar's name.
    pub fn command(&self) -> Result<Command> {
        let (program, reason) = self.choose()?;
        if let Some(reason) = reason {
            tracing::warn!(
                sidecar = self.name,
                reason,
                "runs its native twin, outside the sandbox"
            );
        }
        let mut command = Command::new(program);
        command.capabilities(self.capabilities.clone()).limits(self.limits.clone());
        Ok(command)
    }

    /// The program to run, and why it is the native one if it is.
    fn choose(&self) -> Result<(Program, Option<String>)> {
        self.choose_if(native_asked_for())
    }

    fn choose_if(&self, native_asked_for: bool) -> Result<(Program, Option<String>)> {
        match &self.native {
            Some((program, When::Always)) => {
                return Ok((program.clone().into(), Some("configured so".into())));
            }
            Some((program, When::Unavailable)) if native_asked_for => {
                let reason = "asked for by WASI_SIDECAR_BACKEND".to_owned();
                return Ok((program.clone().into(), Some(reason)));
            }
            _ => {}
        }
        let error = match self.component() {
            Ok(component) => return Ok((component.into(), None)),
            Err(error) => error,
        };
        match &self.native {
            Some((program, When::Unavailable)) if unavailable(&error) => {
                Ok((program.clone().into(), Some(error.chain())))
            }
            _ => Err(Error::with(
                error.kind(),
                format!("the sidecar `{}` cannot run: {error}", self.name),
                error,
            )),
        }
    }

    /// The component, if nothing that is known by now keeps it from running.
    fn component(&self) -> Result<Component> {
        let component = self.component.clone()?;
        if let Some(pinned) = &self.pinned {
            component.verify(pinned)?;
        }
        match component.known_failure() {
            Some(error) => Err(error),
            None => Ok(component),
        }
    }
}

/// Whether the component cannot run here through nobody's fault.
fn unavailable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported | ErrorKind::Compile)
}

/// A developer's wish, in builds only developers run.
fn native_asked_for() -> bool {
    if !cfg!(debug_assertions) {
        return false;
    }
    #[expect(clippy::disallowed_methods, reason = "a switch for debug builds")]
    let backend = std::env::var_os("WASI_SIDECAR_BACKEND");
    backend.is_some_and(|backend| backend == "native")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_developers_wish_needs_a_twin_that_may_run() {
        let missing = || Err(Error::new(ErrorKind::Digest, "another file"));
        let twin = || NativeProgram::new("twin", cap_std::ambient_authority());
        let with = |when| Sidecar::new("s", missing()).native(twin(), when);
        let rows = [
            (Sidecar::new("s", missing()), [false, false]),
            (with(When::Never), [false, false]),
            (with(When::Unavailable), [false, true]),
            (with(When::Always), [true, true]),
        ];
        for (sidecar, native) in rows {
            for (asked_for, native) in [false, true].into_iter().zip(native) {
                let chosen = sidecar.choose_if(asked_for);
                let is_native = matches!(chosen, Ok((Program::Native(_), _)));
                assert_eq!(is_native, native, "{:?}, asked for: {asked_for}", sidecar.native);
            }
        }
    }
}
