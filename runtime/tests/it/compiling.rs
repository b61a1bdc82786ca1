//! Compiling: how far it is told to be, who goes first, and what a caller that gives up leaves behind.

use wasi_sidecar::{
    CodeOrigin, Command, Component, Engine, EngineConfig, ErrorKind, LoadOptions, Program, Sidecar,
    Status, When,
};

use crate::support::{finish, native, soon};

fn engine() -> Engine {
    Engine::new(&EngineConfig::new()).unwrap()
}

fn upper(engine: &Engine) -> Component {
    let wasm = std::fs::read(wasi_sidecar_guests::component("upper").unwrap()).unwrap();
    Component::load(engine, wasm, LoadOptions::new()).unwrap()
}

/// A module of so many functions, each of which keeps the compiler busy.
fn module(functions: usize) -> Vec<u8> {
    let body =
        "(local.set 0 (i32.mul (local.get 0) (i32.add (local.get 0) (i32.const 7))))".repeat(200);
    let functions =
        format!("(func (param i32) (result i32) {body} (local.get 0))").repeat(functions);
    let text =
        format!(r#"(module (memory (export "memory") 1) {functions} (func (export "_start")))"#);
    wat::parse_str(text).unwrap()
}

/// Every status there is until the end, as words.
async fn statuses(component: &Component) -> Vec<String> {
    let mut watch = component.watch_status();
    let mut seen = vec![format!("{:?}", watch.current())];
    let compiling = component.compile();
    let watching = async {
        while let Some(status) = watch.changed().await {
            let text = format!("{status:?}");
            seen.push(text.split(['(', ' ']).next().unwrap().to_owned());
            if status.is_final() {
                break;
            }
        }
    };
    let _ = soon(async { tokio::join!(watching, compiling) }).await;
    seen
}

#[tokio::test]
async fn a_component_tells_how_far_its_code_is() {
    let component = Component::load(&engine(), module(250), LoadOptions::new()).unwrap();
    assert!(matches!(component.status(), Status::NotAsked));
    let before = std::time::Instant::now();
    let mut watch = component.watch_status();
    let mut child = Command::new(component.clone()).spawn().unwrap();
    let since = loop {
        match soon(watch.changed()).await.unwrap() {
            Status::Queued => {}
            Status::Compiling { since } => break since,
            other => panic!("{other:?}"),
        }
    };
    assert!(since >= before && since.elapsed() <= before.elapsed());
    assert!(matches!(soon(watch.changed()).await, Some(Status::Ready(CodeOrigin::Compiled))));
    assert!(matches!(component.status(), Status::Ready(CodeOrigin::Compiled)));
    child.kill().await.unwrap();
}

#[tokio::test]
async fn one_that_cannot_be_compiled_says_why() {
    let wasm =
        wat::parse_str(r#"(module (memory (export "memory") i64 1) (func (export "_start")))"#);
    let component = Component::load(&engine(), wasm.unwrap(), LoadOptions::new()).unwrap();
    let seen = statuses(&component).await;
    assert_eq!(seen.last().unwrap(), "Failed", "{seen:?}");
    match component.status() {
        Status::Failed(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn changes_outlive_a_caller_that_gives_up_but_not_the_component() {
    let component = upper(&engine());
    let mut watch = component.watch_status();
    {
        // Polled once, then dropped: the change it would have given is not lost.
        let changed = watch.changed();
        tokio::pin!(changed);
        tokio::select! {
            biased;
            _ = &mut changed => panic!("nothing has changed"),
            () = std::future::ready(()) => {}
        }
    }
    soon(component.compile()).await.unwrap();
    assert!(matches!(soon(watch.changed()).await, Some(Status::Ready(_))));
    drop(component);
    // The thread that compiled may hold it for a moment more.
    assert!(soon(watch.changed()).await.is_none());
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_stop_the_compiling() {
    let component = upper(&engine());
    let mut watch = component.watch_status();
    tokio::select! {
        biased;
        _ = component.compile() => panic!("it takes longer than one look"),
        () = std::future::ready(()) => {}
    }
    while !soon(watch.changed()).await.unwrap().is_final() {}
    assert!(component.is_compiled());
}

#[tokio::test]
async fn a_small_one_does_not_wait_for_large_ones() {
    let engine = engine();
    let large = [module(500), module(501)]
        .map(|wasm| Component::load(&engine, wasm, LoadOptions::new()).unwrap());
    let preloads = large.clone().map(|one| tokio::spawn(async move { one.compile().await }));
    let mut watch = large[0].watch_status();
    while !matches!(large[0].status(), Status::Compiling { .. })
        && !matches!(large[1].status(), Status::Compiling { .. })
    {
        soon(watch.changed()).await;
    }
    let small = upper(&engine);
    let output = finish(Command::new(small).spawn().unwrap(), b"a").await;
    assert_eq!(output.stdout, b"A");
    let ready = large.iter().filter(|one| one.is_compiled()).count();
    assert!(ready < 2, "both large ones were compiled before a small one");
    for preload in preloads {
        soon(preload).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_sidecar_tells_what_its_component_does() {
    let component = upper(&engine());
    let sidecar = Sidecar::new("upper", Ok(component));
    let mut watch = sidecar.watch_status().unwrap();
    assert!(matches!(sidecar.status(), Status::NotAsked));
    soon(sidecar.preload()).await.unwrap();
    assert!(matches!(sidecar.status(), Status::Ready(CodeOrigin::Compiled)));
    assert!(matches!(soon(watch.changed()).await, Some(Status::Ready(_))));

    let fallback = || native("upper");
    let missing = Component::load(&engine(), "no wasm".as_bytes(), LoadOptions::new());
    let broken = Sidecar::new("upper", missing).native(fallback(), When::Unavailable);
    assert!(matches!(broken.status(), Status::Failed(_)), "{:?}", broken.status());
    assert!(broken.watch_status().is_none());
    let native = Sidecar::always_native("upper", fallback());
    assert!(matches!(native.status(), Status::Native));
    assert!(matches!(native.command().unwrap().program(), Program::Native(_)));
}
