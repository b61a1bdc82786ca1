//! Resolves paths of the configuration to paths of this machine.

use std::{
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

use tauri::{Manager, Runtime, path::BaseDirectory};

use crate::{Error, Result};

/// Resolves a granted directory, which is absolute or begins with one of Tauri's variables.
pub(super) fn directory<R: Runtime>(app: &impl Manager<R>, text: &str) -> Result<PathBuf> {
    let path = resolve(app, text)?;
    if path.is_absolute() {
        return Ok(path);
    }
    Err(Error::Config(format!(
        "`{text}` is a relative path; begin it with a variable such as `$APPDATA`, or give an absolute one"
    )))
}

/// Resolves an artifact's path, which may also be relative to the app's resources.
pub(super) fn resource<R: Runtime>(app: &impl Manager<R>, text: &str) -> Result<PathBuf> {
    let path = resolve(app, text)?;
    if path.is_absolute() {
        return Ok(path);
    }
    let resources = app.path().resource_dir().map_err(|error| {
        Error::Config(format!("`{text}` lies in the app's resources, which are not known: {error}"))
    })?;
    Ok(resources.join(path))
}

/// Replaces a leading variable. Tauri's own `parse` keeps unknown variables and drops `..`; this refuses both, since the
/// author cannot have meant either.
fn resolve<R: Runtime>(app: &impl Manager<R>, text: &str) -> Result<PathBuf> {
    let path = Path::new(text);
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(Error::Config(format!("`{text}` contains `..`; write the path without it")));
    }
    let first = path.components().next().map(|part| part.as_os_str().to_string_lossy());
    let Some(variable) = first.filter(|first| first.starts_with('$')) else {
        return Ok(path.to_owned());
    };
    if BaseDirectory::from_variable(&variable).is_none() {
        return Err(Error::Config(format!(
            "`{variable}` is no variable; there are `$APPDATA`, `$APPLOCALDATA`, `$APPCACHE`, `$APPCONFIG`, `$RESOURCE`, \
             `$TEMP`, `$HOME`, `$DOCUMENT` and the others of Tauri's `BaseDirectory`"
        )));
    }
    app.path()
        .parse(path)
        .map_err(|error| Error::Config(format!("`{text}` cannot be resolved: {error}")))
}

/// Resolves a native fallback to the last part of its name beside the app's executable, where bundlers put it. The shell
/// plugin does the same (`relative_command_path`). A test's executable is one directory deeper, in `deps`.
pub(super) fn beside_executable(program: &Path) -> Result<PathBuf> {
    if program.is_absolute() {
        return Ok(program.to_owned());
    }
    let file = program
        .file_name()
        .ok_or_else(|| Error::Config(format!("`{}` names no program", program.display())))?;
    let executable = tauri::utils::platform::current_exe()?;
    let folder = executable.parent().unwrap_or(Path::new("."));
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.join(with_extension(file)))
}

fn with_extension(file: &OsStr) -> PathBuf {
    let is_exe = Path::new(file).extension().is_some_and(|extension| extension == "exe");
    if cfg!(windows) && !is_exe {
        let mut name = file.to_owned();
        name.push(".exe");
        name.into()
    } else if !cfg!(windows) && is_exe {
        Path::new(file).with_extension("")
    } else {
        file.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parity_20_a_native_fallback_lies_beside_the_executable() {
        let executable = std::env::current_exe().expect("a test has one");
        let folder = executable.parent().and_then(Path::parent).expect("target/debug/deps");
        let suffix = std::env::consts::EXE_SUFFIX;
        for name in ["word-count", "binaries/word-count", "binaries/word-count.exe"] {
            let found = beside_executable(Path::new(name)).expect("it names a program");
            assert_eq!(found, folder.join(format!("word-count{suffix}")), "{name}");
        }
        assert!(beside_executable(Path::new("..")).is_err());
    }
}
