//! Each limit bites, and a guest just under it lives.

use std::time::Duration;

use wasi_sidecar::{
    Access, Command, Component, ErrorKind, ExitStatus, Limit, Limits, LoadOptions, Termination,
};

use crate::support::{guest, holding, module, soon, temporary, text, wat};

async fn ends(component: Component, args: &[&str], limits: Limits) -> ExitStatus {
    let mut command = Command::new(component);
    let output = soon(command.args(args).limits(limits).output()).await.unwrap();
    output.status
}

#[track_caller]
fn assert_out_of(status: &ExitStatus, limit: Limit) {
    assert_eq!(*status.termination(), Termination::OutOf(limit));
    assert_eq!((status.code(), status.signal()), (None, Some(9)));
}

#[tokio::test]
async fn time_ends_a_guest_in_any_state() {
    let limits = || Limits::new().time(Duration::from_millis(80));
    for (name, args) in
        [("spin", &[][..]), ("sleep", &["60000"]), ("flood", &["stdout", "forever"])]
    {
        for component in [guest(name), module(name)] {
            let mut command = Command::new(component);
            let mut child = command.args(args).limits(limits()).spawn().unwrap();
            assert_out_of(&soon(child.wait()).await.unwrap(), Limit::Time);
        }
    }
    let place = temporary();
    let mut command = Command::new(guest("spin"));
    command.limits(limits()).grants(holding(place.path(), Access::ReadOnly));
    assert_out_of(&soon(command.spawn().unwrap().wait()).await.unwrap(), Limit::Time);

    let under = Limits::new().time(Duration::from_secs(60));
    assert!(ends(guest("sleep"), &["1"], under).await.success());
}

#[tokio::test]
async fn cpu_time_counts_computing_and_not_waiting() {
    let limits = || Limits::new().cpu_time(Duration::from_millis(60));
    for component in [guest("spin"), module("spin")] {
        assert_out_of(&ends(component, &[], limits()).await, Limit::CpuTime);
    }
    // It waits three times as long as it may compute.
    assert!(ends(guest("sleep"), &["180"], limits()).await.success());
}

#[tokio::test]
async fn memory_is_refused_and_a_guest_that_cannot_live_with_that_ends() {
    let limits = || Limits::new().memory(32 << 20);
    for component in [guest("memory-hog"), module("memory-hog")] {
        // One that asks politely is told no, and goes on.
        let mut command = Command::new(component.clone());
        let output = soon(command.limits(limits()).output()).await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stdout);
        assert!(said.contains("refused at 3") || said.contains("refused at 2"), "{said}");
        // One that does not check faults over it.
        assert_out_of(&ends(component.clone(), &["--abort"], limits()).await, Limit::Memory);
        assert!(ends(component, &["20"], limits()).await.success(), "20 of 32 MiB");
    }
}

#[tokio::test]
async fn all_memories_count_together() {
    let grow = |first: u32, second: u32| {
        wat(&format!(
            r#"(module (memory (export "memory") 1) (memory $other 1)
                 (func (export "_start")
                   (if (i32.eq (memory.grow 0 (i32.const {first})) (i32.const -1)) (then unreachable))
                   (if (i32.eq (memory.grow $other (i32.const {second})) (i32.const -1)) (then unreachable))))"#
        ))
    };
    let limits = || Limits::new().memory(100 * 65_536);
    assert!(ends(grow(49, 49), &[], limits()).await.success());
    assert_out_of(&ends(grow(49, 50), &[], limits()).await, Limit::Memory);
}

#[tokio::test]
async fn a_guest_that_starts_too_large_does_not_start() {
    let component = wat(r#"(module (memory (export "memory") 200) (func (export "_start")))"#);
    let limits = Limits::new().memory(100 * 65_536);
    assert_out_of(&ends(component.clone(), &[], limits).await, Limit::Memory);
    assert!(ends(component, &[], Limits::new()).await.success());
}

#[tokio::test]
async fn table_elements_count_together() {
    let grow = |first: u32, second: u32| {
        wat(&format!(
            r#"(module (memory (export "memory") 1) (table $a 0 funcref) (table $b 0 funcref)
                 (func (export "_start")
                   (if (i32.eq (table.grow $a (ref.null func) (i32.const {first})) (i32.const -1)) (then unreachable))
                   (if (i32.eq (table.grow $b (ref.null func) (i32.const {second})) (i32.const -1)) (then unreachable))))"#
        ))
    };
    let limits = || Limits::new().table_elements(1000);
    assert!(ends(grow(500, 500), &[], limits()).await.success());
    assert_out_of(&ends(grow(500, 501), &[], limits()).await, Limit::TableElements);
}

