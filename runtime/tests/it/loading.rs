//! Loading: what a file has to be, and what is said when it is not.

use wasi_sidecar::{
    ArtifactKind, ArtifactSource, Command, Component, Digest, Dir, Engine, EngineConfig, ErrorKind,
    LoadOptions, ambient_authority,
};

use crate::support::{engine, guest, module, soon, temporary};

#[test]
fn what_is_no_sidecar_is_refused_by_name_and_reason() {
    let place = temporary();
    let write = |name: &str, bytes: &[u8]| std::fs::write(place.path().join(name), bytes).unwrap();
    let good = std::fs::read(wasi_sidecar_guests::component("echo").unwrap()).unwrap();
    write("empty.wasm", b"");
    write("text.wasm", b"hello, I am no program");
    write("wat.wasm", b"(module)");
    write("cut.wasm", &good[..good.len() / 2]);
    write("core.wasm", &wat::parse_str("(module)").unwrap());
    write("program.wasm", &std::fs::read(wasi_sidecar_guests::native("echo").unwrap()).unwrap());
    std::fs::create_dir(place.path().join("directory.wasm")).unwrap();
    let dir = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();

    let rows = [
        ("empty.wasm", ErrorKind::NotWasm, "empty"),
        ("text.wasm", ErrorKind::NotWasm, "text"),
        ("wat.wasm", ErrorKind::NotWasm, "text form"),
        ("cut.wasm", ErrorKind::Damaged, "breaks off"),
        ("core.wasm", ErrorKind::Unsupported, "without a WASI entry point"),
        ("directory.wasm", ErrorKind::NotWasm, "directory"),
        ("missing.wasm", ErrorKind::NotFound, "missing.wasm"),
        ("../outside.wasm", ErrorKind::Io, "outside.wasm"),
        #[cfg(target_os = "linux")]
        ("program.wasm", ErrorKind::NotWasm, "native executable"),
    ];
    for (name, kind, part) in rows {
        let error = Component::load(engine(), ArtifactSource::file(&dir, name), LoadOptions::new())
            .expect_err(name);
        assert_eq!(error.kind(), kind, "{name}: {}", error.chain());
        assert!(error.to_string().contains(part), "{name}: {error}");
        assert!(error.to_string().contains(name), "{error} does not name {name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_fifo_is_refused_without_waiting_for_a_writer() {
    let place = temporary();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let path = place.path().join("fifo.wasm");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let dir = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    let error =
        Component::load(engine(), ArtifactSource::file(&dir, "fifo.wasm"), LoadOptions::new())
            .unwrap_err();
    assert!(error.to_string().contains("no regular file"), "{error}");
}

#[test]
fn an_artifact_over_the_limit_is_not_read() {
    let engine = Engine::new(&EngineConfig::new().max_artifact_size(1000)).unwrap();
    let path = wasi_sidecar_guests::component("echo").unwrap();
    let dir = Dir::open_ambient_dir(path.parent().unwrap(), ambient_authority()).unwrap();
    let error =
        Component::load(&engine, ArtifactSource::file(&dir, "echo.wasm"), LoadOptions::new())
            .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let error = Component::load(&engine, vec![0; 1001], LoadOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn guests_are_what_they_are() {
    let component = guest("fs-probe");
    assert_eq!(component.artifact().kind(), ArtifactKind::CommandComponent);
    assert_eq!(component.artifact().wasi(), Some("0.2"));
    assert_eq!(component.name(), "fs-probe");
    // The C library below std imports sockets together with files; they are linked and refuse every call.
    assert!(matches!(component.artifact().world(), Some("files" | "sockets")));
    let module = module("fs-probe");
    assert_eq!(module.artifact().kind(), ArtifactKind::CommandModule);
    assert_eq!(module.artifact().wasi(), Some("0.1"));
    assert_eq!(module.artifact().world(), Some("files"));
}

#[test]
fn a_pin_holds_for_these_bytes_only() {
    let wasm = |name: &str| std::fs::read(wasi_sidecar_guests::component(name).unwrap()).unwrap();
    let (echo, upper) = (Digest::of(&wasm("echo")), Digest::of(&wasm("upper")));
    let load = |pin| Component::load(engine(), wasm("echo"), LoadOptions::new().pin(pin));
    assert_eq!(load(echo).unwrap().artifact().digest(), echo);
    let error = load(upper).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Digest);
    for digest in [echo, upper] {
        assert!(error.to_string().contains(&digest.to_string()), "{error}");
    }
}

#[tokio::test]
async fn eight_at_once_compile_once() {
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let wasm = std::fs::read(wasi_sidecar_guests::component("upper").unwrap()).unwrap();
    let component = Component::load(&engine, wasm, LoadOptions::new()).unwrap();
    let children: Vec<_> =
        (0..8).map(|_| Command::new(component.clone()).spawn().unwrap()).collect();
    for child in children {
        let output = crate::support::finish(child, b"a").await;
        assert_eq!(output.stdout, b"A");
    }
    assert!(component.is_compiled());
    soon(component.compile()).await.unwrap();
}

#[tokio::test]
async fn a_proposal_that_is_off_is_named() {
    let rows = [
        (r#"(memory (export "memory") 1 1 shared)"#, "several threads"),
        (r#"(memory (export "memory") i64 1)"#, "memory64"),
        (r#"(memory (export "memory") 1) (type $s (struct))"#, "garbage collection"),
    ];
    for (declaration, proposal) in rows {
        let text = format!(r#"(module {declaration} (func (export "_start")))"#);
        let error =
            match Component::load(engine(), wat::parse_str(text).unwrap(), LoadOptions::new()) {
                Ok(component) => soon(component.compile()).await.unwrap_err(),
                Err(error) => error,
            };
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{proposal}: {}", error.chain());
        assert!(error.to_string().contains(proposal), "{error}");
    }
}

#[tokio::test]
async fn machine_code_can_be_made_for_here_and_elsewhere() {
    let component = guest("args");
    let here = component.precompile(None).unwrap();
    assert!(here.len() > 10_000);
    let error = component.precompile(Some("no-such-machine")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    // Given as an artifact it is refused: it does not come from a place that is authenticated.
    let error = Component::load(engine(), here, LoadOptions::new()).unwrap_err();
    assert!(error.to_string().contains("compiled ahead of time"), "{error}");
}
