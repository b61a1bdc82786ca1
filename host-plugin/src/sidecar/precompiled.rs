//! Precompiled code: machine code files that an app ships beside its components, verified by digest.

use std::{collections::BTreeMap, path::Path};

use wasi_sidecar::{ArtifactSource, CodeLabel, ambient_authority};

use crate::{Error, Result};

/// The machine code that this app's build script compiled, from [`ahead_of_time!`](crate::ahead_of_time).
///
/// The table names the files and their digests. Since it is part of the app's executable, the plugin loads only code that the
/// app's build produced.
///
/// ```
/// use tauri_plugin_wasi_sidecar::{AheadOfTime, Builder};
///
/// // The macro's value in a build without precompiled code, as in development.
/// let builder = Builder::new().ahead_of_time(AheadOfTime::from_table(&[]));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AheadOfTime(&'static [Row]);

/// The sidecar's name, the code file beside the component, and the code's label.
type Row = (&'static str, &'static str, &'static str);

/// The code that this app's build script compiled; see the README, "Ahead-of-time code".
///
/// ```ignore
/// tauri_plugin_wasi_sidecar::Builder::new()
///     .ahead_of_time(tauri_plugin_wasi_sidecar::ahead_of_time!())
///     .build()
/// ```
#[macro_export]
macro_rules! ahead_of_time {
    () => {
        $crate::AheadOfTime::from_table(include!(concat!(env!("OUT_DIR"), "/wasi-sidecar-code.rs")))
    };
}

impl AheadOfTime {
    /// For the macro only.
    #[doc(hidden)]
    #[must_use]
    pub const fn from_table(table: &'static [Row]) -> Self {
        Self(table)
    }

    /// The code by sidecar name.
    pub(crate) fn by_name(self) -> Result<BTreeMap<&'static str, PrecompiledCode>> {
        let code = |&(name, file, label): &Row| {
            let label = label.parse::<CodeLabel>().map_err(|error| {
                Error::Config(format!("code made ahead of time for `{name}`: {error}"))
            })?;
            Ok((name, PrecompiledCode { file, label }))
        };
        self.0.iter().map(code).collect()
    }
}

/// The precompiled code of one component.
#[derive(Clone, Debug)]
pub(crate) struct PrecompiledCode {
    file: &'static str,
    label: CodeLabel,
}

impl PrecompiledCode {
    /// The code file beside the artifact at `path`, and its label. The runtime reads it when it needs it.
    pub(super) fn beside(&self, path: &Path) -> (ArtifactSource, CodeLabel) {
        let code = ArtifactSource::path(path.with_file_name(self.file), ambient_authority());
        (code, self.label.clone())
    }
}
