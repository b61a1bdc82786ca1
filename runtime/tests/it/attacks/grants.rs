//! A: grants. What a configuration may not grant, and what becomes of a grant while somebody works against it.

use std::{
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasi_sidecar::{
    Access, ArtifactSource, CodeCache, Command, Component, Dir, Engine, EngineConfig, Grants,
    LoadOptions, ambient_authority,
};

use super::{
    paths::outcome,
    place::Place,
    table::{On, Row, held, row},
    wasm,
};
use crate::support::{guest, holding, module, run, soon, text};

/// How often a name is exchanged while a guest goes through it.
const RACES: usize = 2_000;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, path) in [
        ("the root of the file system", "/"),
        ("the root by another name", "/proc/self/root"),
        ("`/proc`", "/proc"),
        ("what lies in `/proc`", "/proc/self"),
        ("`/dev`", "/dev"),
        ("`/sys`", "/sys"),
    ] {
        let attack = format!("a grant of {what}");
        rows.push(row(11, attack, "refused: grant", async move |_| grant(path)).on(On::Linux));
    }
    rows.push(row(11, "a grant of the home directory", "refused: grant", async |_| {
        grant(std::env::home_dir().unwrap())
    }));
    rows.push(
        row(11, "a grant of what the home directory lies in", "refused: grant", async |_| {
            grant(std::env::home_dir().unwrap().parent().unwrap())
        })
        .on(On::Unix),
    );
    rows.push(
        row(11, "the same, where it is said to be meant", "granted", async |_| {
            let all = Grants::new();
            match all.dangerous_dir("/", "/all", Access::ReadOnly, ambient_authority()) {
                Ok(_) => "granted".into(),
                Err(error) => wasm::refused(&error),
            }
        })
        .on(On::Unix),
    );
    rows.push(
        row(11, "a grant of a drive", "refused: grant", async |_| grant(r"C:\")).on(On::Windows),
    );
    rows.push(
        row(11, "a grant of a network share", "refused: grant", async |_| grant(r"\\localhost\C$"))
            .on(On::Windows),
    );
    let (ro, rw) = (Access::ReadOnly, Access::ReadWrite);
    for (what, folder, access, expected) in [
        ("the folder of the artifact", "app", rw, "refused: grant"),
        ("a folder in it", "app/data", rw, "refused: grant"),
        ("the folder above it and all else", "", rw, "refused: grant"),
        ("the folder of the artifact, read-only", "app", ro, "granted"),
        ("a folder in it, read-only", "app/data", ro, "granted"),
        ("what the code cache is in as well, read-only", "", ro, "refused: grant"),
        ("the code cache, read-only", "cache", ro, "refused: grant"),
        ("the key of the code cache, read-only", "keys", ro, "refused: grant"),
    ] {
        let attack = format!("a grant of {what}");
        let row = row(12, attack, expected, async move |place| code(&place, folder, access));
        // A folder above is not recognised there, and SECURITY.md says so.
        rows.push(row.on(if folder.is_empty() { On::Unix } else { On::Everywhere }));
    }
    rows.push(
        row(
            13,
            "a grant that is a link: what it led to when it was granted",
            "ok",
            async |place| {
                let link = place.path("link");
                std::os::unix::fs::symlink(place.inside(), &link).unwrap();
                let command = probe("read", "/data/file", holding(&link, Access::ReadOnly));
                fs::remove_file(&link).unwrap();
                std::os::unix::fs::symlink(place.path("outside"), &link).unwrap();
                said(&command).await
            },
        )
        .on(On::Linux),
    );
    rows.push(
        row(
            14,
            "a granted directory is replaced by a link before the start",
            "ok",
            async |place| {
                let command = probe("read", "/data/file", place.granted(Access::ReadOnly));
                fs::rename(place.inside(), place.path("moved")).unwrap();
                std::os::unix::fs::symlink(place.path("outside"), place.inside()).unwrap();
                said(&command).await
            },
        )
        .on(On::Linux),
    );
    rows.push(
        row(
            15,
            "a directory and a link out change places under a reader",
            "no escape",
            async |place| raced(&place, "read\t/data/swap/secret").await,
        )
        .on(On::Linux),
    );
    rows.push(
        row(15, "the same, under a writer", "no escape", async |place| {
            raced(&place, "write\t/data/swap/made\tx").await
        })
        .on(On::Linux),
    );
    rows.push(
        row(
            16,
            "a guest has them change places under another, by the same grant",
            "no escape",
            async |place| raced_by_a_guest(&place).await,
        )
        .on(On::Linux),
    );
    rows.push(
        row(17, "a hard link to a file outside, read", "ok", async |place| {
            fs::hard_link(place.path("outside/secret"), place.path("inside/hard")).unwrap();
            said(&probe("read", "/data/hard", place.granted(Access::ReadOnly))).await
        })
        .on(On::Unix),
    );
    rows.push(
        row(
            17,
            "a hard link to a file outside, changed read-only",
            "not-permitted",
            async |place| {
                fs::hard_link(place.path("outside/secret"), place.path("inside/hard")).unwrap();
                said(&probe("append", "/data/hard", place.granted(Access::ReadOnly))).await
            },
        )
        .on(On::Unix),
    );
    for (what, operation, path) in [
        ("read", "read", "/file"),
        ("removed", "unlink", "/file"),
        ("made", "write", "/made"),
        ("removed with a directory", "remove-dir-all", "/dir"),
    ] {
        let attack = format!(
            "a path outside of all grants, {what} from an initial directory that has the name"
        );
        rows.push(row(2, attack, "not-found", async move |place| {
            let mut command = probe(operation, path, place.granted(Access::ReadWrite));
            said(command.current_dir("/data")).await
        }));
    }
    rows.push(row(
        2,
        "an initial directory for a program that cannot tell absolute paths from relative ones",
        "refused: grant",
        async |place| {
            let mut command = Command::new(module("fs-probe"));
            command.grants(place.granted(Access::ReadWrite)).current_dir("/data");
            command.spawn().map_or_else(|error| wasm::refused(&error), |_| "started".into())
        },
    ));
    for (case, attack, test) in [
        (
            12,
            "a mount that shows the folder of the artifact elsewhere, granted above or below either",
            "a_mount_of_an_artifacts_directory_does_not_hide_where_it_lies",
        ),
        (12, "the same with the key of the code cache", "a_mount_of_the_key_does_not_hide_it"),
        (
            17,
            "a hard link to the artifact, changed",
            "a_hard_link_to_an_artifact_changes_no_guest_that_was_loaded_and_none_that_is_pinned",
        ),
        (
            18,
            "the time of access of what is read",
            "reading_by_a_read_only_grant_changes_no_time_of_a_file_or_directory",
        ),
    ] {
        rows.push(held(case, attack, "runtime/tests/it/grants.rs", test).on(On::Linux));
    }
    for (operation, from, to) in [
        ("link", "/ro/file", "/rw/linked"),
        ("link", "/rw/file", "/ro/linked"),
        ("rename", "/ro/file", "/rw/moved"),
        ("rename", "/rw/file", "/ro/moved"),
    ] {
        let attack = format!("{operation} `{from}` to `{to}`, of two grants");
        rows.push(
            row(19, attack, "not-permitted", async move |place| {
                fs::write(place.path("inside/other/file"), "x").unwrap();
                let mut command = Command::new(guest("fs-probe"));
                command.args([operation, from, to]);
                said(command.grants(two(&place, "inside/other"))).await
            })
            .on(On::Linux),
        );
    }
    rows.push(
        row(
            21,
            "one directory under two names: written by the read-only one",
            "not-permitted",
            async |place| {
                let both = two(&place, "inside");
                said(&probe("write", "/ro/file", both)).await
            },
        )
        .on(On::Linux),
    );
    rows.push(
        row(
            36,
            "renaming across file systems",
            "refused, and the file is where it was",
            async |place| {
                let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
                    return "no other file system".into();
                };
                let both = place.granted(Access::ReadWrite);
                let both =
                    both.dir(other.path(), "/shm", Access::ReadWrite, ambient_authority()).unwrap();
                let mut command = Command::new(guest("fs-probe"));
                let said =
                    said(command.args(["rename", "/data/file", "/shm/file"]).grants(both)).await;
                // The engine has no word of its own for it in a component, and tells of an error of input or output.
                let there =
                    place.inside().join("file").exists() && !other.path().join("file").exists();
                match (said.as_str(), there) {
                    ("I/O error (os error 29)" | "crosses-devices", true) => {
                        "refused, and the file is where it was".into()
                    }
                    _ => format!("{said}, {there}"),
                }
            },
        )
        .on(On::Linux),
    );
    rows
}

