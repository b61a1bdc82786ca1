//! What a command's standard streams may be connected to.

/// What one of a child's standard streams is connected to, as in [`std::process::Stdio`].
///
/// The default is [`piped`](Self::piped), unlike `std`: a sidecar is a program one talks to.
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
    /// A pipe; its other end is in the [`Child`](crate::Child).
    #[must_use]
    pub const fn piped() -> Self {
        Self(Target::Piped)
    }

    /// Nothing: reads are at the end at once, writes are thrown away.
    #[must_use]
    pub const fn null() -> Self {
        Self(Target::Null)
    }

    /// The host's own stream. What a guest prints then reaches the host's terminal as it is, escape
    /// sequences included.
    #[must_use]
    pub const fn inherit() -> Self {
        Self(Target::Inherit)
    }
}
