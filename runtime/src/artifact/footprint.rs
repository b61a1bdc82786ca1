//! Estimates the host memory that an artifact's instances take besides their memories and tables.
//!
//! For each instance of a module the host keeps its globals, imports, referable functions and passive elements.
//! Instantiation also copies the active data, and nothing can interrupt it. A module of a few megabytes can have a
//! million globals, and a component can instantiate it a hundred times. All sizes follow from the bytes, so they are
//! added up before anything is instantiated.
//!
//! Sizes are upper bounds of wasmtime's layout: `VMContext` in `wasmtime-environ`'s `vmoffsets.rs`.

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, DataKind, ElementItems, ElementKind, ExternalKind,
    Instance, Parser, Payload,
};

use crate::{Limit, Limits};

/// An empty instance: its fixed part, and the records that hold it.
const INSTANCE: u64 = 1024;
/// An import. The largest is a function's three pointers.
const IMPORT: u64 = 32;
/// A function that can be referenced.
const FUNCTION_REFERENCE: u64 = 32;
/// A global, which may be a vector; or an element of a passive segment, which is stored like a global's value.
const GLOBAL: u64 = 16;
/// A memory or table: its definition, and the record of its backing memory.
const MEMORY_OR_TABLE: u64 = 512;
/// A function that one part of a component imports from another part or from the host: the imports of the adapter
/// between them.
const LOWERED: u64 = 512;

/// Bytes of [`Cost::kept`] that do not count, so that ordinary programs are not charged.
const FREE: u64 = 1 << 20;

/// The cost of starting an artifact once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Bytes the host keeps for its instances.
    pub(crate) kept: u64,
    /// Bytes of active data that instantiation copies.
    pub(crate) copied: u64,
    /// Table elements that instantiation sets.
    pub(crate) elements: u64,
}

/// The cost of an artifact's instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// The sum over all instances; `None` if the bytes do not determine which module is instantiated how often.
    total: Option<Cost>,
    /// The cost of an instance of its largest module.
    largest: Cost,
    /// The cost of its functions that are called across parts.
    lowered: u64,
    /// Whether its parts may pass each other strings in different encodings.
    transcodes: bool,
}

impl Cost {
    /// The first limit that instantiation would exceed.
    ///
    /// Compilers place data in memories and elements in tables of at least that size. So the copied amounts stay within
    /// the limits on memories and tables unless an artifact is built to take long.
    pub(crate) fn beyond(&self, limits: &Limits) -> Option<Limit> {
        if self.counted().max(self.copied) > limits.amount(Limit::Memory) {
            return Some(Limit::Memory);
        }
        (self.elements > limits.amount(Limit::TableElements)).then_some(Limit::TableElements)
    }

    /// Bytes that count towards the guest's memory limit.
    pub(crate) fn counted(&self) -> u64 {
        self.kept.saturating_sub(FREE)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            kept: self.kept.saturating_add(other.kept),
            copied: self.copied.saturating_add(other.copied),
            elements: self.elements.saturating_add(other.elements),
        }
    }

    fn times(self, count: u64) -> Self {
        Self {
            kept: self.kept.saturating_mul(count),
            copied: self.copied.saturating_mul(count),
            elements: self.elements.saturating_mul(count),
        }
    }

    fn or_more(self, other: Self) -> Self {
        Self {
            kept: self.kept.max(other.kept),
            copied: self.copied.max(other.copied),
            elements: self.elements.max(other.elements),
        }
    }

    fn or_less(self, other: Self) -> Self {
        Self {
            kept: self.kept.min(other.kept),
            copied: self.copied.min(other.copied),
            elements: self.elements.min(other.elements),
        }
    }
}

impl Footprint {
    /// The footprint of a valid artifact. For an invalid one the result is meaningless, and the compiler reports the
    /// error.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut reading = Reading::default();
        let parts = Parser::new(0).parse_all(bytes).map_while(Result::ok);
        for payload in parts {
            if reading.read(payload).is_none() {
                break;
            }
        }
        reading.finish()
    }

    /// The cost of a guest with at most this many instances.
    pub(crate) fn cost(&self, instances: usize) -> Cost {
        let mut most = self.largest.times(instances as u64);
        most.kept = most.kept.saturating_add(self.lowered);
        self.total.map_or(most, |total| total.or_less(most))
    }

    /// Whether parts may convert strings between encodings. wasmtime converts a whole string in one call, which nothing
    /// can interrupt.
    pub(crate) fn transcodes(&self) -> bool {
        self.transcodes
    }
}

