//! Tables of bytes and what is reported about them.

use super::*;

fn refusal(bytes: &[u8]) -> (ErrorKind, String) {
    let error = Artifact::identify(bytes)
        .and_then(|artifact| artifact.check_runnable())
        .expect_err("nothing here runs");
    (error.kind(), error.to_string())
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's own text is valid")
}

#[test]
fn what_is_no_webassembly_is_named() {
    let rows: &[(&[u8], &str)] = &[
        (b"", "an empty file"),
        (b"\x7fELF\x02\x01\x01", "native executable (Linux)"),
        (b"\x7fELF .wasmtime.engine", "compiled ahead of time"),
        (b"MZ\x90\0", "native executable (Windows)"),
        (b"\xcf\xfa\xed\xfe....", "native executable (macOS)"),
        (b"PK\x03\x04....", "zip archive"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"#!/bin/sh\n", "a script"),
        (b"  (module)", "text form"),
        (b"(component (import \"a\"", "text form"),
        ("hällo".as_bytes(), "text;"),
        (b"\x00\x01\x02\x03\x04", "no WebAssembly (it begins with 00 01 02 03"),
    ];
    for (bytes, expected) in rows {
        let (kind, text) = refusal(bytes);
        assert_eq!(kind, ErrorKind::NotWasm, "{text}");
        assert!(text.contains(expected), "{text:?} does not contain {expected:?}");
    }
}

#[test]
fn webassembly_that_breaks_off_is_damaged() {
    for (bytes, length) in
        [(&b"\0as"[..], 3), (b"\0asm\x0d\0", 6), (b"\0asm\x01\0\0\0\x01\x05", 10)]
    {
        let (kind, text) = refusal(bytes);
        assert_eq!(kind, ErrorKind::Damaged, "{text}");
        assert!(text.contains(&format!("breaks off after {length} bytes")), "{text}");
    }
}

