//! Limits and settings as types, so that each front end can spell them its own way in texts.

use std::fmt;

/// A limit of a guest.
///
/// ```
/// use wasi_sidecar::{Limit, Termination};
///
/// fn was_slow(end: &Termination) -> bool {
///     matches!(end, Termination::OutOf(Limit::Time | Limit::CpuTime))
/// }
/// assert!(was_slow(&Termination::OutOf(Limit::CpuTime)));
/// assert_eq!(Limit::CpuTime.to_string(), "CPU time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::memory`](crate::Limits::memory): the guest faulted after it was refused more memory.
    Memory,
    /// [`Limits::time`](crate::Limits::time): elapsed time since the guest's code started.
    Time,
    /// [`Limits::cpu_time`](crate::Limits::cpu_time): time spent computing.
    CpuTime,
    /// [`Limits::table_elements`](crate::Limits::table_elements): the guest faulted after it was refused more elements.
    TableElements,
    /// [`Limits::instances`](crate::Limits::instances): the guest consists of more.
    Instances,
    /// [`Limits::memories`](crate::Limits::memories): the guest has more.
    Memories,
    /// [`Limits::tables`](crate::Limits::tables): the guest has more.
    Tables,
    /// [`Limits::handles`](crate::Limits::handles): the guest tried to hold one more.
    Handles,
    /// [`Limits::sockets`](crate::Limits::sockets): it wanted one more.
    Sockets,
    /// [`Limits::call_bytes`](crate::Limits::call_bytes): one call passed more.
    CallBytes,
    /// [`Limits::random_bytes`](crate::Limits::random_bytes): one call asked for more.
    RandomBytes,
}

impl Limit {
    /// Every limit, in the order in which help and documentation list them.
    pub const ALL: [Self; 11] = [
        Self::Memory,
        Self::Time,
        Self::CpuTime,
        Self::TableElements,
        Self::Instances,
        Self::Memories,
        Self::Tables,
        Self::Handles,
        Self::Sockets,
        Self::CallBytes,
        Self::RandomBytes,
    ];

    /// The limit's name in snake case. Front ends convert it to their own case.
    ///
    /// ```
    /// assert_eq!(wasi_sidecar::Limit::CallBytes.name(), "call_bytes");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        self.method().trim_start_matches("Limits::")
    }

    fn method(self) -> &'static str {
        match self {
            Self::Memory => "Limits::memory",
            Self::Time => "Limits::time",
            Self::CpuTime => "Limits::cpu_time",
            Self::TableElements => "Limits::table_elements",
            Self::Instances => "Limits::instances",
            Self::Memories => "Limits::memories",
            Self::Tables => "Limits::tables",
            Self::Handles => "Limits::handles",
            Self::Sockets => "Limits::sockets",
            Self::CallBytes => "Limits::call_bytes",
            Self::RandomBytes => "Limits::random_bytes",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Time => "time",
            Self::CpuTime => "CPU time",
            Self::TableElements => "table elements",
            Self::Instances => "instances",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::Handles => "handles",
            Self::Sockets => "sockets",
            Self::CallBytes => "bytes of one call",
            Self::RandomBytes => "random bytes of one call",
        })
    }
}

/// A setting that a text of this library can tell the author to change.
///
/// Texts name a setting by its Rust method. A front end with a configuration file or options replaces that name with
/// its own:
///
/// ```
/// use wasi_sidecar::{Limit, Setting};
///
/// let text = "ran out of memory; raise `Limits::memory` if it needs more";
/// let spelled = Setting::respell(text, |setting| match setting {
///     Setting::Limit(limit) => Some(format!("--{}", limit.name().replace('_', "-"))),
///     _ => None,
/// });
/// assert_eq!(spelled, "ran out of memory; raise `--memory` if it needs more");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// A limit of the guest.
    Limit(Limit),
    /// [`EngineConfig::guest_stack`](crate::EngineConfig::guest_stack).
    GuestStack,
    /// [`EngineConfig::max_artifact_size`](crate::EngineConfig::max_artifact_size).
    MaxArtifactSize,
    /// [`EngineConfig::max_guests`](crate::EngineConfig::max_guests).
    MaxGuests,
    /// [`EngineConfig::pooled_guests`](crate::EngineConfig::pooled_guests).
    PooledGuests,
    /// [`CompileChild::memory`](crate::CompileChild::memory).
    CompileMemory,
    /// [`CompileChild::cpu_time`](crate::CompileChild::cpu_time).
    CompileCpuTime,
    /// [`CompileChild::time`](crate::CompileChild::time).
    CompileTime,
    /// [`LoadOptions::trusted`](crate::LoadOptions::trusted).
    Trusted,
    /// [`Grants::dangerous_dir`](crate::Grants::dangerous_dir).
    DangerousDir,
    /// [`Command::max_output`](crate::Command::max_output).
    MaxOutput,
}

impl Setting {
    const OTHERS: [Self; 10] = [
        Self::GuestStack,
        Self::MaxArtifactSize,
        Self::MaxGuests,
        Self::PooledGuests,
        Self::CompileMemory,
        Self::CompileCpuTime,
        Self::CompileTime,
        Self::Trusted,
        Self::DangerousDir,
        Self::MaxOutput,
    ];

    /// Every setting that a text can name.
    pub fn all() -> impl Iterator<Item = Self> {
        Limit::ALL.into_iter().map(Self::Limit).chain(Self::OTHERS)
    }

    /// The method that sets it, as texts of this library spell it.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Limit(limit) => limit.method(),
            Self::GuestStack => "EngineConfig::guest_stack",
            Self::MaxArtifactSize => "EngineConfig::max_artifact_size",
            Self::MaxGuests => "EngineConfig::max_guests",
            Self::PooledGuests => "EngineConfig::pooled_guests",
            Self::CompileMemory => "CompileChild::memory",
            Self::CompileCpuTime => "CompileChild::cpu_time",
            Self::CompileTime => "CompileChild::time",
            Self::Trusted => "LoadOptions::trusted",
            Self::DangerousDir => "Grants::dangerous_dir",
            Self::MaxOutput => "Command::max_output",
        }
    }

    /// Replaces the Rust names of settings in a text with those that `spell` returns.
    #[must_use]
    pub fn respell(text: &str, spell: impl Fn(Self) -> Option<String>) -> String {
        let mut text = text.to_owned();
        for setting in Self::all() {
            let name = format!("`{setting}`");
            if text.contains(&name)
                && let Some(spelled) = spell(setting)
            {
                text = text.replace(&name, &format!("`{spelled}`"));
            }
        }
        text
    }
}

impl From<Limit> for Setting {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method())
    }
}