fn grant(host: impl AsRef<Path>) -> String {
    match Grants::new().dir(host, "/all", Access::ReadOnly, ambient_authority()) {
        Ok(_) => "granted".into(),
        Err(error) => wasm::refused(&error),
    }
}

/// An engine with artifact, cache and key in folders of their own, and a guest that is granted one of these.
fn code(place: &Rc<Place>, folder: &str, access: Access) -> String {
    let application = place.path("application");
    fs::create_dir_all(application.join("app/data")).unwrap();
    let artifact = wasi_sidecar_guests::module("echo").unwrap();
    fs::copy(artifact, application.join("app/echo.wasm")).unwrap();
    let cache =
        CodeCache::open(&application.join("cache"), &application.join("keys"), ambient_authority());
    let engine = Engine::new(&EngineConfig::new().code_cache(cache.unwrap())).unwrap();
    let app = Dir::open_ambient_dir(application.join("app"), ambient_authority()).unwrap();
    let component =
        Component::load(&engine, ArtifactSource::file(&app, "echo.wasm"), LoadOptions::new())
            .unwrap();
    let mut command = Command::new(component);
    command.grants(holding(&application.join(folder), access));
    match command.spawn() {
        Ok(_) => "granted".into(),
        Err(error) => wasm::refused(&error),
    }
}

