//! Reads the outer structure of WebAssembly: what it imports and what it exports at its top level.

use wasmparser::{Encoding, ExternalKind, Parser, Payload};

use super::{Artifact, ArtifactKind, Digest};
use crate::{Error, ErrorKind, Result, text};

/// Names kept of each list. A hostile artifact can have millions; nobody reads them.
const MAX_NAMES: usize = 10_000;

#[derive(Default)]
struct Outline {
    component: bool,
    imports: Vec<String>,
    exports: Vec<String>,
    /// Exports of a module that are functions.
    start: bool,
    initialize: bool,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Artifact> {
    let outline = outline(bytes).map_err(|error| {
        let text = if breaks_off(bytes) {
            format!(
                "WebAssembly that breaks off after {} bytes; was it copied completely?",
                bytes.len()
            )
        } else {
            format!("damaged WebAssembly (at byte {}); build or copy it again", error.offset())
        };
        Error::with(ErrorKind::Damaged, text, error)
    })?;
    Ok(Artifact {
        kind: kind(&outline),
        imports: outline.imports,
        exports: outline.exports,
        size: bytes.len() as u64,
        digest: Digest::of(bytes),
    })
}

fn kind(outline: &Outline) -> ArtifactKind {
    let exports = |name: &str| outline.exports.iter().any(|export| export.starts_with(name));
    if outline.component {
        if exports("wasi:cli/run@0.2.") {
            ArtifactKind::CommandComponent
        } else if exports("wasi:cli/run@0.3.") {
            ArtifactKind::CommandComponent03
        } else {
            ArtifactKind::LibraryComponent
        }
    } else if outline.start {
        ArtifactKind::CommandModule
    } else if outline.initialize {
        ArtifactKind::ReactorModule
    } else {
        ArtifactKind::CoreModule
    }
}

fn outline(bytes: &[u8]) -> Result<Outline, wasmparser::BinaryReaderError> {
    let mut outline = Outline::default();
    // Depth of nesting: only what stands at the top concerns the host.
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { encoding, .. } if depth == 0 => {
                outline.component = encoding == Encoding::Component;
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import?;
                    keep(&mut outline.imports, &format!("{}::{}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        outline.start |= export.name == "_start";
                        outline.initialize |= export.name == "_initialize";
                    }
                    keep(&mut outline.exports, export.name);
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    keep(&mut outline.imports, import?.name.name);
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    keep(&mut outline.exports, export?.name.name);
                }
            }
            _ => {}
        }
    }
    Ok(outline)
}

/// Whether a section says that it goes on after the end of the file.
fn breaks_off(bytes: &[u8]) -> bool {
    let mut reader = wasmparser::BinaryReader::new(bytes, 0);
    if reader.read_bytes(8).is_err() {
        return true;
    }
    while !reader.eof() {
        let section = reader.read_u8().and_then(|_| reader.read_var_u32());
        let fits = section.is_ok_and(|length| reader.read_bytes(length as usize).is_ok());
        if !fits {
            return true;
        }
    }
    false
}

fn keep(names: &mut Vec<String>, name: &str) {
    if names.len() < MAX_NAMES {
        names.push(text::name(name));
    }
}
