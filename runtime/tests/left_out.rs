//! The library without its compiler: code that was made ahead of time runs, and anything else is refused in words.
//!
//! `cargo xtask test` makes the code with the command line, which has the compiler, and then builds this.

#![cfg(not(feature = "compiler"))]

use std::{fs, path::PathBuf};

use wasi_sidecar::{
    CodeLabel, CodeOrigin, Command, Component, Digest, Engine, EngineConfig, ErrorKind, LoadOptions,
};

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn wasm() -> Vec<u8> {
    fs::read(wasi_sidecar_guests::component("args").unwrap()).unwrap()
}

fn load(options: LoadOptions) -> Component {
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    Component::load(&engine, wasm(), options).unwrap()
}

/// What `wasi-sidecar compile` has written, and what an application has in its executable beside it.
fn made(wasm: &[u8]) -> (Vec<u8>, CodeLabel) {
    let target = wasi_sidecar_guests::directory();
    let path: PathBuf = target.parent().unwrap().join("left-out/args.code");
    let code = fs::read(path).expect("`cargo xtask test rust` makes it");
    let (artifact, engine) = (Digest::of(wasm), Digest::of(b"one with a compiler"));
    let label = format!("{TARGET} {artifact} {engine} {}", Digest::of(&code));
    (code, label.parse().unwrap())
}

#[tokio::test]
async fn code_made_ahead_of_time_runs() {
    let (code, label) = made(&wasm());
    let component = load(LoadOptions::new().code(code, label));
    let output = Command::new(component.clone()).arg("x").output().await.unwrap();
    assert_eq!(output.stdout, b"x\n");
    assert_eq!(component.code_origin(), Some(CodeOrigin::AheadOfTime));
}

#[tokio::test]
async fn what_was_changed_or_never_made_is_refused() {
    let (mut code, label) = made(&wasm());
    code[64] ^= 1;
    for component in [load(LoadOptions::new().code(code, label)), load(LoadOptions::new())] {
        let error = Command::new(component).output().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.chain());
        assert!(error.chain().contains("without the compiler"), "{}", error.chain());
    }
}
