//! A configured sidecar: chooses between a component and its native fallback.

use crate::{
    Backend, Command, Component, Error, ErrorKind, Grants, Limits, NativeProgram, Program, Result,
    Status, StatusWatch,
};

/// When the native fallback runs instead of the component.
///
/// A native fallback has all rights of its user. Grants and limits do not apply to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum When {
    /// Never, as if no fallback were configured.
    #[default]
    Never,
    /// When the component is missing, needs something this host does not offer, or cannot be compiled on this machine.
    /// Not when it is damaged (cut off, altered, or invalid inside), has another digest than the pinned one, is refused
    /// a grant, traps, or exceeds a limit: more rights would not fix any of these.
    Unavailable,
    /// Always. For development.
    Always,
}

/// A sidecar as an application configures it.
///
/// In debug builds, `WASI_SIDECAR_BACKEND=native` in the environment makes every sidecar use its native fallback,
/// unless that is set to [`When::Never`].
///
/// ```
/// # fn main() -> wasi_sidecar::Result<()> {
/// # let engine = wasi_sidecar::Engine::new(&wasi_sidecar::EngineConfig::new())?;
/// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "_start")))"#).unwrap();
/// use wasi_sidecar::{Backend, Component, Limits, LoadOptions, Sidecar};
///
/// let sidecar = Sidecar::new("word-count", Component::load(&engine, wasm, LoadOptions::new()))
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
    native: Option<(NativeProgram, When)>,
    grants: Grants,
    limits: Limits,
}

impl Sidecar {
    /// A sidecar that runs `component`. Pass a failed load as it is: a native fallback may run instead. Load a pinned
    /// component with its pin ([`LoadOptions::pin`](crate::LoadOptions::pin)), because replaced bytes could otherwise
    /// look like an unsupported artifact and trigger the fallback.
    #[must_use]
    pub fn new(name: impl Into<String>, component: Result<Component>) -> Self {
        Self {
            name: name.into(),
            component,
            native: None,
            grants: Grants::new(),
            limits: Limits::new(),
        }
    }

    /// A sidecar that always runs its native program and has no component.
    #[must_use]
    pub fn always_native(name: impl Into<String>, program: NativeProgram) -> Self {
        let none = Error::new(ErrorKind::NotFound, "it has no component");
        Self::new(name, Err(none)).native(program, When::Always)
    }

    /// Sets the native fallback, and when it runs.
    #[must_use]
    pub fn native(mut self, program: NativeProgram, when: When) -> Self {
        self.native = Some((program, when));
        self
    }

    /// What the component may access.
    #[must_use]
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// How much the component may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The name from the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Compiles the component now. The first start is then fast, and [`When::Unavailable`] knows whether the component
    /// compiles on this machine.
    ///
    /// # Errors
    ///
    /// Those of [`command`](Self::command).
    pub async fn preload(&self) -> Result<()> {
        if let (Program::Component(component), _) = self.choose()? {
            // Ignored here: the choice below decides whether a failed compilation is an error.
            let _ = component.compile().await;
        }
        self.choose().map(drop)
    }

    /// The state of the component's machine code, to show while a first start takes long. [`Status::Native`] when the
    /// native fallback would run now, [`Status::Failed`] when nothing would.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.choose() {
            Ok((Program::Component(component), _)) => component.status(),
            Ok((Program::Native(_), _)) => Status::Native,
            Err(error) => Status::Failed(error),
        }
    }

    /// Watches the component's status. `None` if no component could be loaded.
    #[must_use]
    pub fn watch_status(&self) -> Option<StatusWatch> {
        self.component.as_ref().ok().map(Component::watch_status)
    }

    /// The backend that would run now.
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

    /// A command that runs the sidecar with its grants and limits.
    ///
    /// # Errors
    ///
    /// Fails when neither the component nor an allowed native fallback can run, with the component's error and the
    /// sidecar's name.
    pub fn command(&self) -> Result<Command> {
        let (program, reason) = self.choose()?;
        if let Some(reason) = reason {
            tracing::warn!(
                sidecar = self.name,
                reason,
                "runs its native fallback, outside the sandbox"
            );
        }
        let mut command = Command::new(program);
        command.grants(self.grants.clone()).limits(self.limits.clone());
        Ok(command)
    }

    /// The program to run. If it is the native one, also the reason.
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

    /// The component, unless it is known that it cannot run.
    fn component(&self) -> Result<Component> {
        let component = self.component.clone()?;
        match component.known_failure() {
            Some(error) => Err(error),
            None => Ok(component),
        }
    }
}

/// Whether the component cannot run here although nobody made a mistake.
fn unavailable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported | ErrorKind::Compile)
}

/// Whether a developer asked for native programs. Debug builds only.
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
