//! What preview1 modules do that components do otherwise: they hand over buffers of any size, poll many things in one call, and
//! list a directory in pieces.

use std::{fs, path::Path, time::Duration};

use wasi_sidecar::{Access, Command, Component, ExitStatus, Limit, Limits, Termination};

use crate::support::{guest, holding, load, module, run, soon, temporary, text, wat};

const MIB: usize = 1 << 20;

/// A module with so many pages of memory, the functions it calls, and this body; `$n` and `$at` are free. It holds `/data`, whose
/// file `f` it opens as file 4 with all rights; a list of one buffer is at 16.
fn calling(pages: u32, body: &str) -> Component {
    wat(&format!(
        r#"(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") {pages})
  (data (i32.const 0) "f\00.")
  (func $open-file (param $how i32) (param $flags i32) (result i32)
    (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (local.get $how)
      (i64.const 0x1fffffff) (i64.const 0) (local.get $flags) (i32.const 24)))
  (func $must (param $errno i32) (if (local.get $errno) (then (call $exit (local.get $errno)))))
  (func $is (param $a i32) (param $b i32)
    (if (i32.ne (local.get $a) (local.get $b)) (then (call $exit (i32.const 250)))))
  (func $list-of (param $at i32) (param $length i32)
    (i32.store (i32.const 16) (local.get $at)) (i32.store (i32.const 20) (local.get $length)))
  (func (export "_start") (local $n i32) (local $at i32)
    {body}))"#
    ))
}

async fn ends(component: &Component, place: &Path, limits: Limits) -> ExitStatus {
    let mut command = Command::new(component.clone());
    command.limits(limits).grants(holding(place, Access::ReadWrite));
    soon(command.output()).await.unwrap().status
}

#[track_caller]
fn assert_out_of(status: &ExitStatus, limit: Limit) {
    assert_eq!(*status.termination(), Termination::OutOf(limit));
}

/// Bytes that are not the same anywhere.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32)
        .flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes())
        .take(length)
        .collect()
}

#[tokio::test]
async fn one_call_moves_as_much_as_the_limit_says_and_the_rest_comes_after_it() {
    const LENGTH: usize = 16_777_209;
    let pages = 300;
    for (limits, most) in [
        (Limits::new(), MIB),
        (Limits::new().call_bytes(LENGTH - 1), LENGTH - 1),
        (Limits::new().call_bytes(LENGTH), LENGTH),
        (Limits::new().call_bytes(LENGTH + 1), LENGTH),
        (Limits::new().call_bytes(8192), 8192),
    ] {
        let place = temporary();
        let content = noise(LENGTH);
        fs::write(place.path().join("f"), &content).unwrap();
        // One call of each kind: a read, one from the start, a write at the end of what was read, one to the start.
        let component = calling(pages, &format!(
            "(call $must (call $open-file (i32.const 0) (i32.const 0)))
             (call $list-of (i32.const 65536) (i32.const {LENGTH}))
             (call $must (call $read (i32.const 4) (i32.const 16) (i32.const 1) (i32.const 32)))
             (call $is (i32.load (i32.const 32)) (i32.const {most}))
             (call $must (call $pread (i32.const 4) (i32.const 16) (i32.const 1) (i64.const 0) (i32.const 36)))
             ;; That many at the most: the engine reads 64 KiB this way.
             (call $is (i32.gt_u (i32.load (i32.const 36)) (i32.const {most})) (i32.const 0))
             (call $is (i32.eqz (i32.load (i32.const 36))) (i32.const 0))
             (call $must (call $write (i32.const 4) (i32.const 16) (i32.const 1) (i32.const 40)))
             (call $is (i32.load (i32.const 40)) (i32.const {most}))
             (call $must (call $pwrite (i32.const 4) (i32.const 16) (i32.const 1) (i64.const 100) (i32.const 44)))
             (call $is (i32.load (i32.const 44)) (i32.const {most}))
             ;; Nothing after what was read.
             (call $is (i32.load8_u (i32.const {})) (i32.const 0))",
            65536 + most
        ));
        let status = ends(&component, place.path(), limits).await;
        assert!(status.success(), "{most}: {status}");
        let mut expected = content.clone();
        expected.resize((2 * most).max(LENGTH), 0);
        expected[most..2 * most].copy_from_slice(&content[..most]);
        expected[100..100 + most].copy_from_slice(&content[..most]);
        assert!(fs::read(place.path().join("f")).unwrap() == expected, "{most}");
    }
}