#[tokio::test]
async fn instances_are_bounded() {
    let component = |count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        let text = format!(
            r#"(component
                 (core module $m (func))
                 (core module $main (func (export "run") (result i32) (i32.const 0)))
                 {instances}
                 (core instance $i (instantiate $main))
                 (func $run (result (result)) (canon lift (core func $i "run")))
                 (instance $exports (export "run" (func $run)))
                 (export "wasi:cli/run@0.2.0" (instance $exports)))"#
        );
        wat(&text)
    };
    let limits = || Limits::new().instances(10).memory(1 << 20);
    assert!(ends(component(5), &[], limits()).await.success());
    assert_out_of(&ends(component(12), &[], limits()).await, Limit::Instances);
}

#[tokio::test]
async fn open_handles_are_bounded_and_the_host_keeps_its_own() {
    let place = temporary();
    std::fs::write(place.path().join("f"), "").unwrap();
    // Opens the same file again and again, never closes it, and gives up when it can have no more.
    let component = wat(r#"(module
             (import "wasi_snapshot_preview1" "path_open"
               (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
             (memory (export "memory") 1)
             (data (i32.const 0) "f")
             (func (export "_start") (local $n i32)
               (loop $again
                 (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
                   (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 16)) (then unreachable))
                 (local.set $n (i32.add (local.get $n) (i32.const 1)))
                 (br_if $again (i32.lt_u (local.get $n) (i32.const 300))))))"#);
    let run = async |handles| {
        let mut command = Command::new(component.clone());
        command.limits(Limits::new().handles(handles));
        command.grants(holding(place.path(), Access::ReadOnly));
        soon(command.spawn().unwrap().wait()).await.unwrap()
    };
    assert!(run(400).await.success());
    assert_out_of(&run(100).await, Limit::Handles);
    std::fs::File::open(place.path().join("f")).expect("the host can still open files");
}

#[tokio::test]
async fn random_bytes_of_one_call_are_bounded() {
    let component = |length: u32| {
        wat(&format!(
            r#"(module
                 (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
                 (memory (export "memory") 64)
                 (func (export "_start")
                   (if (call $random (i32.const 0) (i32.const {length})) (then unreachable))))"#
        ))
    };
    assert!(ends(component(65_536), &[], Limits::new()).await.success());
    assert_out_of(&ends(component(65_537), &[], Limits::new()).await, Limit::RandomBytes);
    assert!(ends(component(65_537), &[], Limits::new().random_bytes(65_537)).await.success());
}

#[tokio::test]
async fn bytes_of_one_call_are_bounded() {
    // Calls `exit` of the environment interface's neighbour with a list as long as asked for: writes it to
    // standard output, which takes what `check-write` allowed and no more.
    let component = |length: u32| {
        wat(&format!(
            r#"(component
                 (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
                 (alias export $error "error" (type $err))
                 (import "wasi:io/streams@0.2.0" (instance $streams
                   (alias outer 1 $err (type $e))
                   (export "error" (type $error (eq $e)))
                   (export "output-stream" (type $out (sub resource)))
                   (type $failed (variant (case "last-operation-failed" (own $error)) (case "closed")))
                   (export "stream-error" (type $stream-error (eq $failed)))
                   (export "[method]output-stream.write"
                     (func (param "self" (borrow $out)) (param "contents" (list u8))
                       (result (result (error $stream-error)))))))
                 (alias export $streams "output-stream" (type $output))
                 (import "wasi:cli/stdout@0.2.0" (instance $stdout
                   (alias outer 1 $output (type $o))
                   (export "output-stream" (type $out (eq $o)))
                   (export "get-stdout" (func (result (own $out))))))
                 (core module $memory (memory (export "memory") 64))
                 (core instance $mem (instantiate $memory))
                 (core func $get (canon lower (func $stdout "get-stdout")))
                 (core func $write (canon lower (func $streams "[method]output-stream.write")
                   (memory (core memory $mem "memory"))))
                 (core module $main
                   (import "host" "get" (func $get (result i32)))
                   (import "host" "write" (func $write (param i32 i32 i32 i32)))
                   (func (export "run") (result i32)
                     (call $write (call $get) (i32.const 0) (i32.const {length}) (i32.const 0))
                     (i32.const 0)))
                 (core instance $host (export "get" (func $get)) (export "write" (func $write)))
                 (core instance $i (instantiate $main (with "host" (instance $host))))
                 (func $run (result (result)) (canon lift (core func $i "run")))
                 (instance $exports (export "run" (func $run)))
                 (export "wasi:cli/run@0.2.0" (instance $exports)))"#
        ))
    };
    let limits = || Limits::new().call_bytes(10_000);
    let status = ends(component(8_000), &[], limits()).await;
    assert!(status.success(), "{status}");
    assert_out_of(&ends(component(12_000), &[], limits()).await, Limit::CallBytes);
    // Without the lower limit the same bytes go through.
    assert!(ends(component(12_000), &[], Limits::new()).await.success());
}

#[tokio::test]
async fn memories_and_tables_are_bounded_in_number() {
    let component = |memories: usize, tables: usize| {
        let memories = "(memory 1)".repeat(memories - 1);
        let tables = "(table 1 funcref)".repeat(tables);
        wat(&format!(
            r#"(module (memory (export "memory") 1) {memories} {tables} (func (export "_start")))"#
        ))
    };
    assert!(ends(component(8, 64), &[], Limits::new()).await.success());
    for (memories, tables, limit) in [(9, 1, Limit::Memories), (1, 65, Limit::Tables)] {
        assert_out_of(&ends(component(memories, tables), &[], Limits::new()).await, limit);
    }
    let more = Limits::new().memories(9).tables(65);
    assert!(ends(component(9, 65), &[], more).await.success());
}

#[tokio::test]
async fn guests_at_once_are_bounded() {
    use wasi_sidecar::{Engine, EngineConfig};

    let engine = Engine::new(&EngineConfig::new().max_guests(3)).unwrap();
    let wasm = std::fs::read(wasi_sidecar_guests::component("echo").unwrap()).unwrap();
    let command = Command::new(Component::load(&engine, wasm, LoadOptions::new()).unwrap());
    let mut children: Vec<_> = (0..3).map(|_| command.spawn().unwrap()).collect();
    let error = command.spawn().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("max_guests"), "{error}");
    assert!(soon(children.remove(0).wait()).await.unwrap().success());
    command.spawn().expect("there is room again");
}

