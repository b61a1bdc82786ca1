//! G: the environment, and what a guest learns of the host.

use std::ffi::OsString;

use wasi_sidecar::{Access, Command, Grants, ambient_authority};

use super::{
    filesystem::{self, Call},
    grants::{probe, said},
    place::Place,
    table::{On, Row, held, row},
    wasm::{end, ends_by_itself, load, refused, starting},
};
use crate::support::{guest, run, text};

const WRITE_VIA: Call = Call {
    name: "write-via",
    of: ("$files", "[method]descriptor.write-via-stream"),
    declared: r#"(param "self" (borrow $d)) (param "offset" u64) (result (result (own $out) (error $error)))"#,
    core: "(param i32 i64 i32)",
};

const HASH: Call = Call {
    name: "hash",
    of: ("$files", "[method]descriptor.metadata-hash"),
    declared: r#"(param "self" (borrow $d)) (result (result $metadata-hash (error $error)))"#,
    core: "(param i32 i32)",
};

const DEBUG: Call = Call {
    name: "debug",
    of: ("$error", "[method]error.to-debug-string"),
    declared: "",
    core: "(param i32 i32)",
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = environment();
    rows.extend(names());
    rows.extend(information());
    rows
}

fn environment() -> Vec<Row> {
    let spawned = |change: Box<dyn FnOnce(&mut Command)>| {
        let mut command = Command::new(guest("args"));
        change(&mut command);
        match command.spawn() {
            Ok(_) => "started".into(),
            Err(error) => refused(&error),
        }
    };
    type Change = Box<dyn FnOnce(&mut Command)>;
    let changes: [(&str, Change); 10] = [
        ("100,000 arguments", Box::new(|c| _ = c.args(vec!["x"; 100_000]))),
        ("100 MB of arguments", Box::new(|c| _ = c.arg("x".repeat(100 << 20)))),
        ("a NUL in an argument", Box::new(|c| _ = c.arg("a\0b"))),
        ("100,000 entries", Box::new(|c| _ = c.envs((0..100_000).map(|n| (n.to_string(), ""))))),
        ("100 MB of environment", Box::new(|c| _ = c.env("A", "x".repeat(100 << 20)))),
        ("an entry without a name", Box::new(|c| _ = c.env("", "x"))),
        ("an entry with `=` in its name", Box::new(|c| _ = c.env("A=B", "x"))),
        ("an entry with a NUL in its name", Box::new(|c| _ = c.env("A\0B", "x"))),
        ("an entry with a NUL in its value", Box::new(|c| _ = c.env("A", "x\0y"))),
        ("the whole environment of the host", Box::new(|c| _ = c.inherit_env())),
    ];
    let row_of = |(what, change): (&'static str, Change)| {
        row(112, what, "refused: invalid input", async move |_| spawned(change))
    };
    let mut rows = vec![
        row(111, "the environment without a grant", "empty", async |_| {
            let output = run(&Command::new(guest("env")), b"").await;
            match text(&output.stdout).trim() {
                "" => "empty".into(),
                said => said.to_owned(),
            }
        }),
        row(111, "entries that every process has, and secrets", "none of them", async |_| {
            let names = ["PATH", "HOME", "USER", "AWS_SECRET_ACCESS_KEY", "CARGO_MANIFEST_DIR"];
            let output = run(Command::new(guest("env")).args(names), b"").await;
            let said = text(&output.stdout);
            let values = names.iter().filter_map(std::env::var_os).map(OsString::into_string);
            let leaked = values.flatten().any(|value| !value.is_empty() && said.contains(&value));
            if leaked { said } else { "none of them".into() }
        }),
        row(111, "its directory", "no path of the host", async |place| {
            let mut command = Command::new(guest("cwd"));
            command.grants(place.granted(Access::ReadOnly));
            let output = run(&command, b"").await;
            no_host_path(&place, &format!("{}{}", text(&output.stdout), text(&output.stderr)))
        }),
    ];
    rows.extend(changes.into_iter().map(row_of));
    rows
}

fn names() -> Vec<Row> {
    let mut rows = vec![
        row(113, "4,096 directories", "refused: grant", async |place| {
            let mut held = Ok(Grants::new());
            for n in 0..4096 {
                held = held.and_then(|held| named(held, &place, &format!("/{n}")));
            }
            granted(held)
        }),
        row(113, "one name for two directories", "refused: grant", async |place| {
            let held = named(Grants::new(), &place, "/data");
            granted(held.and_then(|held| named(held, &place, "/data")))
        }),
    ];
    for (what, name) in [
        ("a directory without a name", String::new()),
        ("a directory named `..`", "..".into()),
        ("a directory named `/a/../b`", "/a/../b".into()),
        ("a directory with a relative name", "data".into()),
        ("a directory with a NUL in its name", "/a\0b".into()),
        ("a directory with a name of 1 MB", format!("/{}", "x".repeat(1 << 20))),
    ] {
        rows.push(row(113, what, "refused: grant", async move |place| {
            granted(named(Grants::new(), &place, &name))
        }));
    }
    rows
}

fn named(held: Grants, place: &Place, name: &str) -> Result<Grants, wasi_sidecar::Error> {
    held.dir(place.inside(), name, Access::ReadOnly, ambient_authority())
}

