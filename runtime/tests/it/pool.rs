//! The pool of places: what one guest leaves there, who gets one, and who does without.

use wasi_sidecar::{Command, Component, Engine, EngineConfig, ErrorKind, Limits, LoadOptions};

use crate::support::soon;

fn engine(places: usize) -> Engine {
    Engine::new(&EngineConfig::new().pooled_guests(places)).unwrap()
}

/// A module that exits with 1 if anything is in its memory, and fills it.
fn leaves_something(byte: u8) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (table $table 8 funcref)
            (elem declare func $exit)
            (func (export "_start") (local $at i32)
              (drop (memory.grow (i32.const 63)))
              (loop $look
                (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (call $exit (i32.const 1))))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $look (i32.lt_u (local.get $at) (i32.const 4194304))))
              (if (i32.eqz (ref.is_null (table.get $table (i32.const 7)))) (then (call $exit (i32.const 2))))
              (memory.fill (i32.const 0) (i32.const {byte}) (i32.const 4194304))
              (table.set $table (i32.const 7) (ref.func $exit))))"#
    );
    wat::parse_str(text).unwrap()
}

/// More than the address space holds.
const TOO_MANY: usize = 10_000_000;

#[test]
fn places_that_were_asked_for_are_there_or_it_is_an_error() {
    let config = EngineConfig::new().max_guests(TOO_MANY);
    let error = Engine::new(&config.clone().pooled_guests(TOO_MANY)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains("`EngineConfig::pooled_guests`"), "{error}");
    // There are never more guests than may run, and so many places are enough.
    Engine::new(&config.clone().max_guests(4).pooled_guests(TOO_MANY)).unwrap();
    Engine::new(&config).unwrap();
}

#[tokio::test]
async fn a_place_is_made_anew_for_the_next_guest() {
    let engine = engine(1);
    // The same artifact gets the same memory again, and others get it in turn: there are eight for one guest.
    let components: Vec<_> = (1..=3)
        .map(|byte| Component::load(&engine, leaves_something(byte), LoadOptions::new()).unwrap())
        .collect();
    for round in 0..12 {
        for component in &components {
            let status = soon(Command::new(component.clone()).output()).await.unwrap().status;
            assert_eq!(status.code(), Some(0), "round {round}: {status}");
        }
    }
}

#[tokio::test]
async fn guests_without_a_place_run_all_the_same() {
    for places in [0, 1, 4] {
        let engine = engine(places);
        let echo = std::fs::read(wasi_sidecar_guests::component("echo").unwrap()).unwrap();
        let command = Command::new(Component::load(&engine, echo, LoadOptions::new()).unwrap());
        let mut children: Vec<_> = (0..4).map(|_| command.spawn().unwrap()).collect();
        // All four are alive at once, so no place has been given back.
        for child in &mut children {
            let mut answer = [0; 3];
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            child.stdin.as_mut().unwrap().write_all(b"yes").await.unwrap();
            soon(child.stdout.as_mut().unwrap().read_exact(&mut answer)).await.unwrap();
            assert_eq!(&answer, b"yes", "{places} places");
        }
        for mut child in children {
            assert!(soon(child.wait()).await.unwrap().success());
        }
    }
}

#[tokio::test]
async fn what_is_larger_than_a_place_has_memory_of_its_own() {
    let engine = engine(1);
    let memories = "(memory 1)".repeat(8);
    let text =
        format!(r#"(module (memory (export "memory") 1) {memories} (func (export "_start")))"#);
    let component =
        Component::load(&engine, wat::parse_str(text).unwrap(), LoadOptions::new()).unwrap();
    let mut command = Command::new(component);
    command.limits(Limits::new().memories(9));
    assert!(soon(command.output()).await.unwrap().status.success());
    // Allowed more than a place holds, whether it needs it or not.
    let small = Component::load(&engine, leaves_something(1), LoadOptions::new()).unwrap();
    let mut command = Command::new(small);
    command.limits(Limits::new().table_elements(1_000_000));
    assert!(soon(command.output()).await.unwrap().status.success());
}
