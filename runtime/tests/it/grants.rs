//! What a guest holds: nothing, or what was granted.

use wasi_sidecar::{
    Access, Capabilities, CodeCache, Command, Component, Dir, Engine, EngineConfig, ErrorKind,
    ambient_authority,
};

use crate::support::{guest, holding, module, run, soon, temporary, text};

async fn probe(capabilities: Capabilities, script: &str) -> String {
    let mut command = Command::new(guest("fs-probe"));
    command.capabilities(capabilities);
    text(&run(&command, script.as_bytes()).await.stdout)
}

#[tokio::test]
async fn without_a_grant_nothing_opens() {
    let script = "open\t/etc/passwd\nopen\t/data\nlist\t/\nlist\t.\ncreate\t/tmp/x\nopen\t../x\nstat\t/proc/self\n";
    let said = probe(Capabilities::new(), script).await;
    assert_eq!(said.lines().count(), 7, "{said}");
    assert!(!said.contains(r#""ok":true"#), "{said}");
}

#[tokio::test]
async fn a_grant_of_one_directory_is_that_directory() {
    let place = temporary();
    std::fs::create_dir_all(place.path().join("granted/sub")).unwrap();
    std::fs::write(place.path().join("secret"), "s").unwrap();
    std::fs::write(place.path().join("granted/mine"), "m").unwrap();
    let said = probe(
        holding(&place.path().join("granted"), Access::ReadWrite),
        "read\t/data/../secret\nread\t/secret\nread\t/data/sub/../../secret\nread\t/data/mine\n",
    )
    .await;
    let ok: Vec<bool> = said.lines().map(|line| line.contains(r#""ok":true"#)).collect();
    assert_eq!(ok, [false, false, false, true], "{said}");
}

#[tokio::test]
async fn the_grant_is_the_directory_and_not_its_name() {
    let place = temporary();
    let granted = place.path().join("granted");
    std::fs::create_dir(&granted).unwrap();
    std::fs::write(granted.join("file"), "the original").unwrap();
    let mut command = Command::new(guest("fs-probe"));
    command.args(["read", "/data/file"]).capabilities(holding(&granted, Access::ReadOnly));
    // Swapped after it was granted: the name leads elsewhere now.
    std::fs::rename(&granted, place.path().join("moved")).unwrap();
    std::fs::create_dir(&granted).unwrap();
    std::fs::write(granted.join("file"), "another").unwrap();
    match command.spawn() {
        Ok(child) => {
            let said = text(&crate::support::finish(child, b"").await.stdout);
            assert!(said.contains("the original"), "{said}");
        }
        // Where a system cannot reopen a directory that is open, the swap is noticed and refused.
        Err(error) => assert_eq!(error.kind(), ErrorKind::Grant, "{error}"),
    }
}

#[tokio::test]
async fn two_grants_keep_their_access() {
    let place = temporary();
    let capabilities = Capabilities::new()
        .dir(place.path(), "/read", Access::ReadOnly, ambient_authority())
        .and_then(|c| c.dir(place.path(), "/write", Access::ReadWrite, ambient_authority()))
        .unwrap();
    let said = probe(capabilities, "create\t/read/a\ncreate\t/write/a\nread\t/read/a\n").await;
    let ok: Vec<bool> = said.lines().map(|line| line.contains(r#""ok":true"#)).collect();
    assert_eq!(ok, [false, true, true], "{said}");
}

#[tokio::test]
async fn the_code_cache_and_the_artifacts_own_directory_are_kept_away() {
    let place = temporary();
    let path = |name: &str| place.path().join(name);
    std::fs::create_dir_all(path("app/sidecars/data")).unwrap();
    std::fs::copy(wasi_sidecar_guests::component("echo").unwrap(), path("app/sidecars/echo.wasm"))
        .unwrap();
    let cache = CodeCache::open(&path("cache/code"), &path("keys"), ambient_authority()).unwrap();
    let engine = Engine::new(&EngineConfig::new().code_cache(cache)).unwrap();
    let dir = Dir::open_ambient_dir(path("app"), ambient_authority()).unwrap();
    let component = Component::from_file(&engine, &dir, "sidecars/echo.wasm").unwrap();
    std::fs::create_dir(path("data")).unwrap();

    let rows = [
        ("cache", "contains the code cache"),
        ("cache/code", "is the code cache"),
        ("keys", "is the key of the code cache"),
        ("app", "contains a directory of artifacts"),
        ("app/sidecars", "is a directory of artifacts"),
        ("app/sidecars/data", "lies in a directory of artifacts"),
        (".", "contains"),
        ("data", ""),
    ];
    for (name, expected) in rows {
        for access in [Access::ReadOnly, Access::ReadWrite] {
            let mut command = Command::new(component.clone());
            command.capabilities(holding(&path(name), access));
            match command.spawn() {
                Ok(mut child) => {
                    assert_eq!(expected, "", "{name} was granted");
                    assert!(soon(child.wait()).await.unwrap().success());
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Grant);
                    assert!(
                        !expected.is_empty() && error.to_string().contains(expected),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn no_guest_is_granted_the_directory_of_another_artifact() {
    let place = temporary();
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let copy = |folder: &str| {
        let folder = place.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(wasi_sidecar_guests::component("echo").unwrap(), folder.join("echo.wasm"))
            .unwrap();
        let dir = Dir::open_ambient_dir(&folder, ambient_authority()).unwrap();
        Component::from_file(&engine, &dir, "echo.wasm").unwrap()
    };
    let (one, _other) = (copy("one"), copy("other"));
    let mut command = Command::new(one);
    command.capabilities(holding(&place.path().join("other"), Access::ReadWrite));
    assert_eq!(command.spawn().unwrap_err().kind(), ErrorKind::Grant);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_an_artifact_does_not_hide_where_it_lies() {
    let place = temporary();
    for folder in ["app/sidecars", "app/store"] {
        std::fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    let stored = place.path().join("app/store/v1.wasm");
    std::fs::copy(wasi_sidecar_guests::component("echo").unwrap(), stored).unwrap();
    std::os::unix::fs::symlink("../store/v1.wasm", place.path().join("app/sidecars/echo.wasm"))
        .unwrap();
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let dir = Dir::open_ambient_dir(place.path().join("app"), ambient_authority()).unwrap();
    let component = Component::from_file(&engine, &dir, "sidecars/echo.wasm").unwrap();
    for folder in ["app/sidecars", "app/store"] {
        let mut command = Command::new(component.clone());
        command.capabilities(holding(&place.path().join(folder), Access::ReadWrite));
        assert_eq!(command.spawn().unwrap_err().kind(), ErrorKind::Grant, "{folder}");
    }
}

/// The way up is found even where a directory in between may only be passed through.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_directory_that_cannot_be_listed_hides_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let place = temporary();
    let inner = place.path().join("outer/passage/app");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::copy(wasi_sidecar_guests::component("echo").unwrap(), inner.join("echo.wasm"))
        .unwrap();
    let passage = place.path().join("outer/passage");
    std::fs::set_permissions(&passage, std::fs::Permissions::from_mode(0o711)).unwrap();
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let dir = Dir::open_ambient_dir(&inner, ambient_authority()).unwrap();
    let mut command = Command::new(Component::from_file(&engine, &dir, "echo.wasm").unwrap());
    command.capabilities(holding(&place.path().join("outer"), Access::ReadWrite));
    assert_eq!(command.spawn().unwrap_err().kind(), ErrorKind::Grant);
}

#[tokio::test]
async fn granted_names_come_from_the_host_and_given_entries_win() {
    // One that every test process has.
    let path = std::env::var("PATH").unwrap();
    let capabilities =
        Capabilities::new().env("PATH").and_then(|c| c.env("NO_SUCH_NAME_ANYWHERE")).unwrap();
    for component in [guest("env"), module("env")] {
        let mut command = Command::new(component);
        command.capabilities(capabilities.clone());
        assert_eq!(text(&run(&command, b"").await.stdout), format!("PATH={path}\n"));
        command.env("PATH", "mine");
        assert_eq!(text(&run(&command, b"").await.stdout), "PATH=mine\n");
    }
}

#[tokio::test]
async fn the_initial_directory_lies_in_a_grant() {
    let place = temporary();
    std::fs::create_dir(place.path().join("sub")).unwrap();
    std::fs::write(place.path().join("sub/inside"), "").unwrap();
    let command = |directory: &str| {
        let mut command = Command::new(guest("cwd"));
        command.capabilities(holding(place.path(), Access::ReadOnly));
        command.current_dir(directory);
        command
    };
    let said = text(&run(&command("/data/sub"), b"").await.stdout);
    assert!(said.contains("inside"), "relative paths start there: {said}");
    for directory in
        ["/", "/elsewhere", "/data/missing", "/data/../etc", "data", "/data/sub/inside"]
    {
        let error = command(directory).spawn().expect_err(directory);
        assert_eq!(error.kind(), ErrorKind::Grant, "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_passed_is_refused_before_anything_runs() {
    let refused = |change: &dyn Fn(&mut Command)| {
        let mut command = Command::new(guest("args"));
        change(&mut command);
        command.spawn().expect_err("refused")
    };
    type Change<'a> = &'a dyn Fn(&mut Command);
    let rows: [(Change<'_>, &str); 6] = [
        (&|c| _ = c.arg("a\0b"), "NUL"),
        (&|c| _ = c.arg("x".repeat(2 << 20)), "at most 1048576"),
        (&|c| _ = c.env("A=B", "x"), "no name"),
        (&|c| _ = c.env("", "x"), "no name"),
        (&|c| _ = c.env("A", "x\0"), "NUL"),
        (&|c| _ = c.inherit_env(), "grant the names"),
    ];
    for (change, expected) in rows {
        let error = refused(change);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(expected), "{error}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let error = refused(&|c| _ = c.arg(std::ffi::OsStr::from_bytes(b"\xff")));
        assert!(error.to_string().contains("not UTF-8"), "{error}");
    }
}
