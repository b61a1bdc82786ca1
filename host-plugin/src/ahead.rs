//! Code made ahead of time: which files an app ships beside its components, and the digests they are known by.

use std::{collections::BTreeMap, path::Path};

use wasi_sidecar::{CodeLabel, Component, Dir, ambient_authority};

use crate::{Error, Result};

/// The machine code that this app was built with, from [`ahead_of_time!`](crate::ahead_of_time).
///
/// It names files and has their digests. Since it is a part of the app's executable, code is loaded only if it is what the
/// app's build has made.
///
/// ```
/// use tauri_plugin_wasi_sidecar::{AheadOfTime, Builder};
///
/// // What the macro gives when the build made no code, as in development.
/// let builder = Builder::new().ahead_of_time(AheadOfTime::from_table(&[]));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AheadOfTime(&'static [Row]);

/// A sidecar's name, its file of code, which lies beside the component, and the label of that code.
type Row = (&'static str, &'static str, &'static str);

/// The code that this app's build script has made; see the README, "Ahead-of-time code".
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
    /// What the macro calls.
    #[doc(hidden)]
    #[must_use]
    pub const fn from_table(table: &'static [Row]) -> Self {
        Self(table)
    }

    /// By sidecar.
    pub(crate) fn by_name(self) -> Result<BTreeMap<&'static str, Code>> {
        let code = |&(name, file, label): &Row| {
            let label = label.parse::<CodeLabel>().map_err(|error| {
                Error::Config(format!("code made ahead of time for `{name}`: {error}"))
            })?;
            Ok((name, Code { file, label }))
        };
        self.0.iter().map(code).collect()
    }
}

/// One component's code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    file: &'static str,
    label: CodeLabel,
}

impl Code {
    /// Brings the code along that lies beside the artifact at `path`. It only saves time, so whatever is wrong with it is for
    /// the log.
    pub(crate) fn beside(&self, path: &Path, component: Component) -> Component {
        let Some(folder) = path.parent() else { return component };
        match Dir::open_ambient_dir(folder, ambient_authority()) {
            Ok(dir) => component.with_code_file(dir, self.file, self.label.clone()),
            Err(error) => {
                tracing::debug!(%error, "the folder of code made ahead of time cannot be opened");
                component
            }
        }
    }
}
