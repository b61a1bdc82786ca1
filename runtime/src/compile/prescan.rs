//! Scans an artifact for known causes of exploding compilation, for applications without a compile child.
//!
//! Compiling mostly takes time and memory in proportion to an artifact's size, which is limited. Measurements found
//! three exceptions that turn kilobytes into gigabytes or minutes: components instantiated again and again inside each
//! other; nested loops in functions with many locals; and locals, of which four bytes declare fifty thousand. The
//! limits here are estimates, far above the counts in compiled programs and below those that hurt. The counts come from
//! the guests of this repository. The largest are interpreters: Python with 18 MB (87 instances, 48,000 locals) and
//! JavaScript (51 and 52,000).
//!
//! The scan only finds these known constructs.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, FunctionBody, Operator, Parser, Payload,
};

use crate::{Error, ErrorKind, Result, Setting};

/// Most instances that a component becomes, nested ones included. The highest count in a real program is 87.
const MAX_INSTANCES: u64 = 20_000;

/// Most locals of all functions together. The highest count in a real program is 52,156.
const MAX_LOCALS: u64 = 4_000_000;

/// For one function: its locals times the square of its deepest loop nesting. The highest count in a real program is
/// 4,248.
const MAX_LOOPS: u64 = 2_000_000;

/// Refuses an artifact that might take too much to compile.
///
/// # Errors
///
/// [`ErrorKind::CompileLimit`]. An unreadable artifact passes: the compiler validates it first and reports the error.
pub(crate) fn check(wasm: &[u8]) -> Result<()> {
    match Scan::default().all(wasm) {
        Ok(()) | Err(Stop::Unreadable) => Ok(()),
        Err(Stop::TooMuch(what)) => Err(Error::new(
            ErrorKind::CompileLimit,
            format!(
                "it might not compile within the limits for untrusted artifacts: it has {what}; trust it (`{}`) to compile it \
                 without limits",
                Setting::Trusted
            ),
        )
        .about(Setting::Trusted)),
    }
}

enum Stop {
    TooMuch(String),
    Unreadable,
}

impl From<wasmparser::BinaryReaderError> for Stop {
    fn from(_: wasmparser::BinaryReaderError) -> Self {
        Self::Unreadable
    }
}

/// A component during parsing.
#[derive(Default)]
struct Frame {
    /// How many instances each component of its index space becomes.
    components: Vec<u64>,
    /// How many instances it becomes itself.
    instances: u64,
}

#[derive(Default)]
struct Scan {
    /// The open components, outermost first.
    frames: Vec<Frame>,
    /// For each open encoding, whether it is a component.
    open: Vec<bool>,
    locals: u64,
    /// The instances of the largest component so far, assumed for a component whose definition is not followed.
    largest: u64,
}

impl Scan {
    fn all(mut self, wasm: &[u8]) -> Result<(), Stop> {
        for payload in Parser::new(0).parse_all(wasm) {
            self.payload(payload?)?;
        }
        Ok(())
    }

    fn payload(&mut self, payload: Payload<'_>) -> Result<(), Stop> {
        match payload {
            Payload::Version { encoding, .. } => {
                let is_component = encoding == wasmparser::Encoding::Component;
                self.open.push(is_component);
                if is_component {
                    self.frames.push(Frame { components: Vec::new(), instances: 1 });
                }
            }
            Payload::End(_) => {
                if self.open.pop() == Some(true)
                    && let Some(ended) = self.frames.pop()
                {
                    self.largest = self.largest.max(ended.instances);
                    self.component(ended.instances);
                }
            }
            Payload::InstanceSection(section) => self.add(section.count().into())?,
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    let instances = match instance? {
                        ComponentInstance::Instantiate { component_index, .. } => {
                            self.cost(0, component_index)
                        }
                        ComponentInstance::FromExports(_) => 1,
                    };
                    self.add(instances)?;
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    if let ComponentTypeRef::Component(_) = import?.ty {
                        self.component(self.largest.max(1));
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    match alias? {
                        ComponentAlias::Outer {
                            kind: ComponentOuterAliasKind::Component,
                            count,
                            index,
                        } => self.component(self.cost(count, index)),
                        ComponentAlias::InstanceExport {
                            kind: ComponentExternalKind::Component,
                            ..
                        } => self.component(self.largest.max(1)),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        self.component(self.cost(0, export.index));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.function(&body)?,
            _ => {}
        }
        Ok(())
    }

    /// Adds a component to the index space of the innermost open component.
    fn component(&mut self, instances: u64) {
        if let Some(frame) = self.frames.last_mut() {
            frame.components.push(instances);
        }
    }

    /// How many instances a component becomes, by its index in the index space this many levels up.
    fn cost(&self, up: u32, index: u32) -> u64 {
        let frame = self.frames.iter().rev().nth(up as usize);
        let known = frame.and_then(|frame| frame.components.get(index as usize)).copied();
        known.unwrap_or(self.largest.max(1))
    }

    fn add(&mut self, instances: u64) -> Result<(), Stop> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        frame.instances = frame.instances.saturating_add(instances);
        if frame.instances > MAX_INSTANCES {
            return Err(Stop::TooMuch(format!("more than {MAX_INSTANCES} instances")));
        }
        Ok(())
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), Stop> {
        let mut locals = 0_u64;
        for declared in body.get_locals_reader()? {
            locals = locals.saturating_add(declared?.0.into());
        }
        self.locals = self.locals.saturating_add(locals);
        if self.locals > MAX_LOCALS {
            return Err(Stop::TooMuch(format!("more than {MAX_LOCALS} locals")));
        }
        // For each open block, whether it is a loop.
        let mut open = Vec::new();
        let (mut depth, mut deepest) = (0_u64, 0_u64);
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Loop { .. } => {
                    open.push(true);
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                    open.push(false);
                }
                Operator::End if open.pop() == Some(true) => depth -= 1,
                _ => {}
            }
        }
        // In a function without locals, loops can carry values on the stack, so at least one is counted.
        let loops = deepest.saturating_mul(deepest).saturating_mul(locals.max(1));
        if loops > MAX_LOOPS {
            return Err(Stop::TooMuch(format!(
                "{deepest} loops in each other, with {locals} locals"
            )));
        }
        Ok(())
    }
}