fn two(place: &Place, writable: &str) -> Grants {
    let (ro, rw) = (Access::ReadOnly, Access::ReadWrite);
    let one = Grants::new().dir(place.inside(), "/ro", ro, ambient_authority()).unwrap();
    one.dir(place.path(writable), "/rw", rw, ambient_authority()).unwrap()
}

pub(super) fn probe(operation: &str, path: &str, held: Grants) -> Command {
    let mut command = Command::new(guest("fs-probe"));
    command.args([operation, path, "x"]).grants(held);
    command
}

pub(super) async fn said(command: &Command) -> String {
    outcome(&text(&run(command, b"").await.stdout))
}

/// A guest does one thing again and again while what it goes through changes between a directory and a link out of the grant.
async fn raced(place: &Rc<Place>, line: &str) -> String {
    let (swap, aside) = swapped(place);
    let target = place.path("outside");
    let done = Arc::new(AtomicBool::new(false));
    let swapping = std::thread::spawn({
        let done = Arc::clone(&done);
        move || {
            while !done.load(Ordering::Relaxed) {
                let _ = fs::rename(&swap, &aside);
                let _ = std::os::unix::fs::symlink(&target, &swap);
                let _ = fs::remove_file(&swap);
                let _ = fs::rename(&aside, &swap);
            }
        }
    });
    let found = gone_through(place, &[line]).await;
    done.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    found
}

/// The directory that changes places, and where it is meanwhile.
fn swapped(place: &Place) -> (PathBuf, PathBuf) {
    let (swap, aside) = (place.path("inside/swap"), place.path("inside/aside"));
    fs::create_dir(&swap).unwrap();
    fs::write(swap.join("secret"), "mine").unwrap();
    (swap, aside)
}

/// The same, but that it is a second guest that changes it.
async fn raced_by_a_guest(place: &Place) -> String {
    swapped(place);
    let mut command = Command::new(guest("fs-probe"));
    let mut swapper = command.grants(place.granted(Access::ReadWrite)).spawn().unwrap();
    let (mut orders, mut answers) = (swapper.stdin.take().unwrap(), swapper.stdout.take().unwrap());
    // Until it is killed.
    let ordering = tokio::spawn(async move {
        let script = "rename\t/data/swap\t/data/aside\nsymlink\t/data/swap\t../outside\n\
            unlink\t/data/swap\nrename\t/data/aside\t/data/swap\n";
        while orders.write_all(script.repeat(100).as_bytes()).await.is_ok() {}
    });
    let hearing = tokio::spawn(async move {
        let mut said = Vec::new();
        answers.read_to_end(&mut said).await.map(|_| said)
    });
    let lines = ["read\t/data/swap/secret", "write\t/data/swap/made\tx", "list\t/data/swap"];
    let found = gone_through(place, &lines).await;
    wasm::kill(&mut swapper).await;
    ordering.await.unwrap();
    let said = text(&hearing.await.unwrap().unwrap());
    let done = |line: &&str| line.contains("symlink") && line.contains("\"ok\":true");
    match said.lines().filter(done).count() {
        0 => format!("nothing changed: {:?}", said.lines().nth(1)),
        _ => found,
    }
}

/// What comes of going through it again and again.
async fn gone_through(place: &Place, lines: &[&str]) -> String {
    let mut command = Command::new(guest("fs-probe"));
    command.grants(place.granted(Access::ReadWrite));
    let script = lines.iter().map(|line| format!("{line}\n").repeat(RACES)).collect::<String>();
    let output = soon(run(&command, script.as_bytes())).await;
    let said = text(&output.stdout);
    // It is read, or a name that is only outside is listed.
    let escaped = ["\"secret\"}", "folder"].iter().any(|told| said.contains(told))
        || place.path("outside/made").exists();
    match (said.lines().count() == RACES * lines.len(), escaped) {
        (true, false) => "no escape".into(),
        (true, true) => "an escape".into(),
        (false, _) => format!("{} answers", said.lines().count()),
    }
}
