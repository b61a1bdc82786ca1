//! Checks a guest's arguments, environment and initial directory.

use std::path::Path;

use super::handle::Spec;
use crate::{Artifact, Error, ErrorKind, Result, artifact::Start};

/// Most bytes of arguments, and of environment entries: about what Linux allows a process.
const MAX_ARGUMENT_BYTES: usize = 1 << 20;

/// Most arguments, and most entries. Each takes a pointer in the guest's memory besides its bytes.
const MAX_ARGUMENTS: usize = 10_000;

fn refuse<T>(text: String) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidInput, text))
}

/// The guest's arguments. The first is its own name, as for every program.
pub(super) fn arguments(name: &str, spec: &Spec) -> Result<Vec<String>> {
    few("arguments", spec.args.len())?;
    let mut args = vec![name.to_owned()];
    let mut bytes = 0;
    for arg in &spec.args {
        let Some(text) = arg.to_str() else {
            return refuse(format!("the argument `{}` is not UTF-8", arg.to_string_lossy()));
        };
        if text.contains('\0') {
            return refuse(format!("the argument `{text}` contains a NUL"));
        }
        bytes += text.len() + 1;
        args.push(text.to_owned());
    }
    if bytes > MAX_ARGUMENT_BYTES {
        return refuse(format!(
            "{bytes} bytes of arguments, and a component gets at most {MAX_ARGUMENT_BYTES}; \
             pass data on standard input"
        ));
    }
    Ok(args)
}

/// The entries for this run, and the granted entries of the host that they do not override.
pub(super) fn environment(spec: &Spec) -> Result<Vec<(String, String)>> {
    if spec.inherit_env {
        return refuse(
            "a component cannot inherit the whole environment; grant the names it needs with \
             `Grants::env`"
                .into(),
        );
    }
    few("environment entries", spec.env.len() + spec.grants.env.len())?;
    let mut env = Vec::with_capacity(spec.env.len() + spec.grants.env.len());
    let mut bytes = 0;
    let given = spec.env.iter().map(|(name, value)| (name.clone(), value.clone()));
    let granted = spec.grants.env.iter().filter_map(|name| {
        #[expect(clippy::disallowed_methods, reason = "exactly the names that were granted")]
        let value = std::env::var_os(name)?;
        (!spec.env.iter().any(|(given, _)| given == name.as_str())).then(|| (name.into(), value))
    });
    for (name, value) in given.chain(granted) {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            return refuse(format!(
                "the environment entry `{}` is not UTF-8",
                name.to_string_lossy()
            ));
        };
        crate::grants::env::check_name(name)?;
        if value.contains('\0') {
            return refuse(format!("the environment entry `{name}` contains a NUL"));
        }
        bytes += name.len() + value.len() + 2;
        env.push((name.to_owned(), value.to_owned()));
    }
    if bytes > MAX_ARGUMENT_BYTES {
        return refuse(format!(
            "{bytes} bytes of environment, and a component gets at most {MAX_ARGUMENT_BYTES}"
        ));
    }
    Ok(env)
}

fn few(what: &str, count: usize) -> Result<()> {
    if count > MAX_ARGUMENTS {
        return refuse(format!(
            "{count} {what}, and a component gets at most {MAX_ARGUMENTS}; pass data on standard input"
        ));
    }
    Ok(())
}

/// The guest's initial directory: a guest path in a granted directory, also added to the environment as `PWD`.
///
/// WASI only tells a program its initial directory, and the program has to follow it. The C library of most languages
/// starts in `/` and takes `f` for `/f`, before any call to the host. A preopen named `.` would move relative paths,
/// but also absolute ones that lie in no other grant: `remove /sub` would then remove a directory below the initial
/// one. The host cannot tell the two apart, so it refuses a program that would start in `/` regardless.
pub(super) fn current_dir(
    artifact: &Artifact,
    spec: &Spec,
    env: &mut Vec<(String, String)>,
) -> Result<Option<String>> {
    let Some(path) = &spec.current_dir else { return Ok(None) };
    let Some(path) = plain(path).filter(|path| spec.grants.has_directory(path)) else {
        let text = format!(
            "the initial directory `{}` is not in a granted directory; it is a path as the guest \
             sees it, like `/data/sub` when `/data` is granted",
            path.display()
        );
        return Err(Error::new(ErrorKind::Grant, text));
    };
    let whole = spec.grants.dirs.iter().any(|preopen| preopen.guest == "/");
    match artifact.start {
        // Every program starts there by default.
        _ if path == "/" => {}
        Start::Pwd => {}
        Start::InitialCwd if !whole => {}
        Start::InitialCwd => {
            return Err(Error::new(
                ErrorKind::Grant,
                format!(
                    "the initial directory is `{path}` and `/` is granted: if it does not ask for its initial \
                     directory, its relative paths start in `/`; grant that directory under a name of \
                     its own, like `/data`, or leave out the initial directory"
                ),
            ));
        }
        Start::Root => {
            return Err(Error::new(
                ErrorKind::Grant,
                format!(
                    "it cannot start in `{path}`: its relative paths start in `/`, whatever it is told; grant \
                     the directory it should start in as `/` and leave out the initial directory, or build \
                     the program so that it asks WASI for `initial-cwd` and changes to it"
                ),
            ));
        }
    }
    tell_pwd(&path, spec, env)?;
    Ok(Some(path))
}

/// An absolute path in its normal form; `None` for any other path.
fn plain(path: &Path) -> Option<String> {
    let mut parts = path.to_str()?.split('/');
    if parts.next() != Some("") {
        return None;
    }
    let mut plain = String::new();
    for part in parts.filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." || part.contains('\0') {
            return None;
        }
        plain.push('/');
        plain.push_str(part);
    }
    Some(if plain.is_empty() { "/".into() } else { plain })
}

/// Some programs take their initial directory from `PWD`. A granted `PWD` of the host would be wrong.
fn tell_pwd(path: &str, spec: &Spec, env: &mut Vec<(String, String)>) -> Result<()> {
    if let Some((_, given)) = spec.env.iter().find(|(name, _)| name == "PWD") {
        if given == path {
            return Ok(());
        }
        return refuse(format!(
            "the initial directory is `{path}` and `PWD` is `{}`; leave out one of them",
            given.to_string_lossy()
        ));
    }
    env.retain(|(name, _)| name != "PWD");
    env.push(("PWD".into(), path.to_owned()));
    Ok(())
}
