//! What all tests need: one engine, the guests, and a place for files.

use std::{path::Path, sync::OnceLock, time::Duration};

use wasi_sidecar::{
    Access, ArtifactSource, Child, CodeCache, Command, Component, Dir, Engine, EngineConfig,
    Grants, LoadOptions, NativeProgram, Output, ambient_authority,
};

/// Longest a test waits for something that must come. Far beyond what it takes, so that it only ever decides
/// between slow and never.
pub(crate) const NEVER: Duration = Duration::from_secs(60);

/// The engine of this test process, with a code cache that all test processes share.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let target = wasi_sidecar_guests::directory();
        let place = target.parent().unwrap().join("test-code-cache");
        let cache =
            CodeCache::open(&place.join("code"), &place.join("keys"), ambient_authority()).unwrap();
        Engine::new(&EngineConfig::new().code_cache(cache)).unwrap()
    })
}

/// A Rust guest as a component.
pub(crate) fn guest(name: &str) -> Component {
    load(&wasi_sidecar_guests::component(name).unwrap_or_else(|error| panic!("{error}")))
}

/// A Rust guest as a preview1 module.
pub(crate) fn module(name: &str) -> Component {
    load(&wasi_sidecar_guests::module(name).unwrap_or_else(|error| panic!("{error}")))
}

/// A Rust guest for this machine.
pub(crate) fn native(name: &str) -> NativeProgram {
    let path = wasi_sidecar_guests::native(name).unwrap_or_else(|error| panic!("{error}"));
    NativeProgram::new(path, ambient_authority())
}

pub(crate) fn load(path: &Path) -> Component {
    let dir = Dir::open_ambient_dir(path.parent().unwrap(), ambient_authority()).unwrap();
    Component::load(
        engine(),
        ArtifactSource::file(&dir, path.file_name().unwrap()),
        LoadOptions::new(),
    )
    .unwrap_or_else(|error| panic!("{}", error.chain()))
}

/// A program written as text.
pub(crate) fn wat(text: &str) -> Component {
    Component::load(engine(), wat::parse_str(text).unwrap(), LoadOptions::new()).unwrap()
}

pub(crate) fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Holds `host` as `/data`.
pub(crate) fn holding(host: &Path, access: Access) -> Grants {
    Grants::new().dir(host, "/data", access, ambient_authority()).unwrap()
}

/// Runs to the end with this input.
pub(crate) async fn run(command: &Command, stdin: &[u8]) -> Output {
    let child = command.spawn().unwrap_or_else(|error| panic!("{}", error.chain()));
    finish(child, stdin).await
}

/// Feeds the child, collects its output, and waits.
pub(crate) async fn finish(mut child: Child, stdin: &[u8]) -> Output {
    use tokio::io::AsyncWriteExt;

    let input = child.stdin.take();
    let feed = async {
        if let Some(mut input) = input {
            // A child that does not read all of its input is no failure of the test.
            let _ = input.write_all(stdin).await;
            let _ = input.shutdown().await;
        }
    };
    let both = async { tokio::join!(feed, child.wait_with_output()).1 };
    soon(both).await.unwrap_or_else(|error| panic!("{}", error.chain()))
}

/// Fails instead of hanging.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, future).await.expect("came within a minute")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
