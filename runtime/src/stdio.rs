//! What a child's standard streams can be connected to, as in `std::process`.

/// What a standard stream of a child is connected to, like [`std::process::Stdio`].
///
/// The default is [`piped`](Self::piped), unlike in `std`, because an application talks to its sidecar.
///
/// ```
/// # fn start(component: wasi_sidecar::Component) -> wasi_sidecar::Result<()> {
/// use wasi_sidecar::{Command, Stdio};
///
/// let child = Command::new(component).stdin(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
/// assert!(child.stdin.is_none() && child.stderr.is_none());
/// assert!(child.stdout.is_some()); // piped, as nothing else was said
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stdio(pub(crate) Target);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Target {
    #[default]
    Piped,
    Null,
    Inherit,
}

impl Stdio {
    /// A pipe. Its other end is in the [`Child`](crate::Child).
    #[must_use]
    pub const fn piped() -> Self {
        Self(Target::Piped)
    }

    /// Nothing: reads return the end of the stream, and writes are discarded.
    #[must_use]
    pub const fn null() -> Self {
        Self(Target::Null)
    }

    /// The host's own stream. A guest's output reaches the host's terminal unchanged, escape sequences included.
    #[must_use]
    pub const fn inherit() -> Self {
        Self(Target::Inherit)
    }
}