#[tokio::test]
async fn a_fault_after_a_refusal_is_still_a_fault() {
    let component = wat(r#"(module (memory (export "memory") 1)
             (func $deep (call $deep))
             (func (export "_start")
               (drop (memory.grow (i32.const 65000)))
               (call $deep)))"#);
    let status = ends(component, &[], Limits::new()).await;
    assert!(matches!(status.termination(), Termination::Trapped(_)), "{status}");
}

#[tokio::test]
async fn the_stack_is_as_large_as_it_was_asked_for() {
    use wasi_sidecar::{Engine, EngineConfig};

    // Four thousand calls deep, with a few words in each frame.
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1)
             (func $down (param i32) (result i32)
               (if (result i32) (local.get 0)
                 (then (i32.add (local.get 0) (call $down (i32.sub (local.get 0) (i32.const 1)))))
                 (else (i32.const 0))))
             (func (export "_start") (drop (call $down (i32.const 4000)))))"#,
    )
    .unwrap();
    for (stack, fits) in [(64 << 10, false), (1 << 20, true)] {
        let engine = Engine::new(&EngineConfig::new().guest_stack(stack)).unwrap();
        let component = Component::load(&engine, wasm.clone(), LoadOptions::new()).unwrap();
        let status = ends(component, &[], Limits::new()).await;
        assert_eq!(status.success(), fits, "{stack} bytes: {status}");
    }
    for stack in [0, 1000, 1 << 30] {
        let error = Engine::new(&EngineConfig::new().guest_stack(stack)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
}

#[tokio::test]
async fn limits_that_cannot_be_honoured_are_refused_before_anything_runs() {
    let mut command = Command::new(guest("echo"));
    let error = command.limits(Limits::new().memory(1)).spawn().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}
