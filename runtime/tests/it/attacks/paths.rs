//! A: paths. What a guest tries on a directory it may read and write, to get out of it or to change what it may not.

use std::time::Duration;

use wasi_sidecar::{Access, Command, Limits};

use super::{
    bare,
    place::Place,
    table::{On, Row, held, row},
    wasm,
};
use crate::support::{guest, run, text};

/// Case, operation of `fs-probe`, path, second argument, what should come of it. [`REFUSED`] is any error: which one it is, is
/// the affair of the system or of the guest's library, and what counts is that nothing outside was seen or changed.
type Try = (u16, &'static str, &'static str, &'static str, &'static str);

pub(super) const REFUSED: &str = "refused";

/// A path that goes in circles is given up after some tens of links. Far more than any row here needs, in a debug build as well.
const CPU_TIME: Duration = Duration::from_secs(5);

const READ_WRITE: &[Try] = &[
    (1, "read", "/data/../outside/secret", "", "not-permitted"),
    (1, "read", "/data/dir/../../outside/secret", "", "not-permitted"),
    (1, "list", "/data/..", "", "not-permitted"),
    (1, "write", "/data/../outside/made", "x", "not-permitted"),
    (1, "rename", "/data/file", "/data/../outside/moved", "not-permitted"),
    (1, "link", "/data/../outside/secret", "/data/linked", "not-permitted"),
    (2, "read", "/etc/passwd", "", REFUSED),
    (2, "read", "//etc/passwd", "", REFUSED),
    (2, "read", "/data//etc/passwd", "", REFUSED),
    (3, "read", "/data/passwd", "", "not-permitted"),
    (3, "stat", "/data/root", "", "not-permitted"),
    (3, "list", "/data/root", "", "not-permitted"),
    (3, "read", "/data/root/etc/passwd", "", "not-permitted"),
    (3, "list", "/data/up", "", "not-permitted"),
    (3, "read", "/data/up/outside/secret", "", "not-permitted"),
    (3, "read", "/data/straight", "", "not-permitted"),
    (3, "overwrite", "/data/straight", "x", "not-permitted"),
    (3, "readlink", "/data/passwd", "", "not-permitted"),
    (4, "list", "/data/up/", "", "not-permitted"),
    (4, "list", "/data/up/.", "", "not-permitted"),
    (4, "read", "/data/up//outside/secret", "", "not-permitted"),
    (4, "stat", "/data/beside/", "", "not-permitted"),
    (4, "mkdir", "/data/beside/made/", "", "not-permitted"),
    (4, "rmdir", "/data/beside/folder/", "", "not-permitted"),
    (4, "unlink", "/data/beside/secret", "", "not-permitted"),
    (4, "set-times", "/data/beside/", "1", "not-permitted"),
    (4, "symlink", "/data/beside/made", "x", "not-permitted"),
    (4, "link", "/data/file", "/data/beside/linked", "not-permitted"),
    (4, "read", "/data/straight/", "", "not-permitted"),
    (4, "read", "/data/file/", "", "not-a-directory"),
    (4, "unlink", "/data/straight/", "", REFUSED),
    (4, "unlink", "/data/file/", "", REFUSED),
    (4, "link", "/data/straight/", "/data/linked", REFUSED),
    (4, "link", "/data/file", "/data/up/", REFUSED),
    (4, "symlink", "/data/beside/", "x", REFUSED),
    (4, "symlink", "/data/dangling-out/", "x", REFUSED),
    (4, "rename", "/data/file", "/data/beside/", REFUSED),
    (4, "rename", "/data/dir", "/data/up/", REFUSED),
    (4, "rename", "/data/dir", "/data/dangling-out/", REFUSED),
    (5, "rename", "/data/beside/", "/data/taken", REFUSED),
    (5, "rename", "/data/up/", "/data/taken", REFUSED),
    (5, "rename", "/data/beside/folder/", "/data/taken", "not-permitted"),
    (5, "rename", "/data/beside/secret", "/data/taken", "not-permitted"),
    (6, "symlink", "/data/made", "/etc/passwd", "not-permitted"),
    (6, "symlink", "/data/made", "/", "not-permitted"),
    (7, "read", "/data/self", "", "filesystem-loop"),
    (7, "read", "/data/other/chain41", "", "filesystem-loop"),
    (8, "write", "/data/dangling", "x", "ok"),
    (8, "write", "/data/dangling-out", "x", "not-permitted"),
    (9, "read", "/data/dir/back/../outside/secret", "", "not-permitted"),
    (10, "list", "/data/proc-root", "", "not-permitted"),
    (10, "read", "/data/proc-fd", "", "not-permitted"),
    (10, "read", "/data/proc-mem", "", "not-permitted"),
    (10, "read", "/data/dev-zero", "", "not-permitted"),
    (10, "overwrite", "/data/dev-tty", "x", "not-permitted"),
    (30, "rmdir", "/data", "", REFUSED),
    (30, "rmdir", "/data/.", "", REFUSED),
    (30, "unlink", "/data", "", REFUSED),
    (30, "unlink", "/data/.", "", REFUSED),
    (30, "rename", "/data", "/data/dir/self", REFUSED),
    (30, "rename", "/data/.", "/data/dir/self", REFUSED),
    (30, "rename", "/data/dir", "/data/.", REFUSED),
    (30, "mkdir", "/data/.", "", REFUSED),
];

