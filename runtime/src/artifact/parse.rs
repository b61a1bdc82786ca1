//! Reads the imports and exports at the top level of an artifact, and finds imports that this host cannot provide.

use wasi_sidecar_wit::{World, smallest_world};
use wasmparser::{CompositeInnerType, Encoding, ExternalKind, Import, Parser, Payload, TypeRef};

use super::{
    Artifact, ArtifactKind, Digest, Footprint, Obstacle,
    preview1::{self, Signature},
    start::{self, Start},
};
use crate::{Error, ErrorKind, Result, text};

/// Most names kept of each list. A hostile artifact can have millions.
const MAX_NAMES: usize = 10_000;

#[derive(Default)]
struct Outline {
    component: bool,
    imports: Vec<String>,
    exports: Vec<String>,
    /// Which entry points a module exports as functions.
    start: bool,
    initialize: bool,
    /// Types of a module's functions.
    types: Vec<Signature>,
    /// The first import that this host cannot provide, including imports beyond [`MAX_NAMES`].
    unmet: Option<Obstacle>,
    /// Whether a memory at any depth is shared between threads.
    shares_memory: bool,
    directory: start::Marks,
}

impl Outline {
    /// What prevents it from running, if it is a program.
    fn obstacle(&mut self) -> Option<Obstacle> {
        if self.shares_memory { Some(Obstacle::Threads) } else { self.unmet.take() }
    }

    /// An import of a module. It has to be a function of preview1.
    fn import(&mut self, import: &Import<'_>) {
        if self.unmet.is_some() {
            return;
        }
        let signature = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.types.get(ty as usize).copied().unwrap_or(Signature::OTHER)
            }
            _ => Signature::OTHER,
        };
        let name = || text::name(&format!("{}::{}", import.module, import.name));
        self.unmet = match (import.module, preview1::find(import.name, signature)) {
            (preview1::MODULE, Some(true)) => return,
            (preview1::MODULE, Some(false)) => Some(Obstacle::OtherType(name())),
            (preview1::MODULE, None) => Some(Obstacle::NoFunction(name())),
            ("wasi", _) if import.name == "thread-spawn" => Some(Obstacle::Threads),
            _ => Some(Obstacle::Import(name())),
        };
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Artifact> {
    let mut outline = outline(bytes).map_err(|error| {
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
    let footprint = Footprint::of(bytes);
    let encodings = footprint.transcodes().then_some(Obstacle::Encodings);
    Ok(Artifact {
        kind: kind(&outline),
        obstacle: outline.obstacle().or(encodings),
        footprint,
        start: Start::of(outline.directory, &outline.imports),
        imports: outline.imports,
        exports: outline.exports,
        size: bytes.len() as u64,
        digest: Digest::of(bytes),
    })
}

fn kind(outline: &Outline) -> ArtifactKind {
    let exports = |name: &str| outline.exports.iter().any(|export| export.starts_with(name));
    if outline.component {
        let (for_0_2, for_0_3) = (exports("wasi:cli/run@0.2."), exports("wasi:cli/run@0.3."));
        // A program can import both versions. It runs as a 0.2 program if this host can provide all imports.
        let needs_0_3 =
            || matches!(&outline.unmet, Some(Obstacle::Import(name)) if name.contains("@0.3."));
        if for_0_2 && !(for_0_3 && needs_0_3()) {
            ArtifactKind::CommandComponent
        } else if for_0_3 {
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
    // Nesting depth. Only the top level concerns the host.
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
                    outline.shares_memory |= is_shared(&import.ty);
                    outline.import(&import);
                    keep(&mut outline.imports, &format!("{}::{}", import.module, import.name));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    outline.shares_memory |= is_shared(&import?.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    outline.shares_memory |= memory?.shared;
                }
            }
            Payload::TypeSection(section) if depth == 0 => {
                for group in section {
                    outline.types.extend(group?.into_types().map(
                        |ty| match &ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Signature::of(ty),
                            _ => Signature::OTHER,
                        },
                    ));
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
            Payload::CustomSection(section) => outline.directory.custom_section(section.name()),
            Payload::ComponentTypeSection(section) if depth == 0 => {
                outline.directory.types(bytes.get(section.range()).unwrap_or_default());
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let name = import?.name.name;
                    if outline.unmet.is_none() && matches!(smallest_world([name]), World::Beyond(_))
                    {
                        outline.unmet = Some(Obstacle::Import(text::name(name)));
                    }
                    keep(&mut outline.imports, name);
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

fn is_shared(ty: &TypeRef) -> bool {
    matches!(ty, TypeRef::Memory(memory) if memory.shared)
}

/// Whether a section's length reaches beyond the end of the file.
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