fn granted(held: Result<Grants, wasi_sidecar::Error>) -> String {
    match held {
        Ok(_) => "granted".into(),
        Err(error) => refused(&error),
    }
}

fn information() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, operation, path) in [
        ("the error of a file that is not there", "read", "/data/missing"),
        ("the error of a way out", "read", "/data/../outside/secret"),
        ("the target of a link out", "readlink", "/data/straight"),
        ("all that is told of a file", "stat", "/data/file"),
    ] {
        rows.push(row(114, what, "no path of the host", async move |place| {
            let command = probe(operation, path, place.granted(Access::ReadOnly));
            no_host_path(&place, &text(&run(&command, b"").await.stdout))
        }));
    }
    rows.push(
        row(114, "what an error of a stream says for debugging", "no path of the host", async |place| {
            // Writing at the last place there is, in a file.
            let body = "(i32.store (i32.const 0) (i32.const 0x656c6966))
                (call $open (local.get $p) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 2)
                  (i32.const 2064))
                (if (i32.load8_u (i32.const 2064)) (then (call $exit (i32.const 1))))
                (call $write-via (i32.load (i32.const 2068)) (i64.const 0x7fffffffffffffff) (i32.const 2080))
                (if (i32.load8_u (i32.const 2080)) (then (call $exit (i32.const 1))))
                (call $blocking-write (i32.load (i32.const 2084)) (i32.const 1024) (i32.const 6) (i32.const 2096))
                (if (i32.eqz (i32.load8_u (i32.const 2096))) (then (call $exit (i32.const 1))))
                (if (i32.load8_u (i32.const 2100)) (then (call $exit (i32.const 1))))
                (call $debug (i32.load (i32.const 2104)) (i32.const 2112))
                (call $blocking-write (call $get-stdout) (i32.load (i32.const 2112)) (i32.load (i32.const 2116))
                  (i32.const 2128))";
            let calls = [filesystem::OPEN, WRITE_VIA, DEBUG];
            let component = load(&filesystem::component(&calls, body)).unwrap();
            let mut command = Command::new(component);
            command.grants(place.granted(Access::ReadWrite));
            let output = run(&command, b"").await;
            match text(&output.stdout).strip_prefix("ready\n") {
                Some(said) if output.status.success() => no_host_path(&place, said),
                _ => end(&output.status),
            }
        })
        .on(On::Linux),
    );
    rows.push(
        row(115, "what tells one directory from another, asked twice by two guests", "the same each time", {
            async |place| {
                let body = "(call $hash (local.get $p) (i32.const 2064)) (call $hash (local.get $p) (i32.const 2088))
                    (call $blocking-write (call $get-stdout) (i32.const 2064) (i32.const 48) (i32.const 2128))";
                let mut command =
                    Command::new(load(&filesystem::component(&[HASH], body)).unwrap());
                command.grants(place.granted(Access::ReadOnly));
                let (one, other) = (run(&command, b"").await, run(&command, b"").await);
                let said = one.stdout.strip_prefix(b"ready\n").unwrap_or_default();
                // The first byte is 0 where it is no error.
                match said.split_at_checked(24) {
                    Some((first, second))
                        if first[0] == 0 && first == second && one.stdout == other.stdout =>
                    {
                        "the same each time".into()
                    }
                    _ => format!("{said:?}, {:?}", other.stdout),
                }
            }
        })
        .on(On::Unix),
    );
    rows.push(
        row(115, "the absolute target of a link, read back", "not-permitted", async |place| {
            said(&probe("readlink", "/data/passwd", place.granted(Access::ReadOnly))).await
        })
        .on(On::Unix),
    );
    rows.push(held(
        116,
        "memory and tables of a guest that ended, in the one place that all are given",
        "runtime/tests/it/pool.rs",
        "a_place_is_made_anew_for_the_next_guest",
    ));
    rows.push(row(
        116,
        "memory of a guest that ended, looked for by the next",
        "nothing of it",
        async |_| {
            let pages = 256;
            let fill = format!(
                "(drop (memory.grow (i32.const {pages})))
             (memory.fill (i32.const 65536) (i32.const 165) (i32.const {}))",
                pages << 16
            );
            let look = format!(
                "(drop (memory.grow (i32.const {pages}))) (local.set $n (i32.const 65536))
             (loop $look
               (if (i32.load (local.get $n)) (then (call $exit (i32.const 1))))
               (local.set $n (i32.add (local.get $n) (i32.const 4)))
               (br_if $look (i32.lt_u (local.get $n) (i32.const {}))))",
                pages << 16
            );
            for _ in 0..3 {
                if ends_by_itself(starting(&fill)).await != "exit 0" {
                    return "it did not fill its memory".into();
                }
                if ends_by_itself(starting(&look)).await != "exit 0" {
                    return "something of it".into();
                }
            }
            "nothing of it".into()
        },
    ));
    rows
}

fn no_host_path(place: &Place, said: &str) -> String {
    let host = place.path("");
    let host = host.to_string_lossy();
    let manifest = env!("CARGO_MANIFEST_DIR");
    match [&*host, manifest].iter().any(|path| said.contains(path.trim_end_matches('/'))) {
        false if !said.is_empty() => "no path of the host".into(),
        _ => said.to_owned(),
    }
}