#[tokio::test]
async fn a_pipe_and_an_append_take_any_size_as_well() {
    const LENGTH: usize = 17 * MIB + 3;
    let place = temporary();
    let content = noise(LENGTH);
    fs::write(place.path().join("f"), &content).unwrap();
    // Reads all of it, appends all of it, and writes all of it to standard output.
    let all = |function: &str, file: u32| {
        format!(
            "(local.set $at (i32.const 65536))
             (loop $more
               (call $list-of (local.get $at) (i32.sub (i32.const {}) (local.get $at)))
               (call $must (call ${function} (i32.const {file}) (i32.const 16) (i32.const 1) (i32.const 32)))
               (local.set $at (i32.add (local.get $at) (i32.load (i32.const 32))))
               (br_if $more (i32.lt_u (local.get $at) (i32.const {}))))",
            65536 + LENGTH,
            65536 + LENGTH
        )
    };
    let component = calling(
        300,
        &format!(
            "(call $must (call $open-file (i32.const 0) (i32.const 1))) {} {} {}",
            all("read", 4),
            all("write", 4),
            all("write", 1)
        ),
    );
    let mut command = Command::new(component);
    command.grants(holding(place.path(), Access::ReadWrite));
    let output = run(&command, b"").await;
    assert!(output.status.success(), "{}", output.status);
    assert!(output.stdout == content, "{} bytes", output.stdout.len());
    let file = fs::read(place.path().join("f")).unwrap();
    assert!(file == [&content[..], &content].concat(), "{} bytes", file.len());
}

#[tokio::test]
async fn a_buffer_that_does_not_lie_in_memory_traps_whatever_its_size() {
    let place = temporary();
    fs::write(place.path().join("f"), "content").unwrap();
    for (at, length) in [(65_536 * 300 - 10, 11), (0, 65_536 * 300 + 1), (65_536, -1), (-1, -1)] {
        for function in ["read", "write"] {
            let component = calling(300, &format!(
                "(call $must (call $open-file (i32.const 0) (i32.const 0)))
                 (call $list-of (i32.const {at}) (i32.const {length}))
                 (drop (call ${function} (i32.const 4) (i32.const 16) (i32.const 1) (i32.const 32)))"
            ));
            let status = ends(&component, place.path(), Limits::new()).await;
            assert!(
                matches!(status.termination(), Termination::Trapped(_)),
                "{at} {length}: {status}"
            );
        }
    }
    assert_eq!(fs::read(place.path().join("f")).unwrap(), b"content");
}

