//! The choice between a component and its native fallback.

use wasi_sidecar::{
    ArtifactSource, Backend, Component, Digest, ErrorKind, LoadOptions, NativeProgram, Sidecar,
    When, ambient_authority,
};

use crate::support::{engine, guest, native, run, text, wat};

fn missing() -> wasi_sidecar::Result<Component> {
    let dir = wasi_sidecar::Dir::open_ambient_dir(".", ambient_authority()).unwrap();
    Component::load(engine(), ArtifactSource::file(&dir, "no-such-file.wasm"), LoadOptions::new())
}

fn pinned(digest: Digest) -> wasi_sidecar::Result<Component> {
    let wasm = std::fs::read(wasi_sidecar_guests::component("echo").unwrap()).unwrap();
    Component::load(engine(), wasm, LoadOptions::new().pin(digest))
}

fn unsupported() -> wasi_sidecar::Result<Component> {
    Component::load(engine(), wat::parse_str("(module)").unwrap(), LoadOptions::new())
}

fn damaged() -> wasi_sidecar::Result<Component> {
    Component::load(engine(), &b"\0asm\x01\0\0\0\x99"[..], LoadOptions::new())
}

fn fallback() -> NativeProgram {
    native("echo")
}

#[test]
fn the_backend_is_chosen_as_the_table_says() {
    use Backend::{Component as Wasm, Native};

    let other = Digest::of(b"other bytes");
    let rows: [(&str, Sidecar, Result<Backend, ErrorKind>); 11] = [
        ("component", Sidecar::new("s", Ok(guest("echo"))), Ok(Wasm)),
        (
            "with a fallback",
            Sidecar::new("s", Ok(guest("echo"))).native(fallback(), When::Unavailable),
            Ok(Wasm),
        ),
        (
            "always native",
            Sidecar::new("s", Ok(guest("echo"))).native(fallback(), When::Always),
            Ok(Native),
        ),
        ("missing", Sidecar::new("s", missing()), Err(ErrorKind::NotFound)),
        (
            "missing, never",
            Sidecar::new("s", missing()).native(fallback(), When::Never),
            Err(ErrorKind::NotFound),
        ),
        (
            "missing, fallback",
            Sidecar::new("s", missing()).native(fallback(), When::Unavailable),
            Ok(Native),
        ),
        ("unsupported", Sidecar::new("s", unsupported()), Err(ErrorKind::Unsupported)),
        (
            "unsupported, fallback",
            Sidecar::new("s", unsupported()).native(fallback(), When::Unavailable),
            Ok(Native),
        ),
        (
            "damaged, fallback",
            Sidecar::new("s", damaged()).native(fallback(), When::Unavailable),
            Err(ErrorKind::Damaged),
        ),
        ("wrong digest", Sidecar::new("s", pinned(other)), Err(ErrorKind::Digest)),
        (
            "wrong digest, fallback",
            Sidecar::new("s", pinned(other)).native(fallback(), When::Unavailable),
            Err(ErrorKind::Digest),
        ),
    ];
    for (name, sidecar, expected) in rows {
        let found = sidecar.backend().map_err(|error| {
            assert!(error.to_string().contains("the sidecar `s`"), "{error}");
            error.kind()
        });
        assert_eq!(found, expected, "{name}");
        assert_eq!(
            sidecar.command().map(drop).map_err(|error| error.kind()),
            expected.map(drop),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_component_that_cannot_run_here_is_replaced_once_that_is_known() {
    // In order, and needs a proposal that is off; that is only found out when it is to be compiled.
    let memory64 = || wat(r#"(module (memory (export "memory") i64 1) (func (export "_start")))"#);
    let sidecar = Sidecar::new("s", Ok(memory64())).native(fallback(), When::Unavailable);
    assert_eq!(sidecar.backend().unwrap(), Backend::Component, "not known yet");
    sidecar.preload().await.unwrap();
    assert_eq!(sidecar.backend().unwrap(), Backend::Native);
    let alone = Sidecar::new("s", Ok(memory64()));
    assert_eq!(alone.preload().await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_component_that_is_damaged_inside_is_never_replaced() {
    let damaged = wat(r#"(module (memory (export "memory") 1) (func (export "_start") (drop)))"#);
    let sidecar = Sidecar::new("s", Ok(damaged)).native(fallback(), When::Unavailable);
    assert_eq!(sidecar.preload().await.unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(sidecar.backend().unwrap_err().kind(), ErrorKind::Damaged);
}

#[tokio::test]
async fn both_backends_answer_alike() {
    for when in [When::Never, When::Always] {
        let sidecar = Sidecar::new("s", Ok(guest("echo"))).native(fallback(), when);
        let output = run(&sidecar.command().unwrap(), b"same").await;
        assert_eq!(text(&output.stdout), "same");
    }
}

#[tokio::test]
async fn a_native_program_that_is_missing_is_named() {
    let program = NativeProgram::new("/no/such/program", ambient_authority());
    let error = wasi_sidecar::Command::new(program).spawn().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}