/// A module or component during parsing.
enum Frame {
    Module(Module),
    Component(Part),
}

#[derive(Default)]
struct Module {
    cost: Cost,
    /// The number of functions, and the number of references to functions.
    functions: u64,
    named: u64,
}

/// A component, and what can be instantiated in it by index, where that is known.
#[derive(Default)]
struct Part {
    modules: Vec<Option<Cost>>,
    components: Vec<Option<Cost>>,
    /// Its functions, and for each whether the component lifted it.
    functions: Vec<bool>,
    cost: Cost,
    is_known: bool,
    lifts: bool,
    lowers: bool,
}

#[derive(Default)]
struct Reading {
    frames: Vec<Frame>,
    largest: Cost,
    lowered: u64,
    total: Option<Cost>,
    /// The encodings of lifted and lowered functions, and whether one part may call another.
    encodings: [bool; 3],
    parts_call_parts: bool,
}

impl Reading {
    /// Processes one payload. `None` stops parsing.
    fn read(&mut self, payload: Payload<'_>) -> Option<()> {
        match payload {
            Payload::Version { encoding, .. } => self.frames.push(match encoding {
                wasmparser::Encoding::Module => Frame::Module(Module::default()),
                wasmparser::Encoding::Component => {
                    Frame::Component(Part { is_known: true, ..Part::default() })
                }
            }),
            Payload::End(_) => self.end(),
            payload => match self.frames.last_mut()? {
                Frame::Module(module) => module.read(payload)?,
                Frame::Component(_) => self.read_part(payload)?,
            },
        }
        Some(())
    }

    fn end(&mut self) {
        let (cost, is_module) = match self.frames.pop() {
            Some(Frame::Module(module)) => {
                let cost = module.finish();
                self.largest = self.largest.or_more(cost);
                (Some(cost), true)
            }
            Some(Frame::Component(part)) => {
                let is_nested = !self.frames.is_empty();
                self.parts_call_parts |= is_nested && (part.lifts || part.lowers);
                (part.is_known.then_some(part.cost), false)
            }
            None => return,
        };
        match self.frames.last_mut() {
            Some(Frame::Component(outer)) if is_module => outer.modules.push(cost),
            Some(Frame::Component(outer)) => outer.components.push(cost),
            Some(Frame::Module(_)) => {}
            None => self.total = cost,
        }
    }

    fn read_part(&mut self, payload: Payload<'_>) -> Option<()> {
        match payload {
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(alias.ok()?);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.canonical(&function.ok()?);
                }
            }
            payload => self.part()?.read(payload)?,
        }
        Some(())
    }

    fn part(&mut self) -> Option<&mut Part> {
        match self.frames.last_mut() {
            Some(Frame::Component(part)) => Some(part),
            _ => None,
        }
    }

    fn alias(&mut self, alias: ComponentAlias<'_>) {
        let outer = |count: u32| {
            let at = self.frames.len().checked_sub(count as usize + 1)?;
            match self.frames.get(at) {
                Some(Frame::Component(part)) => Some(part),
                _ => None,
            }
        };
        let (is_module, found) = match alias {
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. } => {
                (true, None)
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                (false, None)
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Func, .. } => {
                if let Some(part) = self.part() {
                    part.functions.push(false);
                }
                return;
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, count, index } => {
                (true, outer(count).and_then(|part| *part.modules.get(index as usize)?))
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                (false, outer(count).and_then(|part| *part.components.get(index as usize)?))
            }
            _ => return,
        };
        match self.part() {
            Some(part) if is_module => part.modules.push(found),
            Some(part) => part.components.push(found),
            None => {}
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        let (options, lowered) = match function {
            CanonicalFunction::Lift { options, .. } => (options, None),
            CanonicalFunction::Lower { options, func_index } => (options, Some(*func_index)),
            _ => {
                self.lower();
                return;
            }
        };
        let encoding = options.iter().find_map(|option| match option {
            CanonicalOption::UTF8 => Some(0),
            CanonicalOption::UTF16 => Some(1),
            CanonicalOption::CompactUTF16 => Some(2),
            _ => None,
        });
        self.encodings[encoding.unwrap_or(0)] = true;
        let Some(part) = self.part() else { return };
        let Some(index) = lowered else {
            part.lifts = true;
            part.functions.push(true);
            return;
        };
        part.lowers = true;
        let own = part.functions.get(index as usize) == Some(&true);
        self.parts_call_parts |= own;
        self.lower();
    }

    fn lower(&mut self) {
        self.lowered = self.lowered.saturating_add(LOWERED);
        if let Some(part) = self.part() {
            part.cost.kept = part.cost.kept.saturating_add(LOWERED);
        }
    }

    fn finish(self) -> Footprint {
        let Self { largest, lowered, total, encodings, parts_call_parts, .. } = self;
        let several = encodings.into_iter().filter(|used| *used).count() > 1;
        Footprint { total, largest, lowered, transcodes: several && parts_call_parts }
    }
}