#[tokio::test]
async fn a_large_file_is_read_whole_by_the_library_of_a_language() {
    let place = temporary();
    let line = format!("{}\n", "x".repeat(999));
    fs::write(place.path().join("large.txt"), line.repeat(20_000)).unwrap();
    for component in [guest("word-count"), module("word-count")] {
        let mut command = Command::new(component);
        command.arg("/data").grants(holding(place.path(), Access::ReadOnly));
        let output = run(&command, b"").await;
        let said = text(&output.stdout);
        assert!(said.contains(r#""words":20000,"#), "{said}{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn paths_of_one_call_are_bounded() {
    let place = temporary();
    for (limits, length, expected) in [
        // As long as it may be, and so too long for a file system: `nametoolong`.
        (Limits::new(), MIB, Ok(37)),
        (Limits::new(), MIB + 1, Err(Limit::CallBytes)),
        (Limits::new(), u32::MAX as usize, Err(Limit::CallBytes)),
        (Limits::new().call_bytes(8192), 8192, Ok(37)),
        (Limits::new().call_bytes(8192), 8193, Err(Limit::CallBytes)),
    ] {
        let fill = "(memory.fill (i32.const 65536) (i32.const 120) (i32.const 1048577))";
        let length = length as u32;
        for call in [
            format!("(call $unlink (i32.const 3) (i32.const 65536) (i32.const {length}))"),
            // The two of them together.
            format!(
                "(call $rename (i32.const 3) (i32.const 65536) (i32.const {}) (i32.const 3) (i32.const 65536) (i32.const 10))",
                length.wrapping_sub(10)
            ),
        ] {
            let component = calling(40, &format!("{fill} (call $exit {call})"));
            let status = ends(&component, place.path(), limits.clone()).await;
            let expected = match expected {
                Ok(errno) => Termination::Exited(errno),
                Err(limit) => Termination::OutOf(limit),
            };
            assert_eq!(*status.termination(), expected, "{length} {call}");
        }
    }
}

/// Polls so many clocks, each of which is due at once, and exits with what the call answered.
fn polling(count: u32) -> Component {
    calling(100, &format!(
        "(loop $fill
           (i64.store (i32.add (i32.const 65536) (i32.mul (local.get $n) (i32.const 48))) (i64.extend_i32_u (local.get $n)))
           (i32.store (i32.add (i32.const 65552) (i32.mul (local.get $n) (i32.const 48))) (i32.const 1))
           (i64.store (i32.add (i32.const 65560) (i32.mul (local.get $n) (i32.const 48))) (i64.const 1))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $fill (i32.lt_u (local.get $n) (i32.const {count}))))
         (call $must (call $poll (i32.const 65536) (i32.const 3000000) (i32.const {count}) (i32.const 32)))
         (call $is (i32.eqz (i32.load (i32.const 32))) (i32.const 0))"
    ))
}

#[tokio::test]
async fn a_poll_may_wait_for_as_much_as_may_be_open() {
    let place = temporary();
    for count in [1, 2, 255, 256, 512] {
        let status = ends(&polling(count), place.path(), Limits::new()).await;
        assert!(status.success(), "{count}: {status}");
    }
    assert_out_of(&ends(&polling(513), place.path(), Limits::new()).await, Limit::Handles);
    assert_out_of(&ends(&polling(40_000), place.path(), Limits::new()).await, Limit::Handles);
    let few = || Limits::new().handles(16);
    assert!(ends(&polling(16), place.path(), few()).await.success());
    assert_out_of(&ends(&polling(17), place.path(), few()).await, Limit::Handles);
    // And what it says is bounded in bytes: 80 for each.
    let bytes = |bytes| Limits::new().handles(50_000).call_bytes(bytes);
    assert!(ends(&polling(1000), place.path(), bytes(80_000)).await.success());
    assert_out_of(&ends(&polling(1001), place.path(), bytes(80_000)).await, Limit::CallBytes);
}

#[tokio::test]
async fn an_open_that_is_one_too_many_fails_and_the_guest_goes_on() {
    let place = temporary();
    fs::write(place.path().join("f"), "").unwrap();
    // Opens until that fails, polls as much as it may, closes one, and opens one again. Says how many there were.
    let component = calling(
        100,
        "
        (loop $again
          (local.set $at (call $open-file (i32.const 0) (i32.const 0)))
          (if (i32.eqz (local.get $at)) (then
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))))
        (call $is (local.get $at) (i32.const 33))
        (call $is (call $open-file (i32.const 0) (i32.const 0)) (i32.const 33))
        (call $must (call $close (i32.const 5)))
        (call $must (call $open-file (i32.const 0) (i32.const 0)))
        (call $is (call $open-file (i32.const 0) (i32.const 0)) (i32.const 33))
        (call $must (call $renumber (i32.const 6) (i32.const 7)))
        (call $must (call $open-file (i32.const 0) (i32.const 0)))
        (call $is (call $open-file (i32.const 0) (i32.const 0)) (i32.const 33))
        (call $exit (local.get $n))",
    );
    // Standard streams and the directory take four.
    for handles in [16, 100, 200] {
        let status = ends(&component, place.path(), Limits::new().handles(handles)).await;
        assert_eq!(status.code(), Some(handles as i32 - 4), "{status}");
    }
    // A poll does not make room for more.
    let polled = calling(100, "
        (loop $fill
           (i32.store (i32.add (i32.const 65552) (i32.mul (local.get $n) (i32.const 48))) (i32.const 1))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $fill (i32.lt_u (local.get $n) (i32.const 50))))
        (call $must (call $poll (i32.const 65536) (i32.const 3000000) (i32.const 50) (i32.const 32)))
        (local.set $n (i32.const 0))
        (loop $again
          (if (i32.eqz (call $open-file (i32.const 0) (i32.const 0))) (then
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 10000))))))
        (call $exit (local.get $n))");
    let status = ends(&polled, place.path(), Limits::new().handles(50)).await;
    assert_eq!(status.code(), Some(46), "{status}");
    // One that gives up over it is told to be out of handles.
    let gives_up = calling(
        1,
        "(loop $again
        (if (call $open-file (i32.const 0) (i32.const 0)) (then unreachable)) (br $again))",
    );
    assert_out_of(&ends(&gives_up, place.path(), Limits::new()).await, Limit::Handles);
}

