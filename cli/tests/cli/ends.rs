//! `run`: guests that do not end by themselves.

use crate::support::{args, cli, collect, component, module, program, wat};

#[test]
fn a_trap_is_told_with_the_call_stack() {
    let folder = tempfile::tempdir().unwrap();
    let file = wat(
        folder.path(),
        "boom.wasm",
        r#"(module (memory (export "memory") 1)
            (func $boom unreachable) (func $middle call $boom)
            (func $start (export "_start") call $middle))"#,
    );
    let ran = cli(args!["run", file]).ended(134);
    insta::assert_snapshot!(ran.stderr, @r"
    error: the guest trapped: wasm `unreachable` instruction executed
      0: boom
      1: middle
      2: start
    ");
}

#[test]
fn what_was_written_before_a_trap_arrives() {
    for file in [component("trap"), module("trap")] {
        let ran = cli(args!["run", file, "--", "before"]).ended(134);
        assert_eq!(ran.text(), "before");
        ran.said("error: the guest trapped: ").said("\n  0: ");
    }
    let ran = cli(args!["run", component("trap"), "--", "--recursion"]).ended(134);
    ran.said("call stack exhausted");
}

#[test]
fn limits_on_time_end_an_endless_loop() {
    for (option, text) in [
        ("--time", "ran out of time, which is limited to 300ms by `--time`"),
        ("--cpu-time", "ran out of CPU time, which is limited to 300ms by `--cpu-time`"),
    ] {
        for file in [component("spin"), module("spin")] {
            let ran = cli(args!["run", option, "300ms", file]).ended(124).said(text);
            assert_eq!(ran.text(), "spinning\n");
        }
    }
}

#[test]
fn a_limit_that_few_need_is_told_with_its_option() {
    let run = |tables: &str| {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"(module (memory (export "memory") 1) (table 1 funcref) (table 1 funcref)
            (func (export "_start")))"#;
        let file = wat(folder.path(), "tables.wasm", text);
        cli(args!["run", "--tables", tables, file])
    };
    run("1").ended(137).said("the guest ran out of tables; raise the limit with `--tables`");
    run("2").ended(0);
}

#[test]
fn a_limit_on_time_ends_a_guest_that_waits() {
    let mut child = program(args!["run", "--time", "300ms", component("echo")]).spawn().unwrap();
    let stdin = child.stdin.take();
    collect(child).ended(124);
    drop(stdin);
}

#[test]
fn a_limit_on_memory_ends_a_guest_that_faults_over_it() {
    let ran = cli(args!["run", "--memory", "32MiB", component("memory-hog"), "--", "--abort"]);
    let ran = ran.ended(137).said("the guest ran out of memory, which is limited to 32.0 MiB");
    assert!(ran.text().starts_with("held 1 MiB\n") && !ran.text().contains("held 32 MiB"));

    // One that takes the refusal well ends as it likes.
    let ran = cli(args!["run", "--memory", "32MiB", component("memory-hog")]).ended(1);
    assert!(ran.text().contains("refused at"), "{}", ran.text());
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_guest() {
    use std::io::Read as _;

    for (guest, start) in [("spin", "spinning\n"), ("flood", "abcd")] {
        let mut child = program(args!["run", component(guest)]).spawn().unwrap();
        let mut bytes = vec![0; start.len()];
        child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, start.as_bytes());
        let pid = child.id().to_string();
        let kill = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(kill.success());
        assert_eq!(collect(child).ended(130).stderr, "", "{guest}");
    }
}