impl Part {
    fn read(&mut self, payload: Payload<'_>) -> Option<()> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance.ok()? {
                        let cost = self.modules.get(module_index as usize).copied().flatten();
                        self.add(cost);
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    let ComponentInstance::Instantiate { component_index, .. } = instance.ok()?
                    else {
                        continue;
                    };
                    let cost = self.components.get(component_index as usize).copied().flatten();
                    self.add(cost);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    match import.ok()?.ty {
                        ComponentTypeRef::Module(_) => self.modules.push(None),
                        ComponentTypeRef::Component(_) => self.components.push(None),
                        ComponentTypeRef::Func(_) => self.functions.push(false),
                        _ => {}
                    }
                }
            }
            // An export adds a new index for what it exports.
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    let index = export.index as usize;
                    match export.kind {
                        ComponentExternalKind::Module => {
                            self.modules.push(self.modules.get(index).copied().flatten());
                        }
                        ComponentExternalKind::Component => {
                            self.components.push(self.components.get(index).copied().flatten());
                        }
                        ComponentExternalKind::Func => {
                            self.functions.push(self.functions.get(index) == Some(&true));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Some(())
    }

    fn add(&mut self, cost: Option<Cost>) {
        self.is_known &= cost.is_some();
        self.cost = self.cost.plus(cost.unwrap_or_default());
    }
}

impl Module {
    fn read(&mut self, payload: Payload<'_>) -> Option<()> {
        let cost = &mut self.cost;
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let is_function = matches!(import.ok()?.ty, wasmparser::TypeRef::Func(_));
                    self.functions = self.functions.saturating_add(u64::from(is_function));
                    cost.kept = cost.kept.saturating_add(IMPORT);
                }
            }
            Payload::FunctionSection(section) => {
                self.functions = self.functions.saturating_add(section.count().into());
            }
            Payload::TableSection(section) => {
                let tables = u64::from(section.count());
                cost.kept = cost.kept.saturating_add(tables.saturating_mul(MEMORY_OR_TABLE));
            }
            Payload::MemorySection(section) => {
                let memories = u64::from(section.count());
                cost.kept = cost.kept.saturating_add(memories.saturating_mul(MEMORY_OR_TABLE));
            }
            Payload::TagSection(section) => {
                cost.kept = cost.kept.saturating_add(GLOBAL * u64::from(section.count()));
            }
            Payload::GlobalSection(section) => {
                let globals = u64::from(section.count());
                cost.kept = cost.kept.saturating_add(GLOBAL * globals);
                // Each initial value may refer to a function.
                self.named = self.named.saturating_add(globals);
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let is_function = export.ok()?.kind == ExternalKind::Func;
                    self.named = self.named.saturating_add(is_function.into());
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    let element = element.ok()?;
                    let items: u64 = match &element.items {
                        ElementItems::Functions(items) => items.count().into(),
                        ElementItems::Expressions(_, items) => items.count().into(),
                    };
                    self.named = self.named.saturating_add(items);
                    match element.kind {
                        ElementKind::Passive => {
                            cost.kept = cost.kept.saturating_add(items.saturating_mul(GLOBAL));
                        }
                        ElementKind::Active { .. } => {
                            cost.elements = cost.elements.saturating_add(items);
                        }
                        ElementKind::Declared => {}
                    }
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data.ok()?;
                    if matches!(data.kind, DataKind::Active { .. }) {
                        cost.copied = cost.copied.saturating_add(data.data.len() as u64);
                    }
                }
            }
            _ => {}
        }
        Some(())
    }

    fn finish(self) -> Cost {
        let references = self.functions.min(self.named).saturating_mul(FUNCTION_REFERENCE);
        let kept = self.cost.kept.saturating_add(references).saturating_add(INSTANCE);
        Cost { kept, ..self.cost }
    }
}

#[cfg(test)]
mod tests;
