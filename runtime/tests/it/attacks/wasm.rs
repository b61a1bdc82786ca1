//! Programs written as text: a few lines of their own, and around them the imports that all of them share.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use wasi_sidecar::{
    Child, Command, Component, Error, ErrorKind, ExitStatus, Limits, LoadOptions, Termination,
};

use crate::support::{engine, soon};

/// What a kill may take in any state.
const SOON: Duration = Duration::from_millis(200);

/// A component. Its parts are text of core WebAssembly unless said.
pub(super) struct Parts<'a> {
    /// Functions of the main module; one of them is exported as `run`.
    pub(super) body: &'a str,
    /// The allocator that the host calls to hand over lists.
    pub(super) realloc: &'a str,
    /// Pages of memory.
    pub(super) pages: u32,
    /// Text of a component, before the main module: types and functions of its own.
    pub(super) own: &'a str,
    /// Imports of the main module from `host`, of what is given to it.
    pub(super) imports: &'a str,
    /// What the main module is given of those, as `(export "name" (func $name))`.
    pub(super) given: &'a str,
    /// Options of the lifting of `run`.
    pub(super) lift: &'a str,
    pub(super) encoding: &'a str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            body: "",
            realloc: r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                (local.set $at (global.get $next))
                (global.set $next (i32.and
                  (i32.add (i32.add (local.get $at) (local.get 3)) (i32.const 7)) (i32.const -8)))
                (local.get $at))"#,
            pages: 64,
            own: "",
            imports: "",
            given: "",
            lift: "",
            encoding: "string-encoding=utf8",
        }
    }
}

/// A component whose `run` has this body: `$say` has written "ready", and results go to 2048.
pub(super) fn calling(body: &str) -> Vec<u8> {
    component(&Parts { body: &running(body), ..Parts::default() })
}

/// The function `run`, of these instructions, that then succeeds.
pub(super) fn running(body: &str) -> String {
    format!(
        r#"(func (export "run") (result i32) (local $n i32) (local $p i32) (local $i i32) (call $say) {body}
             (i32.const 0))"#
    )
}

