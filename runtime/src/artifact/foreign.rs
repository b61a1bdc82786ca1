//! Recognises files that are not WebAssembly, so that the error can say what they are.

use crate::{Error, ErrorKind, Result};

/// First bytes of files that people pass by mistake, with their kind and what to do.
const KNOWN: &[(&[u8], &str)] = &[
    (b"MZ", "a native executable (Windows); a sidecar component is a .wasm file"),
    (b"\xcf\xfa\xed\xfe", "a native executable (macOS); a sidecar component is a .wasm file"),
    (
        b"\xca\xfe\xba\xbe",
        "a native executable (macOS) or a Java class; a component is a .wasm file",
    ),
    (b"PK\x03\x04", "a zip archive; unpack it and give the .wasm file inside"),
    (b"\x1f\x8b", "gzip-compressed; unpack it and give the .wasm file inside"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed; unpack it and give the .wasm file inside"),
    (b"#!", "a script; a sidecar component is a .wasm file"),
    (b"BC\xc0\xde", "LLVM bitcode; link it to WebAssembly first"),
];

const MAGIC: &[u8] = b"\0asm";

/// `Ok` when the bytes start like WebAssembly.
pub(super) fn refuse(bytes: &[u8]) -> Result<()> {
    if bytes.starts_with(MAGIC) && bytes.len() >= 8 {
        return Ok(());
    }
    let cut_off = !bytes.is_empty() && (bytes.starts_with(MAGIC) || MAGIC.starts_with(bytes));
    let kind = if cut_off { ErrorKind::Damaged } else { ErrorKind::NotWasm };
    Err(Error::new(kind, describe(bytes)))
}

fn describe(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "an empty file; was it copied completely?".into();
    }
    if bytes.starts_with(MAGIC) || MAGIC.starts_with(bytes) {
        return format!(
            "WebAssembly that breaks off after {} bytes; was it copied completely?",
            bytes.len()
        );
    }
    if bytes.starts_with(b"\x7fELF") {
        // wasmtime's machine code is an ELF file as well. It is loaded only from authenticated places.
        return match wasmtime_environ_marker(bytes) {
            true => {
                "machine code compiled ahead of time; give the .wasm file it was made from".into()
            }
            false => "a native executable (Linux); a sidecar component is a .wasm file".into(),
        };
    }
    if let Some((_, text)) = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return (*text).into();
    }
    let start = &bytes[..bytes.len().min(512)];
    match std::str::from_utf8(start)
        .or_else(|error| std::str::from_utf8(&start[..error.valid_up_to().max(1)]))
    {
        Ok(text)
            if text.trim_start().starts_with("(component")
                || text.trim_start().starts_with("(module") =>
        {
            "WebAssembly in text form; turn it into binary (`wasm-tools parse`)".into()
        }
        Ok(text) if !text.contains('\0') && start.len() - text.len() < 4 => {
            "text; a sidecar component is a .wasm file".into()
        }
        _ => format!(
            "no WebAssembly (it begins with {}, not `00 61 73 6d`)",
            start.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
        ),
    }
}

/// Whether an ELF file has the sections that wasmtime writes.
fn wasmtime_environ_marker(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b".wasmtime.engine").is_some()
}
