//! Keeps the access times of files in read-only grants unchanged, where the operating system allows it.
//!
//! Linux allows it for the user's own files and directories, and for all of them as root. The flag is set on what
//! wasmtime has opened. A link's access time changes when it is followed, and no flag prevents that. Other systems have
//! no such flag. <https://man7.org/linux/man-pages/man2/open.2.html>

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{FsPerms, filesystem::Descriptor};

/// Call this for each table entry that an open has made.
pub(super) fn keep(table: &ResourceTable, opened: &Resource<Descriptor>) {
    if let Ok(Descriptor::File(file)) = table.get(opened) {
        keep_of(&*file.file, file.perms);
    }
}

/// The same for something just opened. A file of another user is read as every program reads it.
#[cfg(target_os = "linux")]
pub(super) fn keep_of(opened: impl std::os::fd::AsFd, perms: FsPerms) {
    if perms == FsPerms::ReadOnly {
        let _ = rustix::fs::fcntl_setfl(opened, rustix::fs::OFlags::NOATIME);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn keep_of<T>(_: T, _: FsPerms) {}