pub(super) fn component(parts: &Parts<'_>) -> Vec<u8> {
    let Parts { body, realloc, pages, own, imports, given, lift, encoding } = parts;
    let memory = r#"(memory (core memory $libc "memory"))"#;
    let list = format!(r#"{memory} (realloc (core func $libc "realloc"))"#);
    let text = format!(
        r#"(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type $e (sub resource)))
    (export "[method]error.to-debug-string" (func (param "self" (borrow $e)) (result string)))))
  (alias export $error "error" (type $error-type))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error-type (type $e)) (alias outer 1 $pollable (type $q))
    (export "error" (type $error (eq $e)))
    (export "pollable" (type $pollable (eq $q)))
    (export "input-stream" (type $in (sub resource)))
    (export "output-stream" (type $out (sub resource)))
    (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failed)))
    (export "[method]input-stream.read" (func (param "self" (borrow $in)) (param "len" u64)
      (result (result (list u8) (error $stream-error)))))
    (export "[method]input-stream.blocking-read" (func (param "self" (borrow $in)) (param "len" u64)
      (result (result (list u8) (error $stream-error)))))
    (export "[method]input-stream.skip" (func (param "self" (borrow $in)) (param "len" u64)
      (result (result u64 (error $stream-error)))))
    (export "[method]input-stream.subscribe" (func (param "self" (borrow $in)) (result (own $pollable))))
    (export "[method]output-stream.check-write" (func (param "self" (borrow $out))
      (result (result u64 (error $stream-error)))))
    (export "[method]output-stream.write" (func (param "self" (borrow $out)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (export "[method]output-stream.write-zeroes" (func (param "self" (borrow $out)) (param "len" u64)
      (result (result (error $stream-error)))))
    (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $out))
      (param "contents" (list u8)) (result (result (error $stream-error)))))
    (export "[method]output-stream.subscribe" (func (param "self" (borrow $out)) (result (own $pollable))))
    (export "[method]output-stream.splice" (func (param "self" (borrow $out)) (param "src" (borrow $in))
      (param "len" u64) (result (result u64 (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input)) (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input (type $i)) (export "input-stream" (type $in (eq $i)))
    (export "get-stdin" (func (result (own $in))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output (type $o)) (export "output-stream" (type $out (eq $o)))
    (export "get-stdout" (func (result (own $out))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $output (type $o)) (export "output-stream" (type $out (eq $o)))
    (export "get-stderr" (func (result (own $out))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $q)) (export "pollable" (type $pollable (eq $q)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))
    (type $code (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
      "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused" "connection-reset"
      "connection-aborted" "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
      "permanent-resolver-failure"))
    (export "error-code" (type (eq $code)))))
  (alias export $network "network" (type $net)) (alias export $network "error-code" (type $code))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance-network
    (alias outer 1 $net (type $n)) (export "network" (type $network (eq $n)))
    (export "instance-network" (func (result (own $network))))))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $lookup
    (alias outer 1 $net (type $n)) (alias outer 1 $code (type $c))
    (export "network" (type $network (eq $n)))
    (export "error-code" (type $error-code (eq $c)))
    (export "resolve-address-stream" (type $found (sub resource)))
    (export "resolve-addresses" (func (param "network" (borrow $network)) (param "name" string)
      (result (result (own $found) (error $error-code)))))))

  (core func $now (canon lower (func $clock "now")))
  (core func $exit (canon lower (func $exit "exit")))
  (core instance $clocks (export "now" (func $now)) (export "exit" (func $exit)))
  (core module $alloc
    (import "host" "now" (func $now (result i64)))
    (import "host" "exit" (func $exit (param i32)))
    (memory (export "memory") {pages})
    (global $next (mut i32) (i32.const 65536))
    {realloc})
  (core instance $libc (instantiate $alloc (with "host" (instance $clocks))))

  (core func $ready (canon lower (func $poll "[method]pollable.ready")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $poll-all (canon lower (func $poll "poll") {list}))
  (core func $read (canon lower (func $streams "[method]input-stream.read") {list}))
  (core func $blocking-read (canon lower (func $streams "[method]input-stream.blocking-read") {list}))
  (core func $skip (canon lower (func $streams "[method]input-stream.skip") {memory}))
  (core func $await-in (canon lower (func $streams "[method]input-stream.subscribe")))
  (core func $check-write (canon lower (func $streams "[method]output-stream.check-write") {memory}))
  (core func $write (canon lower (func $streams "[method]output-stream.write") {memory}))
  (core func $write-zeroes (canon lower (func $streams "[method]output-stream.write-zeroes") {memory}))
  (core func $blocking-write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") {memory}))
  (core func $await-out (canon lower (func $streams "[method]output-stream.subscribe")))
  (core func $splice (canon lower (func $streams "[method]output-stream.splice") {memory}))
  (core func $get-stdin (canon lower (func $stdin "get-stdin")))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $get-stderr (canon lower (func $stderr "get-stderr")))
  (core func $after (canon lower (func $clock "subscribe-duration")))
  (core func $random (canon lower (func $random "get-random-bytes") {list}))
  (core func $instance-network (canon lower (func $instance-network "instance-network")))
  (core func $resolve (canon lower (func $lookup "resolve-addresses") {memory} {encoding}))
  (core func $drop-pollable (canon resource.drop $pollable))
  (core func $drop-in (canon resource.drop $input))
  (core func $drop-out (canon resource.drop $output))
  {own}

  (core module $main
    (import "host" "now" (func $now (result i64)))
    (import "host" "ready" (func $ready (param i32) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "poll" (func $poll (param i32 i32 i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (import "host" "blocking-read" (func $blocking-read (param i32 i64 i32)))
    (import "host" "skip" (func $skip (param i32 i64 i32)))
    (import "host" "await-in" (func $await-in (param i32) (result i32)))
    (import "host" "check-write" (func $check-write (param i32 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "write-zeroes" (func $write-zeroes (param i32 i64 i32)))
    (import "host" "blocking-write" (func $blocking-write (param i32 i32 i32 i32)))
    (import "host" "await-out" (func $await-out (param i32) (result i32)))
    (import "host" "splice" (func $splice (param i32 i32 i64 i32)))
    (import "host" "get-stdin" (func $get-stdin (result i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "get-stderr" (func $get-stderr (result i32)))
    (import "host" "exit" (func $exit (param i32)))
    (import "host" "after" (func $after (param i64) (result i32)))
    (import "host" "random" (func $random (param i64 i32)))
    (import "host" "instance-network" (func $instance-network (result i32)))
    (import "host" "resolve" (func $resolve (param i32 i32 i32 i32)))
    (import "host" "drop-pollable" (func $drop-pollable (param i32)))
    (import "host" "drop-in" (func $drop-in (param i32)))
    (import "host" "drop-out" (func $drop-out (param i32)))
    (import "libc" "memory" (memory {pages}))
    {imports}
    (data (i32.const 1024) "ready\n")
    (func $say (call $blocking-write (call $get-stdout) (i32.const 1024) (i32.const 6) (i32.const 2048)))
    {body})
  (core instance $host
    (export "now" (func $now)) (export "ready" (func $ready)) (export "block" (func $block))
    (export "poll" (func $poll-all)) (export "read" (func $read)) (export "blocking-read" (func $blocking-read))
    (export "skip" (func $skip)) (export "await-in" (func $await-in)) (export "check-write" (func $check-write))
    (export "write" (func $write)) (export "write-zeroes" (func $write-zeroes))
    (export "blocking-write" (func $blocking-write)) (export "await-out" (func $await-out))
    (export "splice" (func $splice)) (export "get-stdin" (func $get-stdin)) (export "get-stdout" (func $get-stdout))
    (export "get-stderr" (func $get-stderr)) (export "exit" (func $exit)) (export "after" (func $after)) (export "random" (func $random))
    (export "instance-network" (func $instance-network)) (export "resolve" (func $resolve))
    (export "drop-pollable" (func $drop-pollable)) (export "drop-in" (func $drop-in))
    (export "drop-out" (func $drop-out)) {given})
  (core instance $guest (instantiate $main (with "host" (instance $host)) (with "libc" (instance $libc))))
  (func $run (result (result)) (canon lift (core func $guest "run") {lift}))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $exports)))"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A preview1 module: `$say` writes "ready", and results go to 2048.
pub(super) fn module(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $set-size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $write-at (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_set_times" (func $set-times (param i32 i32 i32 i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 64)
  (data (i32.const 1000) "\00\04\00\00\06\00\00\00") (data (i32.const 1024) "ready\n")
  (func $say (drop (call $write (i32.const 1) (i32.const 1000) (i32.const 1) (i32.const 2048))))
  {body})"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A preview1 module whose `_start` has this body.
pub(super) fn starting(body: &str) -> Vec<u8> {
    module(&format!(r#"(func (export "_start") (local $n i32) (local $i i32) {body})"#))
}

/// An end, in the words of the report.
pub(super) fn end(status: &ExitStatus) -> String {
    match status.termination() {
        Termination::Exited(code) => format!("exit {code}"),
        Termination::Trapped(text) => {
            format!("trap: {}", text.lines().next().unwrap_or_default())
        }
        Termination::OutOf(limit) => format!("out of {limit}"),
        Termination::Killed => "killed".into(),
        other => other.to_string(),
    }
}

/// An error before anything ran, likewise.
pub(super) fn refused(error: &Error) -> String {
    assert!(error.to_string().len() <= 4096 && error.chain().len() <= 4096, "a long refusal");
    let kind = match error.kind() {
        ErrorKind::NotFound => "not found",
        ErrorKind::NotWasm => "not WebAssembly",
        ErrorKind::Damaged => "damaged",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Digest => "digest",
        ErrorKind::Grant => "grant",
        ErrorKind::Limit => "limit",
        ErrorKind::Compile => "compile",
        ErrorKind::InvalidInput => "invalid input",
        ErrorKind::Closed => "closed",
        ErrorKind::Io => "input or output",
        other => return format!("refused: {other:?}"),
    };
    format!("refused: {kind}")
}

/// The same, of one that should name what is in the way.
pub(super) fn naming(error: &Error, what: &str) -> String {
    let told = refused(error);
    match error.chain().contains(what) {
        true => format!("{told}, naming {what}"),
        false => format!("{told}: {}", error.chain()),
    }
}

pub(super) fn load(wasm: &[u8]) -> Result<Component, Error> {
    Component::load(engine(), wasm.to_vec(), LoadOptions::new())
}

/// How it ends with these limits; its output is thrown away.
pub(super) async fn ends_with(wasm: Vec<u8>, limits: Limits) -> String {
    match load(&wasm) {
        Ok(component) => ends(Command::new(component).limits(limits)).await,
        Err(error) => refused(&error),
    }
}

/// How it ends with the limits there are.
pub(super) async fn ends_by_itself(wasm: Vec<u8>) -> String {
    ends_with(wasm, Limits::new()).await
}

/// How a command ends.
pub(super) async fn ends(command: &Command) -> String {
    match soon(command.output()).await {
        Ok(output) => end(&output.status),
        Err(error) => refused(&error),
    }
}

/// Starts it, and returns when it has said that it is ready.
pub(super) async fn ready(command: &Command) -> Child {
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{}", error.chain()));
    let mut heard = [0; 6];
    let said = soon(child.stdout.as_mut().unwrap().read_exact(&mut heard)).await;
    if said.is_err() || heard != *b"ready\n" {
        let status = soon(child.wait()).await;
        panic!("it did not come that far: {status:?}");
    }
    child
}

/// Starts it, kills it when it is ready and at work, and says how it ended.
pub(super) async fn killed(wasm: Vec<u8>) -> String {
    let component = load(&wasm).unwrap_or_else(|error| panic!("{}", error.chain()));
    killed_while(Command::new(component).limits(Limits::new().memory(512 << 20))).await
}

/// Killed while it is at work, and soon: at the latest of three times, since other things run on the machine as well.
pub(super) async fn killed_while(command: &Command) -> String {
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let mut child = ready(command).await;
        // It has said so before it begins.
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(3)).await;
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        }
        let since = Instant::now();
        let end = kill(&mut child).await;
        shortest = shortest.min(since.elapsed());
        if shortest < SOON || end != "killed" {
            return end;
        }
    }
    format!("killed, but after {shortest:?}")
}

pub(super) async fn kill(child: &mut Child) -> String {
    // Far beyond what it takes: it tells late from never.
    match tokio::time::timeout(Duration::from_secs(2), child.kill()).await {
        Ok(done) => done.unwrap(),
        Err(_) => return "still there after two seconds".into(),
    }
    end(&soon(child.wait()).await.unwrap())
}
