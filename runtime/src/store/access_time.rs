//! Reads what a read-only grant holds without changing its time of access, where the system lets this user do so: files and
//! directories that are its own, and all of them as root.
//!
//! The engine opens a file, and the flag is set on what it has opened. A link's time changes when it is followed, and no
//! flag prevents that. Elsewhere than on Linux there is no such flag.
//! <https://man7.org/linux/man-pages/man2/open.2.html>

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{FsPerms, filesystem::Descriptor};

/// To be called for each entry of the table that an open has made.
pub(super) fn keep(table: &ResourceTable, opened: &Resource<Descriptor>) {
    if let Ok(Descriptor::File(file)) = table.get(opened) {
        keep_of(&*file.file, file.perms);
    }
}

/// The same of what was just opened. A file of somebody else's is read as every program reads it.
#[cfg(target_os = "linux")]
pub(super) fn keep_of(opened: impl std::os::fd::AsFd, perms: FsPerms) {
    if perms == FsPerms::ReadOnly {
        let _ = rustix::fs::fcntl_setfl(opened, rustix::fs::OFlags::NOATIME);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn keep_of<T>(_: T, _: FsPerms) {}
