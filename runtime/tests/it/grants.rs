//! What a guest holds: nothing, or what was granted.

use wasi_sidecar::{
    Access, ArtifactSource, CodeCache, Command, Component, Dir, Engine, EngineConfig, ErrorKind,
    Grants, LoadOptions, ambient_authority,
};

use crate::support::{guest, holding, module, run, soon, temporary, text};

async fn probe(capabilities: Grants, script: &str) -> String {
    let mut command = Command::new(guest("fs-probe"));
    command.grants(capabilities);
    text(&run(&command, script.as_bytes()).await.stdout)
}

#[tokio::test]
async fn without_a_grant_nothing_opens() {
    let script = "open\t/etc/passwd\nopen\t/data\nlist\t/\nlist\t.\ncreate\t/tmp/x\nopen\t../x\nstat\t/proc/self\n";
    let said = probe(Grants::new(), script).await;
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
    command.args(["read", "/data/file"]).grants(holding(&granted, Access::ReadOnly));
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
    let capabilities = Grants::new()
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
    let component = Component::load(
        &engine,
        ArtifactSource::file(&dir, "sidecars/echo.wasm"),
        LoadOptions::new(),
    )
    .unwrap();
    std::fs::create_dir(path("data")).unwrap();

    let (read, write) = (Access::ReadOnly, Access::ReadWrite);
    let rows = [
        ("cache", read, "contains the code cache"),
        ("cache/code", read, "is the code cache"),
        ("keys", read, "is the key of the code cache"),
        (".", read, "contains the code cache"),
        // Nothing can be changed there, and a program's data often lies beside it.
        ("app", read, ""),
        ("app/sidecars", read, ""),
        ("app/sidecars/data", read, ""),
        ("app", write, "contains a directory of artifacts"),
        ("app/sidecars", write, "is a directory of artifacts"),
        ("app/sidecars/data", write, "lies in a directory of artifacts"),
        ("data", write, ""),
    ];
    for (name, least, expected) in rows {
        for access in [least, write] {
            if access > least && expected.is_empty() {
                continue;
            }
            let mut command = Command::new(component.clone());
            command.grants(holding(&path(name), access));
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
                    let own_folder = "move the .wasm to a folder of its own";
                    assert_eq!(
                        error.to_string().contains(own_folder),
                        expected.contains("artifacts"),
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
        Component::load(&engine, ArtifactSource::file(&dir, "echo.wasm"), LoadOptions::new())
            .unwrap()
    };
    let (one, _other) = (copy("one"), copy("other"));
    let mut command = Command::new(one);
    // By any name for it, above it, and beside grants that may be read.
    for folder in ["other", "", "one/../other"] {
        let read = holding(&place.path().join("one"), Access::ReadOnly);
        let folder = place.path().join(folder);
        let both = read.dir(folder, "/w", Access::ReadWrite, ambient_authority()).unwrap();
        assert_eq!(command.grants(both).spawn().unwrap_err().kind(), ErrorKind::Grant);
    }
}

#[tokio::test]
async fn data_beside_the_artifact_is_read_and_never_changed() {
    let place = temporary();
    std::fs::create_dir_all(place.path().join("pkg/share")).unwrap();
    std::fs::write(place.path().join("pkg/share/words"), "some words").unwrap();
    let artifact = place.path().join("pkg/tool.wasm");
    std::fs::copy(wasi_sidecar_guests::component("fs-probe").unwrap(), &artifact).unwrap();
    let before = std::fs::read(&artifact).unwrap();
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let dir = Dir::open_ambient_dir(place.path().join("pkg"), ambient_authority()).unwrap();
    let component =
        Component::load(&engine, ArtifactSource::file(&dir, "tool.wasm"), LoadOptions::new())
            .unwrap();
    for (granted, words, tool) in [
        ("pkg/share", "/data/words", "/data/../tool.wasm"),
        ("pkg", "/data/share/words", "/data/tool.wasm"),
        ("", "/data/pkg/share/words", "/data/pkg/tool.wasm"),
    ] {
        let mut command = Command::new(component.clone());
        command.grants(holding(&place.path().join(granted), Access::ReadOnly));
        let script = format!(
            "read\t{words}\nwrite\t{tool}\tx\nappend\t{tool}\tx\nunlink\t{tool}\nset-times\t{tool}\t1\n\
             rename\t{tool}\t{words}\nlink\t{tool}\t{words}2\ntruncate\t{tool}\nset-size\t{tool}\t1\n"
        );
        let said = text(&run(&command, script.as_bytes()).await.stdout);
        let ok: Vec<bool> = said.lines().map(|line| line.contains(r#""ok":true"#)).collect();
        assert_eq!(ok, [true, false, false, false, false, false, false, false, false], "{said}");
        assert!(said.contains("some words"), "{said}");
    }
    assert_eq!(std::fs::read(&artifact).unwrap(), before);
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
    let component = Component::load(
        &engine,
        ArtifactSource::file(&dir, "sidecars/echo.wasm"),
        LoadOptions::new(),
    )
    .unwrap();
    for folder in ["app/sidecars", "app/store"] {
        let mut command = Command::new(component.clone());
        command.grants(holding(&place.path().join(folder), Access::ReadWrite));
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
    let mut command = Command::new(
        Component::load(&engine, ArtifactSource::file(&dir, "echo.wasm"), LoadOptions::new())
            .unwrap(),
    );
    command.grants(holding(&place.path().join("outer"), Access::ReadWrite));
    assert_eq!(command.spawn().unwrap_err().kind(), ErrorKind::Grant);
}

#[tokio::test]
async fn granted_names_come_from_the_host_and_given_entries_win() {
    // One that every test process has.
    let path = std::env::var("PATH").unwrap();
    let capabilities =
        Grants::new().env("PATH").and_then(|c| c.env("NO_SUCH_NAME_ANYWHERE")).unwrap();
    for component in [guest("env"), module("env")] {
        let mut command = Command::new(component);
        command.grants(capabilities.clone());
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
        command.grants(holding(place.path(), Access::ReadOnly));
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

/// Runs this test once more, alone and with mounts of its own.
///
/// # Panics
///
/// Where the system allows no such mounts: the test would say nothing then.
#[cfg(target_os = "linux")]
fn with_mounts_of_its_own(test: &str, body: impl Future<Output = ()>) -> impl Future<Output = ()> {
    const INSIDE: &str = "WASI_SIDECAR_TEST_HAS_MOUNTS";
    let test = format!("grants::{test}");
    async move {
        if std::env::var_os(INSIDE).is_some() {
            return body.await;
        }
        let mut unshare = std::process::Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare.args(["--mount", "--propagation", "private", "--"]);
        unshare.arg(std::env::current_exe().unwrap()).args(["--exact", &test, "--nocapture"]);
        let output = unshare.env(INSIDE, "1").output().unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success() && said.contains("1 passed"),
            "this test needs `unshare` of util-linux, and a user who may mount: root, or anybody where the system allows \
             user namespaces\n{said}"
        );
    }
}

#[cfg(target_os = "linux")]
fn mount_bind(from: &std::path::Path, to: &std::path::Path) {
    let mount =
        std::process::Command::new("mount").arg("--bind").args([from, to]).output().unwrap();
    assert!(mount.status.success(), "{}", text(&mount.stderr));
}

/// One tree at two places: the way up from one of them does not lead through the other.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_mount_of_an_artifacts_directory_does_not_hide_where_it_lies() {
    let test = "a_mount_of_an_artifacts_directory_does_not_hide_where_it_lies";
    with_mounts_of_its_own(test, async {
        let place = temporary();
        let path = |name: &str| place.path().join(name);
        for folder in
            ["tree/pkgs/app/data", "whole", "part", "mid/deep", "files", "twice", "beside"]
        {
            std::fs::create_dir_all(path(folder)).unwrap();
        }
        let artifact = path("tree/pkgs/app/echo.wasm");
        std::fs::copy(wasi_sidecar_guests::component("echo").unwrap(), artifact).unwrap();
        std::fs::write(path("files/echo.wasm"), "").unwrap();
        for (from, to) in [
            ("tree", "whole"),
            ("tree/pkgs/app", "part"),
            ("tree/pkgs", "mid/deep"),
            ("tree/pkgs/app/echo.wasm", "files/echo.wasm"),
            ("part", "twice"),
        ] {
            mount_bind(&path(from), &path(to));
        }
        let everywhere = [
            "tree",
            "tree/pkgs",
            "tree/pkgs/app",
            "tree/pkgs/app/data",
            "whole",
            "whole/pkgs",
            "part",
            "part/data",
            "mid",
            "mid/deep",
            "mid/deep/app",
            "files",
            "twice",
            "twice/data",
            "",
        ];
        for loaded in ["tree/pkgs/app", "whole/pkgs/app", "part", "mid/deep/app", "files", "twice"]
        {
            let engine = Engine::new(&EngineConfig::new()).unwrap();
            let dir = Dir::open_ambient_dir(path(loaded), ambient_authority()).unwrap();
            let component = Component::load(
                &engine,
                ArtifactSource::file(&dir, "echo.wasm"),
                LoadOptions::new(),
            )
            .unwrap();
            let granted = |folder: &str, access| {
                let mut command = Command::new(component.clone());
                command.grants(holding(&path(folder), access)).spawn()
            };
            for folder in everywhere {
                let error =
                    granted(folder, Access::ReadWrite).expect_err(&format!("{loaded}, {folder}"));
                assert_eq!(error.kind(), ErrorKind::Grant, "{error}");
            }
            for (folder, access) in [("beside", Access::ReadWrite), ("mid", Access::ReadOnly)] {
                let mut child = granted(folder, access).unwrap();
                assert!(soon(child.wait()).await.unwrap().success());
            }
        }
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_mount_of_the_key_does_not_hide_it() {
    with_mounts_of_its_own("a_mount_of_the_key_does_not_hide_it", async {
        let place = temporary();
        let path = |name: &str| place.path().join(name);
        for folder in ["home/keys", "mounted"] {
            std::fs::create_dir_all(path(folder)).unwrap();
        }
        mount_bind(&path("home/keys"), &path("mounted"));
        let cache = CodeCache::open(&path("code"), &path("mounted"), ambient_authority()).unwrap();
        let engine = Engine::new(&EngineConfig::new().code_cache(cache)).unwrap();
        let wasm = std::fs::read(wasi_sidecar_guests::component("echo").unwrap()).unwrap();
        let mut command = Command::new(Component::load(&engine, wasm, LoadOptions::new()).unwrap());
        for folder in ["home", "home/keys", "mounted"] {
            command.grants(holding(&path(folder), Access::ReadOnly));
            let error = command.spawn().expect_err(folder);
            assert!(error.to_string().contains("the key of the code cache"), "{error}");
        }
    })
    .await;
}

/// A second name for an artifact in a granted directory is not noticed: what it changes is found where the artifact is pinned.
#[cfg(unix)]
#[tokio::test]
async fn a_hard_link_to_an_artifact_changes_no_guest_that_was_loaded_and_none_that_is_pinned() {
    let place = temporary();
    let path = |name: &str| place.path().join(name);
    for folder in ["app", "granted"] {
        std::fs::create_dir(path(folder)).unwrap();
    }
    std::fs::copy(wasi_sidecar_guests::component("fs-probe").unwrap(), path("app/probe.wasm"))
        .unwrap();
    std::fs::hard_link(path("app/probe.wasm"), path("granted/link")).unwrap();
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let dir = Dir::open_ambient_dir(path("app"), ambient_authority()).unwrap();
    let component =
        Component::load(&engine, ArtifactSource::file(&dir, "probe.wasm"), LoadOptions::new())
            .unwrap();
    let digest = component.artifact().digest();
    let mut command = Command::new(component);
    command.grants(holding(&path("granted"), Access::ReadWrite));
    let said = text(&run(&command, b"overwrite\t/data/link\tchanged\n").await.stdout);
    assert!(said.contains(r#""ok":true"#), "{said}");
    assert!(std::fs::read(path("app/probe.wasm")).unwrap().starts_with(b"changed"));
    // What was loaded is what runs.
    let said = text(&run(&command, b"read\t/data/link\n").await.stdout);
    assert!(said.contains(r#""ok":true"#), "{said}");
    let error = Component::load(
        &engine,
        ArtifactSource::path(path("app/probe.wasm"), ambient_authority()),
        LoadOptions::new().pin(digest),
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Digest, "{error}");
    // By a read-only grant nothing is changed.
    command.grants(holding(&path("granted"), Access::ReadOnly));
    let said = text(
        &run(&command, b"overwrite\t/data/link\tagain\nset-size\t/data/link\t0\n").await.stdout,
    );
    assert!(!said.contains(r#""ok":true"#), "{said}");
}

/// The times of what this user owns; for other files the system decides, as for every reader.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn reading_by_a_read_only_grant_changes_no_time_of_a_file_or_directory() {
    use std::{
        fs::{File, FileTimes, metadata},
        os::unix::fs::MetadataExt,
        time::{Duration, SystemTime},
    };

    let place = temporary();
    let path = |name: &str| place.path().join(name);
    std::fs::create_dir(path("dir")).unwrap();
    for name in ["file", "dir/file", "seen"] {
        std::fs::write(path(name), "content").unwrap();
    }
    // Older than what `relatime` lets be.
    let old = FileTimes::new().set_accessed(SystemTime::now() - Duration::from_secs(3 * 86_400));
    let names = ["", "dir", "file", "dir/file", "seen"];
    for name in names {
        File::open(path(name)).unwrap().set_times(old).unwrap();
    }
    let times = |name: &str| {
        let found = metadata(path(name)).unwrap();
        [
            found.atime(),
            found.atime_nsec(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec(),
        ]
    };
    let before = names.map(times);
    let files = "read\t/data/file\nread\t/data/dir/file\nopen\t/data/seen\nstat\t/data/file\nread\t/data/file\n";
    let component = format!("list\t/data\nlist\t/data/dir\n{files}list\t/data\n");
    // The engine's own function lists for modules, and opens the directory itself.
    for (program, script) in [(guest("fs-probe"), component.as_str()), (module("fs-probe"), files)]
    {
        let mut command = Command::new(program);
        command.grants(holding(place.path(), Access::ReadOnly));
        let said = text(&run(&command, script.as_bytes()).await.stdout);
        assert!(said.lines().all(|line| line.contains(r#""ok":true"#)), "{said}");
        assert_eq!(said.lines().count(), script.lines().count());
        assert_eq!(names.map(times), before);
    }
    // The first file that is opened, before anything else is asked.
    let mut command = Command::new(module("fs-probe"));
    command.grants(holding(place.path(), Access::ReadOnly)).args(["read", "/data/file"]);
    run(&command, b"").await;
    assert_eq!(names.map(times), before);
    // By a read-write grant they change, as they do for every program, where the file system notes times at all.
    command.grants(holding(place.path(), Access::ReadWrite));
    run(&command, b"").await;
    let noted = times("file") != before[2];
    std::fs::read(path("seen")).unwrap();
    assert_eq!(noted, times("seen") != before[4]);
}

/// A guest that may change a link could put another folder of artifacts in its place.
#[cfg(unix)]
#[test]
fn a_directory_with_a_link_on_the_way_to_an_artifact_is_refused_for_writing() {
    let place = temporary();
    let path = |name: &str| place.path().join(name);
    for folder in ["real/app", "first", "second", "beside"] {
        std::fs::create_dir_all(path(folder)).unwrap();
    }
    std::fs::copy(wasi_sidecar_guests::component("echo").unwrap(), path("real/app/echo.wasm"))
        .unwrap();
    // first/link -> second/link -> real, and the artifact is named by the first.
    std::os::unix::fs::symlink(path("real"), path("second/link")).unwrap();
    std::os::unix::fs::symlink("../second/link", path("first/link")).unwrap();
    let place_dir = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    let sources = [
        ArtifactSource::path(path("first/link/app/echo.wasm"), ambient_authority()),
        ArtifactSource::file(&place_dir, "first/link/app/echo.wasm"),
    ];
    for (source, folders) in sources.into_iter().zip([["first", "second"], ["first", "first"]]) {
        let engine = Engine::new(&EngineConfig::new()).unwrap();
        let Ok(component) = Component::load(&engine, source, LoadOptions::new()) else {
            // A link by an absolute path leaves the open directory, and is not followed.
            continue;
        };
        for folder in folders {
            let spawn = |access| {
                let mut command = Command::new(component.clone());
                command.grants(holding(&path(folder), access)).spawn()
            };
            let error = spawn(Access::ReadWrite).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Grant, "{folder}: {error}");
            spawn(Access::ReadOnly).unwrap().start_kill().unwrap();
        }
        let mut command = Command::new(component);
        command.grants(holding(&path("beside"), Access::ReadWrite));
        command.spawn().unwrap().start_kill().unwrap();
    }
}
