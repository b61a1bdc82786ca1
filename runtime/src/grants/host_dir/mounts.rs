//! Finds the other places where a file is mounted: a tree can be mounted many times, whole or in part.
//!
//! A path leads through one mount, and `..` climbs the tree of mounts, not that of the file system. The kernel's list
//! of mounts says which part of which file system each mount shows.
//! <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>

use std::{
    ffi::OsString,
    io::Read,
    os::{
        fd::{AsFd, AsRawFd},
        unix::ffi::OsStringExt,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, open, readlink, statat, statx};

/// A mount: a part of a file system at a path.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    id: u64,
    device: String,
    /// The path of the part within its file system.
    root: PathBuf,
    /// The path of the mount.
    point: PathBuf,
}

/// All paths of a file, one per mount that shows it. Empty where the system does not tell: without `/proc`, or before
/// Linux 5.8.
pub(super) fn places(file: impl AsFd) -> Vec<PathBuf> {
    let mounts = mounts().unwrap_or_default();
    found(file, &mounts).unwrap_or_default()
}

fn found(file: impl AsFd, mounts: &[Mount]) -> Option<Vec<PathBuf>> {
    let file = file.as_fd();
    let own = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    if !StatxFlags::from_bits_retain(own.stx_mask).contains(StatxFlags::MNT_ID) {
        return None;
    }
    let own = mounts.iter().find(|mount| mount.id == own.stx_mnt_id)?;
    let name = readlink(format!("/proc/self/fd/{}", file.as_raw_fd()), Vec::new()).ok()?;
    let name = PathBuf::from(OsString::from_vec(name.into_bytes()));
    let within = join(&own.root, name.strip_prefix(&own.point).ok()?);
    let itself = statat(file, c"", AtFlags::EMPTY_PATH).ok()?;
    let shown = mounts.iter().filter(|mount| mount.device == own.device).filter_map(|mount| {
        let place = join(&mount.point, within.strip_prefix(&mount.root).ok()?);
        // Another mount may cover it.
        let there = statat(CWD, &place, AtFlags::empty()).ok()?;
        (there.st_dev == itself.st_dev && there.st_ino == itself.st_ino).then_some(place)
    });
    Some(shown.collect())
}

/// Unlike `Path::join`, adds no trailing slash for an empty `rest`.
fn join(path: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { path.to_owned() } else { path.join(rest) }
}

fn mounts() -> Option<Vec<Mount>> {
    // The mounts of this thread: a thread can have its own.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = open("/proc/thread-self/mountinfo", flags, Mode::empty()).ok()?;
    let mut text = Vec::new();
    std::fs::File::from(file).read_to_end(&mut text).ok()?;
    Some(text.split(|byte| *byte == b'\n').filter_map(mount).collect())
}

/// Parses a line such as `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`.
fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let device = String::from_utf8(fields.nth(1)?.to_vec()).ok()?;
    let mut path = || Some(PathBuf::from(OsString::from_vec(unescaped(fields.next()?))));
    Some(Mount { id, device, root: path()?, point: path()? })
}

/// Decodes a backslash followed by three octal digits, which stands for a blank or a similar character.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        let digits = after.get(..3).and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_is_in_its_paths() {
        let line = br"36 35 98:0 /a\040b /mnt\134c\011 rw,noatime master:1 - ext3 /dev/root rw";
        let expected =
            Mount { id: 36, device: "98:0".into(), root: "/a b".into(), point: "/mnt\\c\t".into() };
        assert_eq!(mount(line), Some(expected));
        for broken in [&b""[..], b"36", b"x 35 98:0 / / rw", b"36 35 98:0 /"] {
            assert_eq!(mount(broken), None);
        }
        for (field, expected) in
            [(&br"\04"[..], &br"\04"[..]), (br"\999", br"\999"), (br"\\", br"\\")]
        {
            assert_eq!(unescaped(field), expected);
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a file of the test's")]
    fn a_file_is_found_where_it_is() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().canonicalize().expect("a path").join("a b");
        let file = std::fs::File::create(&path).expect("made");
        assert!(places(&file).contains(&path), "{:?}", places(&file));
    }
}