const READ_ONLY: &[Try] = &[
    (18, "create", "/data/new", "", "not-permitted"),
    (18, "write", "/data/file", "x", "not-permitted"),
    (18, "append", "/data/file", "x", "not-permitted"),
    (18, "open-write", "/data/file", "", "not-permitted"),
    (18, "set-size", "/data/file", "0", "not-permitted"),
    (18, "rename", "/data/file", "/data/renamed", "not-permitted"),
    (18, "link", "/data/file", "/data/linked", "not-permitted"),
    (18, "symlink", "/data/made", "file", "not-permitted"),
    (18, "mkdir", "/data/made", "", "not-permitted"),
    (18, "rmdir", "/data/dir/deep", "", "not-permitted"),
    (18, "unlink", "/data/file", "", "not-permitted"),
    (18, "set-times", "/data/file", "1", "not-permitted"),
    (20, "truncate", "/data/file", "", "not-permitted"),
];

const WINDOWS: &[Try] = &[
    (31, "write", "/data/CON", "x", "not-found"),
    (31, "write", "/data/NUL", "x", "not-found"),
    (31, "write", "/data/COM1", "x", "not-found"),
    (31, "write", "/data/NUL.txt", "x", "not-found"),
    (31, "write", "/data/nul ", "x", "not-found"),
    (31, "read", "/data/CONIN$", "", "not-found"),
    (31, "write", "/data/CONOUT$", "x", "not-found"),
    (31, "write", "/data/COM\u{b9}", "x", "not-found"),
    (31, "write", "/data/LPT\u{b3}", "x", "not-found"),
    (31, "mkdir", "/data/NUL", "", REFUSED),
    (31, "mkdir", "/data/COM\u{b9}", "", REFUSED),
    (31, "mkdir", "/data/LPT\u{b3}", "", REFUSED),
    (31, "mkdir", "/data/CONOUT$", "", REFUSED),
    (31, "rename", "/data/file", "/data/COM1", REFUSED),
    (31, "rename", "/data/file", "/data/COM\u{b9}", REFUSED),
    (31, "rename", "/data/file", "/data/LPT\u{b3}", REFUSED),
    (31, "rename", "/data/file", "/data/CONOUT$", REFUSED),
    (31, "symlink", "/data/COM1", "file", REFUSED),
    (31, "symlink", "/data/COM\u{b9}", "file", REFUSED),
    (31, "symlink", "/data/LPT\u{b3}", "file", REFUSED),
    (31, "symlink", "/data/CONOUT$", "file", REFUSED),
    (32, "write", "/data/file:stream", "x", "not-found"),
    (32, "read", "/data/file::$DATA", "", "not-found"),
    (32, "read", r"/data/..\outside\secret", "", "not-permitted"),
    (32, "read", r"/data/\\.\pipe\x", "", "not-permitted"),
    (32, "read", "/data/C:foo", "", REFUSED),
    (32, "write", "/data/C:foo", "x", REFUSED),
    (32, "read", r"/data/\\?\C:\Windows\win.ini", "", REFUSED),
    (32, "read", r"/data/\\?\GLOBALROOT\Device\Null", "", REFUSED),
    (32, "read", r"/data/dir\../..\outside/secret", "", REFUSED),
    (32, "read", r"/data/dir/..\..\outside\secret", "", REFUSED),
    (32, "write", r"/data\..\outside/made", "x", REFUSED),
    (33, "write", "/data/file.", "x", "not-found"),
    (33, "write", "/data/file ", "x", "not-found"),
    (33, "read", "/data/SECRET~1", "", "not-found"),
    (33, "write", "/data/SECRET~1/made", "x", REFUSED),
];

const MAC: &[Try] = &[(34, "read", "/data/../OUTSIDE/secret", "", "not-permitted")];

pub(super) fn rows() -> Vec<Row> {
    let tables = [
        (READ_WRITE, Access::ReadWrite, On::Linux),
        (READ_ONLY, Access::ReadOnly, On::Linux),
        (WINDOWS, Access::ReadWrite, On::Windows),
        (MAC, Access::ReadWrite, On::Mac),
    ];
    let tries = tables.into_iter().flat_map(|(tries, access, on)| {
        tries.iter().map(move |attempt| probing(*attempt, access).on(on))
    });
    // Links and what ends with a slash are each system's own affair; which error it is there, has not been seen.
    let again = READ_WRITE.iter().filter(|(case, ..)| matches!(case, 4 | 5));
    let again = again.map(|(case, operation, path, second, _)| {
        probing((*case, operation, path, second, REFUSED), Access::ReadWrite).on(On::Mac)
    });
    let mut rows: Vec<_> = tries.chain(again).collect();
    rows.extend(absolute());
    rows.extend(links_themselves());
    rows.extend(through_links_of_its_own());
    rows.push(held(
        18,
        "each of 16 changes and more, read-only: neither a byte nor a time is another",
        "runtime/tests/it/files.rs",
        "a_read_only_directory_refuses_every_change",
    ));
    rows
}

