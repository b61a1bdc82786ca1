//! Components that call a directory themselves, in place of a library that would look at what it passes on.

use super::wasm::{self, Parts};

/// A function that such a component calls.
pub(super) struct Call {
    /// As `$name` in the body.
    pub(super) name: &'static str,
    /// Where it is declared, `$files` or `$error`, and its name there.
    pub(super) of: (&'static str, &'static str),
    /// Its type in `$files`, where `$d` is a descriptor. What is declared elsewhere has its type there.
    pub(super) declared: &'static str,
    /// Its type in core WebAssembly.
    pub(super) core: &'static str,
}

/// Opens `file` of the directory in `$p`, to write; the answer, and then the descriptor, are at 2064.
pub(super) const OPEN: Call = Call {
    name: "open",
    of: ("$files", "[method]descriptor.open-at"),
    declared: r#"(param "self" (borrow $d)) (param "path-flags" $path-flags) (param "path" string)
      (param "open-flags" $open-flags) (param "flags" $descriptor-flags) (result (result (own $d) (error $error)))"#,
    core: "(param i32 i32 i32 i32 i32 i32 i32)",
};

/// A component with these functions whose `run` has this body: `$p` is the first directory it holds, and `$say` has written
/// "ready".
pub(super) fn component(calls: &[Call], body: &str) -> Vec<u8> {
    let mut declared = String::new();
    let mut lowered = String::new();
    let mut imports =
        String::from(r#"(import "host" "directories" (func $directories (param i32)))"#);
    let mut given = String::from(r#"(export "directories" (func $directories))"#);
    let options = r#"(memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) string-encoding=utf8"#;
    for Call { name, of: (instance, function), declared: of_type, core } in calls {
        if *instance == "$files" {
            declared += &format!("    (export \"{function}\" (func {of_type}))\n");
        }
        lowered += &format!(
            "(core func ${name} (canon lower (func {instance} \"{function}\") {options}))\n"
        );
        imports += &format!("(import \"host\" \"{name}\" (func ${name} {core}))\n");
        given += &format!("(export \"{name}\" (func ${name}))\n");
    }
    let own = format!(
        r#"
  (import "wasi:filesystem/types@0.2.0" (instance $files
    (alias outer 1 $output (type $o)) (export "output-stream" (type $out (eq $o)))
    (export "descriptor" (type $d (sub resource)))
    (export "directory-entry-stream" (type $l (sub resource)))
    (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist" "file-too-large"
      "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io" "is-directory" "loop" "too-many-links" "message-size"
      "name-too-long" "no-device" "no-entry" "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
      "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe" "read-only" "invalid-seek"
      "text-file-busy" "cross-device"))
    (export "error-code" (type $error (eq $code)))
    (type $date (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $date)))
    (type $time (variant (case "no-change") (case "now") (case "timestamp" $datetime)))
    (export "new-timestamp" (type $new-timestamp (eq $time)))
    (type $follow (flags "symlink-follow"))
    (export "path-flags" (type $path-flags (eq $follow)))
    (type $open (flags "create" "directory" "exclusive" "truncate"))
    (export "open-flags" (type $open-flags (eq $open)))
    (type $access (flags "read" "write" "file-integrity-sync" "data-integrity-sync" "requested-write-sync"
      "mutate-directory"))
    (export "descriptor-flags" (type $descriptor-flags (eq $access)))
    (type $hash (record (field "lower" u64) (field "upper" u64)))
    (export "metadata-hash-value" (type $metadata-hash (eq $hash)))
{declared}))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d)) (export "descriptor" (type $preopen (eq $d)))
    (export "get-directories" (func (result (list (tuple (own $preopen) string)))))))
  (core func $directories (canon lower (func $preopens "get-directories") {options}))
  {lowered}"#
    );
    let body = wasm::running(&format!(
        "(call $directories (i32.const 2048)) (local.set $p (i32.load (i32.load (i32.const 2048)))) {body}"
    ));
    wasm::component(&Parts {
        body: &body,
        own: &own,
        imports: &imports,
        given: &given,
        ..Parts::default()
    })
}
