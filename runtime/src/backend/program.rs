//! The program to run: a component or a native one.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use cap_std::AmbientAuthority;

use crate::Component;

/// The program that a [`Command`](crate::Command) runs.
///
/// ```
/// use wasi_sidecar::{NativeProgram, Program, ambient_authority};
///
/// let program: Program = NativeProgram::new("/usr/bin/env", ambient_authority()).into();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Program {
    /// A component or a preview1 module. It runs inside this process and accesses only what it was granted.
    Component(Component),
    /// A native program: a process of its own with all rights of the user.
    Native(NativeProgram),
}

/// A native program, named by its path.
///
/// It is not sandboxed: grants and limits do not apply to it. So making one takes an [`AmbientAuthority`]. Search for
/// that word to find the places where a program leaves the sandbox.
///
/// ```
/// use wasi_sidecar::{Command, NativeProgram, ambient_authority};
///
/// let program = NativeProgram::new("bin/word-count", ambient_authority());
/// assert!(program.path().ends_with("word-count"));
/// let command = Command::new(program);
/// ```
#[derive(Clone, Debug)]
pub struct NativeProgram {
    path: PathBuf,
}

impl NativeProgram {
    /// The program at `path`. A path without a separator is looked up in `PATH`, as the operating system does.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, _: AmbientAuthority) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name in logs.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }
}

impl Program {
    /// The name in logs.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Component(component) => component.name().into(),
            Self::Native(program) => program.name(),
        }
    }
}

impl From<Component> for Program {
    fn from(component: Component) -> Self {
        Self::Component(component)
    }
}

impl From<NativeProgram> for Program {
    fn from(program: NativeProgram) -> Self {
        Self::Native(program)
    }
}

/// The backend that runs a child.
///
/// ```
/// use wasi_sidecar::{Backend, Child};
///
/// fn is_sandboxed(child: &Child) -> bool {
///     child.backend() == Backend::Component
/// }
/// assert_eq!(Backend::Native.to_string(), "native");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// Inside this process, in the sandbox.
    Component,
    /// As an operating system process, with all rights of the user.
    Native,
}

impl Backend {
    /// `component` or `native`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Native => "native",
        }
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
