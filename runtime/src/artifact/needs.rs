//! Derives from an artifact's imports which grants it could use.
//!
//! An import says what a program *can* ask for, not that it does: the runtime of some languages imports everything.

use std::fmt;

/// A capability that a guest has only if it is granted.
///
/// ```
/// use wasi_sidecar::{Artifact, Need};
///
/// fn wants_files(artifact: &Artifact) -> bool {
///     artifact.needs().contains(&Need::Filesystem)
/// }
/// assert_eq!(Need::Filesystem.to_string(), "filesystem");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// Files and directories.
    Filesystem,
    /// Environment entries.
    Environment,
    /// Sockets, which network rules open, or HTTP, which this version does not grant.
    Network,
}

impl Need {
    /// `filesystem`, `environment` or `network`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filesystem => "filesystem",
            Self::Environment => "environment",
            Self::Network => "network",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Prefixes of component interfaces and preview1 functions, by capability.
const NEEDS: &[(Need, &[&str])] = &[
    (
        Need::Filesystem,
        &[
            "wasi:filesystem/",
            "wasi_snapshot_preview1::path_",
            "wasi_snapshot_preview1::fd_prestat",
            "wasi_snapshot_preview1::fd_readdir",
        ],
    ),
    (Need::Environment, &["wasi:cli/environment", "wasi_snapshot_preview1::environ_"]),
    (Need::Network, &["wasi:sockets/", "wasi:http/", "wasi_snapshot_preview1::sock_"]),
];

pub(super) fn needs(imports: &[String]) -> Vec<Need> {
    let asks = |prefixes: &[&str]| {
        imports.iter().any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
    };
    NEEDS.iter().filter(|(_, prefixes)| asks(prefixes)).map(|(need, _)| *need).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_told_from_imports() {
        use Need::{Environment, Filesystem, Network};
        let rows: &[(&[&str], &[Need])] = &[
            (&[], &[]),
            (&["wasi:cli/stdout@0.2.0", "wasi:io/streams@0.2.0"], &[]),
            (&["wasi:cli/environment@0.2.6"], &[Environment]),
            (&["wasi:sockets/tcp@0.2.0", "wasi:filesystem/types@0.2.0"], &[Filesystem, Network]),
            (&["wasi_snapshot_preview1::fd_write", "wasi_snapshot_preview1::fd_close"], &[]),
            (&["wasi_snapshot_preview1::path_open"], &[Filesystem]),
            (
                &["wasi_snapshot_preview1::sock_send", "wasi_snapshot_preview1::environ_get"],
                &[Environment, Network],
            ),
        ];
        for (imports, expected) in rows {
            let imports: Vec<_> = imports.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(needs(&imports), *expected, "{imports:?}");
        }
    }
}
