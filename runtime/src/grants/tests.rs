//! Tables of granted and refused directories and entries.

#![allow(clippy::disallowed_methods, reason = "tests prepare and inspect the host's own files")]

use cap_std::{ambient_authority, fs::Dir};

use super::*;
use crate::ErrorKind;

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

#[test]
fn what_cannot_be_granted_is_refused_with_the_reason() {
    let host = temporary();
    let file = host.path().join("file");
    std::fs::write(&file, "").expect("written");
    let rows = [
        (host.path().join("missing"), "/data", "does not exist"),
        (file, "/data", "is not a directory"),
        (host.path().into(), "data", "no path for a guest"),
        (host.path().into(), "", "no path for a guest"),
        (host.path().into(), "/a/../b", "no path for a guest"),
        (host.path().into(), "/a//b", "no path for a guest"),
        (host.path().into(), "/a/", "no path for a guest"),
        (host.path().into(), "/a\0b", "no path for a guest"),
        (host.path().into(), "/taken", "granted twice"),
    ];
    for (path, guest, part) in rows {
        let error = Grants::new()
            .dir(host.path(), "/taken", Access::ReadOnly, ambient_authority())
            .expect("can be granted")
            .dir(&path, guest, Access::ReadOnly, ambient_authority())
            .expect_err(part);
        assert_eq!(error.kind(), ErrorKind::Grant, "{error}");
        assert!(error.to_string().contains(part), "{error} does not contain {part}");
    }
    for name in ["", "A=B", "A\0"] {
        assert!(Grants::new().env(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_directory_that_touches_a_protected_one_is_refused() {
    let root = temporary();
    for name in ["outer/protected/inner", "beside"] {
        std::fs::create_dir_all(root.path().join(name)).expect("made");
    }
    let identity = |name: &str| {
        let path = root.path().join(name);
        let dir = Dir::open_ambient_dir(&path, ambient_authority()).expect("open");
        Identity::of(&dir, Some(&path)).expect("known")
    };
    let rows = [
        ("outer", Some("contains the code cache")),
        ("outer/protected", Some("is the code cache")),
        ("outer/protected/inner", Some("lies in the code cache")),
        ("beside", None),
    ];
    for (name, expected) in rows {
        let result = Grants::new()
            .dir(root.path().join(name), "/d", Access::ReadOnly, ambient_authority())
            .expect("can be opened")
            .check_disjoint("the code cache", &identity("outer/protected"), Access::ReadOnly, "no");
        match expected {
            None => result.expect("nothing to protect there"),
            Some(part) => {
                let error = result.expect_err(part);
                assert!(error.to_string().contains(part), "{error}");
            }
        }
    }
}

#[test]
fn directories_are_read_as_documented() {
    let rows = [
        ("notes::/notes", Some(("notes", "/notes", Access::ReadWrite))),
        ("notes::/notes:ro", Some(("notes", "/notes", Access::ReadOnly))),
        (".::/", Some((".", "/", Access::ReadWrite))),
        (r"C:\notes::/notes:ro", Some((r"C:\notes", "/notes", Access::ReadOnly))),
        ("/a:b::/c", Some(("/a:b", "/c", Access::ReadWrite))),
        ("notes", None),
        ("notes:/notes", None),
        ("::/notes", None),
        ("notes::notes", None),
        ("notes::", None),
        ("notes:::ro", None),
        // A suffix that looks like an access but is not one never grants more than was meant.
        ("notes::/notes:rw", None),
        ("notes::/notes:RO", None),
        ("notes::/notes:r0", None),
        ("notes::/notes:", None),
        ("notes::/notes:ro:ro", None),
    ];
    for (text, expected) in rows {
        let found = text.parse::<DirGrant>();
        let expected = expected
            .map(|(host, guest, access)| DirGrant::new(host, guest, access).expect("a guest path"));
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{text}: {found:?}");
    }
}