#[test]
fn webassembly_that_is_no_sidecar_is_named() {
    let rows = [
        ("(module)", "without a WASI entry point: it exports nothing"),
        (r#"(module (func (export "main")))"#, "it exports `main`"),
        (r#"(module (func (export "_initialize")))"#, "WASI reactor"),
        (
            r#"(module (import "env" "puts" (func)) (func (export "_start")))"#,
            "imports `env::puts`",
        ),
        (
            r#"(module (import "wasi_snapshot_preview1" "sock_open" (func (param i32 i32 i32) (result i32)))
                 (func (export "_start")))"#,
            "imports `wasi_snapshot_preview1::sock_open`, which is no function of WASI 0.1",
        ),
        (
            r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
                 (func (export "_start")))"#,
            "imports `wasi_snapshot_preview1::fd_close` with another type",
        ),
        (
            r#"(module (import "wasi_snapshot_preview1" "fd_close" (global i32)) (func (export "_start")))"#,
            "imports `wasi_snapshot_preview1::fd_close` with another type",
        ),
        (
            r#"(module (import "env" "memory" (memory 1 4 shared)) (func (export "_start")))"#,
            "for several threads",
        ),
        (
            r#"(module (import "wasi" "thread-spawn" (func (param i32) (result i32))) (func (export "_start")))"#,
            "for several threads",
        ),
        (r#"(module (memory 1 1 shared) (func (export "_start")))"#, "for several threads"),
        (
            r#"(component (core module (memory 1 1 shared))
                 (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#,
            "a component for several threads",
        ),
        ("(component)", "not a program: it exports nothing"),
        (
            r#"(component (import "wasi:http/types@0.2.6" (instance))
                 (instance $i) (export "wasi:cli/run@0.2.6" (instance $i)))"#,
            "imports `wasi:http/types@0.2.6`",
        ),
        (
            r#"(component (import "acme:db/store" (instance))
                 (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#,
            "imports `acme:db/store`",
        ),
        (r#"(component (instance $i) (export "wasi:cli/run@0.3.0" (instance $i)))"#, "WASI 0.3"),
        (
            r#"(component (import "wasi:cli/stdin@0.2.0" (instance)) (import "wasi:cli/stdout@0.3.0" (instance))
                 (instance $i) (export "wasi:cli/run@0.2.0" (instance $i))
                 (export "wasi:cli/run@0.3.0" (instance $i)))"#,
            "for WASI 0.3 that imports `wasi:cli/stdout@0.3.0`",
        ),
    ];
    for (source, expected) in rows {
        let (kind, text) = refusal(&wat(source));
        assert_eq!(kind, ErrorKind::Unsupported, "{text}");
        assert!(text.contains(expected), "{text:?} does not contain {expected:?}");
    }
}

#[test]
fn a_program_for_both_versions_runs_as_one_for_0_2_if_its_imports_can_be_met() {
    let both = |import: &str| {
        let text = format!(
            r#"(component (import "{import}" (instance)) (instance $i) (export "wasi:cli/run@0.3.0-rc-2025-09-16" (instance $i))
                 (export "wasi:cli/run@0.2.6" (instance $i)))"#
        );
        Artifact::identify(&wat(&text)).expect("it is a component")
    };
    let met = both("wasi:cli/stdin@0.2.0");
    assert_eq!((met.kind(), met.wasi()), (ArtifactKind::CommandComponent, Some("0.2")));
    met.check_runnable().expect("there is all that it needs");
    let unmet = both("wasi:clocks/types@0.3.0-rc-2025-09-16");
    assert_eq!((unmet.kind(), unmet.wasi()), (ArtifactKind::CommandComponent03, Some("0.3")));
    let other = both("acme:db/store");
    assert_eq!(other.kind(), ArtifactKind::CommandComponent);
    let error = other.check_runnable().expect_err("nobody offers that");
    assert!(error.to_string().contains("imports `acme:db/store`"), "{error}");
}

#[test]
fn an_import_beyond_those_that_are_kept_is_found() {
    let close = r#"(import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))"#;
    let text = format!(
        r#"(module {} (import "env" "late" (func)) (func (export "_start")))"#,
        close.repeat(10_001)
    );
    let (kind, text) = refusal(&wat(&text));
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(text.contains("imports `env::late`"), "{text}");
}

#[test]
fn every_truncation_of_a_program_is_refused_or_recognised() {
    let whole = wat(r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
             (memory (export "memory") 1) (func (export "_start") (call 0 (i32.const 7)))
             (data (i32.const 0) "some data at the end"))"#);
    Artifact::identify(&whole).expect("whole").check_runnable().expect("runs");
    for length in 0..whole.len() {
        match Artifact::identify(&whole[..length]) {
            Err(error) if length == 0 => assert_eq!(error.kind(), ErrorKind::NotWasm),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Damaged, "{length}: {error}"),
            // Cut at the end of a section, the module is smaller and valid. Only its digest differs.
            Ok(artifact) => assert_ne!(artifact.digest(), Digest::of(&whole)),
        }
    }
}

#[test]
fn a_hostile_name_is_shown_escaped_and_short() {
    let name = format!("\\1b[2J{}", "n".repeat(90_000));
    let bytes = wat(&format!(r#"(module (import "{name}" "f" (func)) (func (export "_start")))"#));
    let (_, text) = refusal(&bytes);
    assert!(text.len() <= crate::text::MAX_TEXT && !text.contains('\x1b'), "{} bytes", text.len());
}

proptest::proptest! {
    #[test]
    fn whatever_the_bytes_are_there_is_an_answer(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        keep in 0usize..12,
    ) {
        // Some of them begin like a module, a component, or an ELF file.
        let starts: [&[u8]; 4] = [b"", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0", b"\x7fELF"];
        let whole = [starts[keep % 4], &bytes].concat();
        let said = Artifact::identify(&whole).and_then(|artifact| artifact.check_runnable());
        if let Err(error) = said {
            proptest::prop_assert!(error.to_string().len() <= crate::text::MAX_TEXT);
        }
    }

    #[test]
    fn a_damaged_program_is_still_answered(at in 0usize..80, byte in proptest::prelude::any::<u8>()) {
        let mut bytes = wat(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
                 (memory (export "memory") 1) (func (export "_start") (call 0 (i32.const 7))))"#,
        );
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Artifact::identify(&bytes).and_then(|artifact| artifact.check_runnable());
    }
}
