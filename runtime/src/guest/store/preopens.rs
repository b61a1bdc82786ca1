//! Gives a guest its granted directories: the open ones, not their names.

use std::io;

use cap_std::fs::Dir;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::{Access, Error, ErrorKind, Result, grants::Preopen, grants::host_dir::Identity};

pub(super) fn add(wasi: &mut WasiCtxBuilder, preopen: &Preopen) -> Result<()> {
    let access = match preopen.access {
        Access::ReadOnly => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    };
    let host = preopen.host.display();
    let path = path_of(preopen)?;
    wasi.preopened_dir(path, &preopen.guest, access).map(drop).map_err(|error| {
        match error.downcast::<io::Error>() {
            Ok(error) => unopened(preopen, error),
            Err(error) => {
                Error::with(ErrorKind::Grant, format!("the directory `{host}` is gone"), error)
            }
        }
    })
}

/// A path to the granted directory itself, even if its name has changed.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn path_of(preopen: &Preopen) -> Result<std::path::PathBuf> {
    use std::os::fd::AsRawFd;

    // <https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html>
    let path = std::path::PathBuf::from(format!("/proc/self/fd/{}", preopen.dir.as_raw_fd()));
    match Dir::open_ambient_dir(&path, cap_std::ambient_authority()) {
        Ok(_) => Ok(path),
        // Without /proc, uses the name, if it still leads to the directory.
        Err(_) => checked_path(preopen),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn path_of(preopen: &Preopen) -> Result<std::path::PathBuf> {
    checked_path(preopen)
}

/// Why a directory cannot be opened: it no longer exists, or the host has no descriptors left.
fn unopened(preopen: &Preopen, error: io::Error) -> Error {
    let host = preopen.host.display();
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::PermissionDenied => {
            Error::with(ErrorKind::Grant, format!("the directory `{host}` is gone"), error)
        }
        _ => Error::io(format!("open the directory `{host}`"), error),
    }
}

/// The path it was granted by, if it still leads to the same directory.
fn checked_path(preopen: &Preopen) -> Result<std::path::PathBuf> {
    let path = &preopen.host;
    let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority())
        .map_err(|error| unopened(preopen, error))?;
    if Identity::of(&dir, Some(path)).is_ok_and(|identity| identity.is(&preopen.identity)) {
        return Ok(path.clone());
    }
    let text = format!("`{}` is no longer the directory that was granted", path.display());
    Err(Error::new(ErrorKind::Grant, text))
}