#[tokio::test]
async fn listings_count_as_handles_and_make_way() {
    let place = temporary();
    for n in 0..50 {
        fs::create_dir(place.path().join(format!("a-directory-of-a-name-{n}"))).unwrap();
    }
    fs::create_dir(place.path().join("f")).unwrap();
    // Opens a directory, lists a part of it, and does so again until no more can be opened. All is closed and listed again.
    let component = calling(1, "
        (loop $again
          (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 2) (i32.const 1) (i32.const 2)
              (i64.const 0x4000) (i64.const 0) (i32.const 0) (i32.const 24))) (then
            (drop (call $list (i32.load (i32.const 24)) (i32.const 1024) (i32.const 200) (i64.const 0) (i32.const 32)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))))
        (call $is (call $list (i32.const 3) (i32.const 1024) (i32.const 200) (i64.const 0) (i32.const 32)) (i32.const 33))
        (call $must (call $close (i32.const 4))) (call $must (call $close (i32.const 5)))
        (call $must (call $list (i32.const 3) (i32.const 1024) (i32.const 200) (i64.const 9) (i32.const 32)))
        (call $is (i32.load (i32.const 32)) (i32.const 200))
        (call $must (call $renumber (i32.const 6) (i32.const 7)))
        (call $must (call $list (i32.const 7) (i32.const 1024) (i32.const 200) (i64.const 0) (i32.const 32)))
        (call $is (call $list (i32.const 6) (i32.const 1024) (i32.const 200) (i64.const 0) (i32.const 32)) (i32.const 8))
        (call $exit (local.get $n))");
    let status = ends(&component, place.path(), Limits::new().handles(100)).await;
    assert_eq!(status.code(), Some(96), "{status}");
}

/// Names in a large directory: listed anew for each piece, they would take more than a minute.
const NAMES: usize = 20_000;

#[tokio::test]
async fn a_large_directory_is_listed_in_pieces_that_go_on() {
    // In memory, where making so many files takes no time.
    let place = tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| temporary());
    for n in 0..NAMES {
        fs::write(place.path().join(format!("a-name-as-files-have-them-{n}")), "").unwrap();
    }
    let language = |name| load(&wasi_sidecar_guests::language(name, "fs-probe").unwrap());
    for component in [guest("fs-probe"), module("fs-probe"), language("c"), language("go")] {
        let mut command = Command::new(component);
        command.args(["list", "/data"]).grants(holding(place.path(), Access::ReadOnly));
        let said = text(&run(&command, b"").await.stdout);
        let outcome: serde_json::Value = serde_json::from_str(&said).expect(&said);
        assert_eq!(outcome["value"].as_array().map(Vec::len), Some(NAMES));
    }
}

#[tokio::test]
async fn a_cookie_far_from_the_last_one_does_not_keep_a_guest_from_its_end() {
    let place = tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| temporary());
    for n in 0..NAMES {
        fs::write(place.path().join(format!("{n}")), "").unwrap();
    }
    // Each call passes over all of the names but a few, to and fro.
    let component = calling(4, "(loop $again
        (call $must (call $list (i32.const 3) (i32.const 1024) (i32.const 100) (i64.const 19000) (i32.const 32)))
        (call $must (call $list (i32.const 3) (i32.const 1024) (i32.const 100) (i64.const 18000) (i32.const 32)))
        (br $again))");
    let limits = Limits::new().time(Duration::from_millis(100));
    assert_out_of(&ends(&component, place.path(), limits).await, Limit::Time);
    let limits = Limits::new().cpu_time(Duration::from_millis(100));
    assert_out_of(&ends(&component, place.path(), limits).await, Limit::CpuTime);
}
