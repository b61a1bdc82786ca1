//! Each WebAssembly proposal by a program of its own: what `inspect` says of it is what `run` does.

use std::path::Path;

use crate::support::{args, cli, wat};

/// A program whose `_start` has this body, with these declarations before it.
fn module(declarations: &str, body: &str) -> String {
    format!(
        r#"(module (memory (export "memory") 1) {declarations} (func (export "_start") {body}))"#
    )
}

/// A command component that has this in it as well.
fn component(text: &str) -> String {
    format!(
        r#"(component {text}
            (core module $main (func (export "run") (result i32) i32.const 0))
            (core instance $main (instantiate $main))
            (func $run (result (result)) (canon lift (core func $main "run")))
            (component $shim (import "f" (func $f (result (result)))) (export "run" (func $f)))
            (instance $run (instantiate $shim (with "f" (func $run))))
            (export "wasi:cli/run@0.2.0" (instance $run)))"#
    )
}

/// What `inspect` says about whether it runs.
fn told(file: &Path) -> String {
    let ran = cli(args!["inspect", file]).ended(0);
    let line = ran.text().lines().find(|line| line.trim_start().starts_with("runs"));
    line.unwrap().trim_start().trim_start_matches("runs").trim().to_owned()
}

#[test]
fn what_is_on_runs_and_inspect_says_so() {
    let is = |value: &str, expected: i32| {
        format!("(if (i32.ne {value} (i32.const {expected})) (then unreachable))")
    };
    let atomics = format!(
        "(drop (i32.atomic.rmw.add (i32.const 0) (i32.const 7))) {} \
         (atomic.fence) (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))",
        is("(i32.atomic.load (i32.const 0))", 7)
    );
    let rows = [
        ("atomics", module("", &atomics)),
        (
            "tail calls",
            module(
                "(func $down (param i32) (result i32)
                   (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
                   (return_call $down (i32.sub (local.get 0) (i32.const 1))))
                 (type $t (func (param i32) (result i32))) (table funcref (elem $down))
                 (func $indirect (result i32)
                   (return_call_indirect (type $t) (i32.const 9) (i32.const 0)))",
                &format!(
                    "{}{}",
                    is("(call $down (i32.const 1000000))", 5),
                    is("(call $indirect)", 5)
                ),
            ),
        ),
        (
            "exceptions",
            module(
                "(tag $t (param i32))",
                &is(
                    "(block $h (result i32) (try_table (catch $t $h) (throw $t (i32.const 3))) (i32.const 0))",
                    3,
                ),
            ),
        ),
        (
            "several memories",
            module(
                "(memory $b 1)",
                &format!(
                    "(i32.store $b (i32.const 0) (i32.const 4)) {}",
                    is("(i32.load $b (i32.const 0))", 4)
                ),
            ),
        ),
        (
            "extended constants",
            module(
                "(global $g i32 (i32.add (i32.const 2) (i32.const 3)))",
                &is("(global.get $g)", 5),
            ),
        ),
        ("SIMD", module("", &is("(i32x4.extract_lane 1 (i32x4.splat (i32.const 6)))", 6))),
        (
            "bulk memory, reference types and several values",
            module(
                "(table $t 1 funcref) (func $two (result i32 i32) (i32.const 1) (i32.const 2))",
                &format!(
                    "(memory.fill (i32.const 0) (i32.const 9) (i32.const 4)) \
                     (table.set $t (i32.const 0) (ref.null func)) (drop (call $two)) drop {} {}",
                    is("(i32.load8_u (i32.const 3))", 9),
                    is("(i32.extend8_s (i32.trunc_sat_f32_s (f32.const 255)))", -1)
                )
                .replace("(drop (call $two)) drop", "(call $two) drop drop"),
            ),
        ),
        ("a component", component("")),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (what, text) in rows {
        let file = wat(folder.path(), "on.wasm", &text);
        assert_eq!(told(&file), "yes", "{what}");
        cli(args!["run", "--no-cache", file]).ended(0);
    }
}

#[test]
fn a_wait_on_memory_that_is_not_shared_is_a_fault_of_the_guest() {
    let folder = tempfile::tempdir().unwrap();
    for wait in [
        "(memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))",
        "(memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const -1))",
    ] {
        let file = wat(folder.path(), "wait.wasm", &module("", &format!("(drop {wait})")));
        assert_eq!(told(&file), "yes");
        cli(args!["run", "--no-cache", file]).ended(134).said("wait");
    }
}

#[test]
fn what_is_off_is_refused_with_a_reason_and_a_remedy_and_inspect_says_the_same() {
    let rows = [
        (
            "legacy exceptions",
            module("(tag $t)", "try throw $t catch $t end"),
            "`wasm-opt --translate-to-exnref`",
        ),
        ("memory64", module("(memory i64 1)", ""), "wasm32"),
        (
            "relaxed SIMD",
            module("", "(drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))"),
            "without `relaxed-simd`",
        ),
        (
            "stack switching",
            module(
                "(type $f (func)) (type $c (cont $f)) (func $g) (elem declare func $g)",
                "(drop (cont.new $c (ref.func $g)))",
            ),
            "Asyncify",
        ),
        (
            "shared-everything threads",
            module("(global (shared mut i32) (i32.const 0))", ""),
            "without threads",
        ),
        ("custom page sizes", module("(memory 1 (pagesize 1))", ""), "64 KiB"),
        (
            "wide arithmetic",
            module(
                "",
                "(i64.add128 (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)) drop drop",
            ),
            "without `wide-arithmetic`",
        ),
        (
            "memory control",
            module("", "(memory.discard (i32.const 0) (i32.const 0))"),
            "without `memory-control`",
        ),
        (
            "component-model async",
            component("(type $s (stream u8)) (core func (canon stream.new $s))"),
            "without WASI 0.3 imports",
        ),
        (
            "component-model error contexts",
            component(
                r#"(core module $m (memory (export "m") 1)) (core instance $i (instantiate $m))
                (core func (canon error-context.new (memory (core memory $i "m"))))"#,
            ),
            "without WASI 0.3 imports",
        ),
        ("lists of a fixed length", component("(type (list u8 4))"), "tools for WASI 0.2"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, text, remedy) in rows {
        let file = wat(folder.path(), "off.wasm", &text);
        let said = told(&file);
        let phrase = format!(" that uses {name}, wh");
        assert!(said.starts_with("no: it is a ") && said.contains(&phrase), "{name}: {said}");
        assert!(said.contains(remedy), "{name}: {said}");
        let reason = said.trim_start_matches("no: ");
        for trust in ["--no-cache", "--trust"] {
            cli(args!["run", trust, file]).ended(125).said(reason).said("`off.wasm`");
        }
    }
}

#[test]
fn two_proposals_at_once_are_both_named_and_damage_is_no_proposal() {
    let folder = tempfile::tempdir().unwrap();
    // Without names, so that the function is the last thing in the file.
    let both = module("(memory i64 1) (tag)", "try throw 0 catch 0 end");
    let file = wat(folder.path(), "both.wasm", &both);
    let said = told(&file);
    assert!(said.contains("memory64") && said.contains("legacy exceptions"), "{said}");

    // The end of the block becomes a `drop` of nothing, beside something that is off.
    let mut damaged = std::fs::read(&file).unwrap();
    let at = damaged.len() - 2;
    assert_eq!(damaged[at..], [0x0b, 0x0b]);
    damaged[at] = 0x1a;
    let file = folder.path().join("damaged.wasm");
    std::fs::write(&file, damaged).unwrap();
    let said = told(&file);
    assert!(said.starts_with("no: it is WebAssembly that is damaged inside"), "{said}");
    cli(args!["run", "--no-cache", file]).ended(125).said("damaged inside");
}

#[test]
fn threads_and_functions_that_nobody_has_are_told_before_anything_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let import = |text: &str| {
        format!(r#"(module {text} (memory (export "memory") 1) (func (export "_start")))"#)
    };
    let rows = [
        (
            r#"(module (import "env" "memory" (memory 1 2 shared)) (func (export "_start")))"#.to_owned(),
            "for several threads",
        ),
        (
            import(r#"(import "wasi" "thread-spawn" (func (param i32) (result i32)))"#),
            "for several threads",
        ),
        (
            import(r#"(import "wasi_snapshot_preview1" "sock_open" (func (param i32) (result i32)))"#),
            "imports `wasi_snapshot_preview1::sock_open`, which is no function of WASI 0.1",
        ),
        (
            r#"(component (import "wasi:cli/stdin@0.3.0" (instance)) (instance $i)
              (export "wasi:cli/run@0.2.0" (instance $i)) (export "wasi:cli/run@0.3.0" (instance $i)))"#
                .to_owned(),
            "for WASI 0.3 that imports `wasi:cli/stdin@0.3.0`",
        ),
    ];
    for (text, said) in rows {
        let file = wat(folder.path(), "none.wasm", &text);
        assert!(told(&file).contains(said), "{}", told(&file));
        // Nothing was compiled: that is something `--verbose` would tell.
        let ran = cli(args!["--verbose", "run", "--no-cache", file]).ended(125).said(said);
        assert!(!ran.stderr.contains("compiled"), "{}", ran.stderr);
    }
}
