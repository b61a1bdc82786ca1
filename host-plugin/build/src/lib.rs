//! Compiles an app's sidecars when the app is built, so that their first start compiles nothing.
//!
//! Call it from the app's `build.rs`, before Tauri's own step, which copies the bundled files:
//!
//! ```ignore
//! fn main() {
//!     tauri_plugin_wasi_sidecar_build::build();
//!     tauri_build::build();
//! }
//! ```
//!
//! Beside each configured component it writes `NAME.TARGET.code`. For the app it writes a table of these files' labels,
//! which `tauri_plugin_wasi_sidecar::ahead_of_time!()` puts into the executable. The app still ships the portable
//! component. Where the code does not fit the machine or is missing, the component is compiled on that machine.
//!
//! Nothing here fails a build. A component that cannot be compiled ahead of time causes a warning, and is compiled
//! later.

#![warn(missing_docs)]
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads its app's sources and writes beside them"
)]
#![expect(clippy::print_stdout, reason = "Cargo reads the standard output of a build script")]

mod config;
mod make;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use make::Row;

/// Overrides whether code is made, which the profile decides otherwise: `1` or `0`.
const SWITCH: &str = "WASI_SIDECAR_AHEAD_OF_TIME";

/// The file that the plugin's macro includes.
const TABLE: &str = "wasi-sidecar-code.rs";

/// Compiles the app's sidecars for the build's target.
///
/// Only in release builds, unless the environment sets `WASI_SIDECAR_AHEAD_OF_TIME` to `1` or `0`. A development build
/// starts sooner without it, because the code cache serves it as well.
///
/// ```no_run
/// tauri_plugin_wasi_sidecar_build::build();
/// // tauri_build::build();
/// ```
pub fn build() {
    println!("cargo::rerun-if-env-changed={SWITCH}");
    println!("cargo::rerun-if-env-changed=TAURI_CONFIG");
    let rows = match from_environment() {
        Ok(rows) => rows,
        Err(error) => {
            println!("cargo::warning=no sidecar is compiled ahead of time: {error:#}");
            Vec::new()
        }
    };
    let Some(out) = env::var_os("OUT_DIR") else { return };
    if let Err(error) = fs::write(Path::new(&out).join(TABLE), table(&rows)) {
        println!("cargo::warning=failed to write {TABLE}: {error}");
    }
}

fn from_environment() -> Result<Vec<Row>> {
    let variable = |name: &str| env::var(name).with_context(|| format!("{name} is not set"));
    if !is_wanted(env::var(SWITCH).ok().as_deref(), &variable("PROFILE")?) {
        return Ok(Vec::new());
    }
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let stamps = PathBuf::from(variable("OUT_DIR")?).join("wasi-sidecar");
    let target = variable("TARGET")?;
    let (bundled, read) =
        config::bundled(&root, &variable("CARGO_CFG_TARGET_OS")?, env::var("TAURI_CONFIG").ok())?;
    for path in &read {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    let mut rows = Vec::new();
    for one in bundled {
        println!("cargo::rerun-if-changed={}", one.component.display());
        match make::code(&one, &target, &stamps) {
            Ok((row, _)) => {
                let code = one.component.with_file_name(&row.file);
                println!("cargo::rerun-if-changed={}", code.display());
                if !one.takes_neighbours {
                    println!(
                        "cargo::warning={} is not bundled: name its folder, `folder/*` or `folder/`, under bundle > resources",
                        code.display()
                    );
                }
                rows.push(row);
            }
            Err(error) => println!("cargo::warning={}: {error:#}", one.component.display()),
        }
    }
    Ok(rows)
}

fn is_wanted(switch: Option<&str>, profile: &str) -> bool {
    match switch {
        Some("1") => true,
        Some("0") => false,
        _ => profile == "release",
    }
}

/// The table as the expression that the plugin's macro includes.
fn table(rows: &[Row]) -> String {
    let mut text = String::from("&[\n");
    for Row { sidecar, file, label } in rows {
        text += &format!("    ({sidecar:?}, {file:?}, {:?}),\n", label.to_string());
    }
    text + "]\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_builds_go_without_unless_asked() {
        let rows = [
            (None, "release", true),
            (None, "debug", false),
            (Some("1"), "debug", true),
            (Some("0"), "release", false),
            (Some("yes"), "debug", false),
        ];
        for (switch, profile, wanted) in rows {
            assert_eq!(is_wanted(switch, profile), wanted, "{switch:?}, {profile}");
        }
    }

    #[test]
    fn the_table_is_an_expression() {
        assert_eq!(table(&[]), "&[\n]\n");
    }
}
