//! Tables of (what is granted, what is asked for, what the guest holds or why not).

#![allow(clippy::disallowed_methods, reason = "tests prepare and inspect the host's own files")]

use cap_std::ambient_authority;

use super::*;

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

#[test]
fn a_guest_holds_what_it_asked_for_and_was_granted() {
    let host = temporary();
    let granted = Capabilities::new()
        .dir(host.path(), "/ro", Access::ReadOnly, ambient_authority())
        .and_then(|c| c.dir(host.path(), "/rw", Access::ReadWrite, ambient_authority()))
        .and_then(|c| c.env("LANG"))
        .expect("can be granted");
    let held = |requests: &Requests| {
        granted.grant(requests).map(|held| {
            let dirs: Vec<_> =
                held.dirs.iter().map(|dir| format!("{} {}", dir.guest, dir.access)).collect();
            (dirs.join(", "), held.env.into_iter().collect::<Vec<_>>().join(", "))
        })
    };
    let ask = Requests::new;
    let rows = [
        (ask(), Ok(("", ""))),
        (ask().dir("/ro", Access::ReadOnly), Ok(("/ro read-only", ""))),
        (ask().dir("/rw", Access::ReadOnly), Ok(("/rw read-only", ""))),
        (ask().dir("/rw", Access::ReadWrite).env("LANG"), Ok(("/rw read-write", "LANG"))),
        (ask().dir("/ro", Access::ReadWrite), Err("with access `read-write` to allow it")),
        (
            ask().dir("/other", Access::ReadOnly),
            Err("the guest path `/other` and access `read-only`"),
        ),
        (ask().dir("/ro/sub", Access::ReadOnly), Err("the guest path `/ro/sub`")),
        (ask().env("PATH"), Err("add `PATH` to the environment names")),
    ];
    for (requests, expected) in rows {
        match (held(&requests), expected) {
            (Ok((dirs, env)), Ok(expected)) => assert_eq!((&*dirs, &*env), expected),
            (Err(error), Err(part)) => {
                assert_eq!(error.kind(), ErrorKind::Grant);
                assert!(error.to_string().contains(part), "{error} does not contain {part}");
            }
            (got, expected) => panic!("{requests:?}: {got:?}, expected {expected:?}"),
        }
    }
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
        let error = Capabilities::new()
            .dir(host.path(), "/taken", Access::ReadOnly, ambient_authority())
            .expect("can be granted")
            .dir(&path, guest, Access::ReadOnly, ambient_authority())
            .expect_err(part);
        assert_eq!(error.kind(), ErrorKind::Grant, "{error}");
        assert!(error.to_string().contains(part), "{error} does not contain {part}");
    }
    for name in ["", "A=B", "A\0"] {
        assert!(Capabilities::new().env(name).is_err(), "{name:?}");
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
        let result = Capabilities::new()
            .dir(root.path().join(name), "/d", Access::ReadOnly, ambient_authority())
            .expect("can be opened")
            .keep_away_from("the code cache", &identity("outer/protected"), Access::ReadOnly, "no");
        match expected {
            None => result.expect("nothing to protect there"),
            Some(part) => {
                let error = result.expect_err(part);
                assert!(error.to_string().contains(part), "{error}");
            }
        }
    }
}
