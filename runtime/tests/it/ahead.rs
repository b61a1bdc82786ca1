//! Code made ahead of time: loaded if it is what the application says it is, and otherwise as if it were not there.

use wasi_sidecar::{
    ArtifactSource, CodeLabel, CodeOrigin, Command, Component, Dir, Engine, EngineConfig,
    ErrorKind, LoadOptions, ambient_authority,
};

use crate::support::{finish, temporary};

/// This machine, as far as code is concerned.
const TARGET: &str = if cfg!(target_arch = "aarch64") {
    if cfg!(target_os = "macos") { "aarch64-apple-darwin" } else { "aarch64-unknown-linux-gnu" }
} else if cfg!(target_os = "macos") {
    "x86_64-apple-darwin"
} else if cfg!(windows) {
    "x86_64-pc-windows-msvc"
} else {
    "x86_64-unknown-linux-gnu"
};

fn load_bytes(name: &str) -> Vec<u8> {
    std::fs::read(wasi_sidecar_guests::component(name).unwrap()).unwrap()
}

fn load(name: &str) -> Component {
    load_as(name, LoadOptions::new())
}

fn load_as(name: &str, options: LoadOptions) -> Component {
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    Component::load(&engine, load_bytes(name), options).unwrap()
}

fn load_with(name: &str, code: impl Into<ArtifactSource>, label: CodeLabel) -> Component {
    load_as(name, LoadOptions::new().code(code, label))
}

fn made(target: &str) -> (Vec<u8>, CodeLabel) {
    load("upper").precompile_labelled(target).unwrap()
}

/// Where the code of a component came from, which has to work in any case.
async fn origin(component: Component) -> CodeOrigin {
    let child = Command::new(component.clone()).spawn().unwrap();
    assert_eq!(finish(child, b"a").await.stdout, b"A");
    component.code_origin().unwrap()
}

#[tokio::test]
async fn code_that_fits_is_loaded_from_memory_and_from_a_file() {
    let (code, label) = made(TARGET);
    assert_eq!((label.target(), label.artifact()), (TARGET, load("upper").artifact().digest()));
    assert!(label.is_current(&label.artifact(), TARGET).unwrap());
    let place = temporary();
    std::fs::write(place.path().join("upper.code"), &code).unwrap();
    let dir = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    let from_file = load_with("upper", ArtifactSource::file(&dir, "upper.code"), label.clone());
    assert_eq!(origin(from_file).await, CodeOrigin::AheadOfTime);
    assert_eq!(origin(load_with("upper", code, label)).await, CodeOrigin::AheadOfTime);
}

#[tokio::test]
async fn code_that_is_not_what_the_label_says_is_never_loaded() {
    let (code, label) = made(TARGET);
    for bit in [0, code.len() * 4, code.len() * 8 - 1] {
        let mut altered = code.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let component = load_with("upper", altered, label.clone());
        assert_eq!(origin(component).await, CodeOrigin::Compiled, "bit {bit}");
    }
    for cut in [0, 1, code.len() / 2, code.len() - 1] {
        let component = load_with("upper", code[..cut].to_vec(), label.clone());
        assert_eq!(origin(component).await, CodeOrigin::Compiled, "{cut} bytes");
    }
    let place = temporary();
    let dir = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    let missing = load_with("upper", ArtifactSource::file(&dir, "upper.code"), label);
    assert_eq!(origin(missing).await, CodeOrigin::Compiled);
}

#[tokio::test]
async fn code_for_another_artifact_engine_or_machine_is_not_loaded() {
    let (code, label) = made(TARGET);
    // A label is a line of the application's, so that any can be made; one that names another engine is older.
    let line = label.to_string();
    let parts: Vec<&str> = line.split(' ').collect();
    let other = load("echo").artifact().digest().to_string();
    for changed in [1, 2] {
        let mut parts = parts.clone();
        parts[changed] = &other;
        let label: CodeLabel = parts.join(" ").parse().unwrap();
        let component = load_with("upper", code.clone(), label);
        assert_eq!(origin(component).await, CodeOrigin::Compiled, "part {changed}");
    }
    // Honest code of another machine, with its own label.
    let elsewhere = if cfg!(target_arch = "x86_64") {
        "aarch64-apple-darwin"
    } else {
        "x86_64-pc-windows-msvc"
    };
    match load("upper").precompile_labelled(elsewhere) {
        Ok((code, label)) => {
            let component = load_with("upper", code, label);
            assert_eq!(origin(component).await, CodeOrigin::Compiled);
        }
        // Without the feature `all-targets` it cannot be made here either.
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}"),
    }
}
