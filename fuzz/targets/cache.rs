//! The code cache: an entry that was altered on disk is never loaded, and one that was not always is.
//!
//! Machine code that is loaded runs outside the sandbox, so this is where a file decides whether there is one.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "what is on disk is altered from outside")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wasi_sidecar::{
    CodeCache, CodeOrigin, Command, Component, Engine, EngineConfig, LoadOptions, ambient_authority,
};

/// What is done to the file, one after the other.
#[derive(Arbitrary, Debug)]
enum Change {
    Flip {
        at: u32,
        bits: u8,
    },
    Truncate {
        length: u32,
    },
    Append {
        bytes: Vec<u8>,
    },
    Remove {
        at: u32,
        count: u8,
    },
    Insert {
        at: u32,
        bytes: Vec<u8>,
    },
    Header {
        bytes: [u8; 40],
    },
    /// Another entry of the same cache, whole or its first bytes.
    Other {
        length: u32,
    },
}

struct Place {
    _root: TempDir,
    engine: Engine,
    runtime: Runtime,
    wasm: Vec<u8>,
    /// The entry of this artifact, and what is in it.
    file: PathBuf,
    good: Vec<u8>,
    /// The content of another artifact's entry.
    other: Vec<u8>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let root = tempfile::tempdir().expect("a temporary directory");
    let (code, keys) = (root.path().join("code"), root.path().join("keys"));
    let cache = CodeCache::open(&code, &keys, ambient_authority()).expect("a cache");
    let engine = Engine::new(&EngineConfig::new().code_cache(cache)).expect("an engine");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let made = |exit: u32| {
        let wasm = wat::parse_str(format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const {exit}))))"#
        ));
        let wasm = wasm.expect("it is WebAssembly");
        let before = entries(&code);
        let origin = runtime.block_on(origin(&engine, &wasm));
        assert_eq!(origin, CodeOrigin::Compiled);
        let new = entries(&code).into_iter().find(|entry| !before.contains(entry));
        let file = new.expect("compiled code is kept");
        let content = fs::read(&file).expect("an entry");
        (wasm, file, content)
    };
    let (wasm, file, good) = made(7);
    let (_, _, other) = made(8);
    Place { _root: root, engine, runtime, wasm, file, good, other }
});

fuzz_target!(|changes: Vec<Change>| {
    let place = &*PLACE;
    let mut bytes = place.good.clone();
    for change in &changes {
        alter(&mut bytes, change, &place.other);
    }
    fs::write(&place.file, &bytes).expect("an entry can be written");
    let origin = place.runtime.block_on(origin(&place.engine, &place.wasm));
    let untouched = bytes == place.good;
    assert_eq!(origin, if untouched { CodeOrigin::Cache } else { CodeOrigin::Compiled });
    // What was refused has been made anew, and is the same again.
    assert!(fs::read(&place.file).expect("an entry") == place.good, "it is not repaired");
});

/// Loads the artifact, says where its code came from, and sees that it is the artifact's.
async fn origin(engine: &Engine, wasm: &[u8]) -> CodeOrigin {
    let component =
        Component::load(engine, wasm.to_vec(), LoadOptions::new()).expect("a command module");
    component.compile().await.expect("it compiles");
    let status = Command::new(component.clone()).status().await.expect("it runs");
    assert!(matches!(status.code(), Some(7 | 8)), "{status}");
    component.code_origin().expect("compiled by now")
}

fn alter(bytes: &mut Vec<u8>, change: &Change, other: &[u8]) {
    // A place in the file, for any number; most of what decides is at its beginning.
    let place = |at: u32, length: usize| if length == 0 { 0 } else { at as usize % length };
    match change {
        Change::Flip { at, bits } => {
            let at = place(*at, bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bits;
            }
        }
        Change::Truncate { length } => bytes.truncate(place(*length, bytes.len() + 1)),
        Change::Append { bytes: more } => bytes.extend_from_slice(more),
        Change::Remove { at, count } => {
            let at = place(*at, bytes.len());
            let end = (at + usize::from(*count)).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Insert { at, bytes: more } => {
            let at = place(*at, bytes.len() + 1);
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Header { bytes: header } => {
            let length = header.len().min(bytes.len());
            bytes[..length].copy_from_slice(&header[..length]);
        }
        Change::Other { length } => {
            *bytes = other[..place(*length, other.len()) + 1].to_vec();
        }
    }
}

fn entries(code: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(code).expect("the cache");
    files.map(|file| file.expect("an entry").path()).collect()
}