fn probing((case, operation, path, second, expected): Try, access: Access) -> Row {
    let with = if second.is_empty() { String::new() } else { format!(", `{second}`") };
    let what = format!("{operation} `{path}`{with}, {access}");
    row(case, what, expected, async move |place| {
        let mut command = Command::new(guest("fs-probe"));
        command.args([operation, path, second]).grants(place.granted(access));
        command.limits(Limits::new().cpu_time(CPU_TIME));
        as_expected(outcome(&text(&run(&command, b"").await.stdout)), expected)
    })
    .bare(move |place: &Place| {
        let wasm = std::fs::read(wasi_sidecar_guests::component("fs-probe").unwrap()).unwrap();
        let (said, _) =
            bare::run(&wasm, &[operation, path, second], Some((&place.inside(), access)));
        as_expected(outcome(&said), expected)
    })
}

/// Any error, where any is expected.
pub(super) fn as_expected(found: String, expected: &str) -> String {
    let is_error = found != "ok" && !found.starts_with("no answer");
    if expected == REFUSED && is_error { expected.into() } else { found }
}

/// A guest makes a link, and then goes through it.
fn through_links_of_its_own() -> Vec<Row> {
    let rows = [
        ("`..`, then listed", "symlink\t/data/made\t..\nlist\t/data/made\n"),
        ("`../outside`, then read", "symlink\t/data/made\t../outside\nread\t/data/made/secret\n"),
        (
            "`../outside`, then written",
            "symlink\t/data/made\t../outside\nwrite\t/data/made/new\tx\n",
        ),
        (
            "`dir/../../outside`, then read",
            "symlink\t/data/made\tdir/../../outside\nread\t/data/made/secret\n",
        ),
        ("`/etc/passwd`, then read", "symlink\t/data/made\t/etc/passwd\nread\t/data/made\n"),
    ];
    let row_of = |(what, script): (&'static str, &'static str)| {
        row(6, format!("a link to {what}"), "refused", async move |place| {
            let mut command = Command::new(guest("fs-probe"));
            command.grants(place.granted(Access::ReadWrite));
            let said = text(&run(&command, script.as_bytes()).await.stdout);
            let outcomes: Vec<_> = said.lines().map(outcome).collect();
            match outcomes.as_slice() {
                [_, through] => as_expected(through.clone(), REFUSED),
                other => format!("{other:?}"),
            }
        })
        .on(On::Linux)
    };
    rows.into_iter().map(row_of).collect()
}

/// Given to the directory's own call, before any library has looked for a directory that it could lie in.
fn absolute() -> Vec<Row> {
    // The code is WASI's `notperm`.
    let row_of =
        |path| opened(2, format!("opening `{path}` below a grant"), "exit 63", path, Follow::Yes);
    ["/etc/passwd", "//etc/passwd", "/", "/proc/self/root/etc"].into_iter().map(row_of).collect()
}

/// A link is the last part of a path, and is not to be followed.
fn links_themselves() -> Vec<Row> {
    // The code is WASI's `loop`.
    let row_of = |name| {
        opened(3, format!("opening the link `{name}`, not followed"), "exit 32", name, Follow::No)
    };
    ["passwd", "root", "up", "straight"].into_iter().map(row_of).collect()
}

/// What becomes of a link that is the last part of a path.
enum Follow {
    Yes,
    No,
}

/// A module opens a path of its grant, and exits with the code that the call gives.
fn opened(
    case: u16,
    attack: String,
    expected: &'static str,
    path: &'static str,
    follow: Follow,
) -> Row {
    let length = path.len();
    let follow = i32::from(matches!(follow, Follow::Yes));
    let data = format!(
        r#"(data (i32.const 4096) "{path}") (func (export "_start") (call $exit (call $open (i32.const 3) (i32.const {follow})
           (i32.const 4096) (i32.const {length}) (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 16))))"#
    );
    row(case, attack, expected, async move |place| {
        let mut command = Command::new(wasm::load(&wasm::module(&data)).unwrap());
        command.grants(place.granted(Access::ReadWrite));
        wasm::ends(&command).await
    })
    .on(On::Linux)
}

/// What `fs-probe` says of one operation: `ok`, or the error's name.
pub(super) fn outcome(said: &str) -> String {
    let Ok(line) = serde_json::from_str::<serde_json::Value>(said.trim()) else {
        return format!("no answer: {said:?}");
    };
    match (&line["ok"], line["error"].as_str()) {
        (serde_json::Value::Bool(true), _) => "ok".into(),
        // Errors that std has no name for have a text of the system's.
        (_, Some("uncategorized")) => line["detail"].as_str().unwrap_or_default().into(),
        (_, Some(error)) => error.into(),
        _ => format!("no answer: {line}"),
    }
}
