//! The WebAssembly proposals that guests may use: one list for both the engine and the validation of artifacts.
//!
//! `docs/proposals.md` has the same list for readers. A test compares the two, and fails when wasmparser adds a
//! proposal that nobody has decided on.

use wasmparser::{Validator, WasmFeatures};

use crate::{Error, ErrorKind, Result};

/// A proposal that is off.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    feature: WasmFeatures,
    /// Follows "uses" in the error text.
    pub(crate) name: &'static str,
    /// Why it is off. Follows "which" in the error text.
    why: &'static str,
    /// What the author of the artifact can do.
    remedy: &'static str,
}

const fn off(
    feature: WasmFeatures,
    name: &'static str,
    why: &'static str,
    remedy: &'static str,
) -> Proposal {
    Proposal { feature, name, why, remedy }
}

const WASI_0_3: &str = "which is for WASI 0.3, and this version runs 0.2";
const NO_STANDARD: &str = "which is not a standard yet";
const NOT_IN_0_2: &str = "which is not part of WASI 0.2";
const FOR_0_2: &str = "build it for wasm32-wasip2 without WASI 0.3 imports";
const WITH_0_2: &str = "build it with tools for WASI 0.2";

/// All proposals that are off. Every other proposal that wasmparser knows is on.
pub(crate) const OFF: &[Proposal] = &[
    off(
        WasmFeatures::LEGACY_EXCEPTIONS,
        "legacy exceptions",
        "which the engine does not implement",
        "build it with standard exceptions (clang: `-mllvm -wasm-use-legacy-eh=false`, Emscripten: \
         `-sWASM_LEGACY_EXCEPTIONS=0`), or convert it with `wasm-opt --translate-to-exnref`",
    ),
    off(
        WasmFeatures::GC,
        "garbage collection (GC)",
        "whose collector cannot be interrupted where one array has millions of references",
        "build it with a tool chain whose collector works in linear memory, as those of Go, Python and JavaScript do",
    ),
    off(
        WasmFeatures::FUNCTION_REFERENCES,
        "typed function references",
        "which tool chains use together with GC",
        "build it without GC",
    ),
    off(
        WasmFeatures::MEMORY64,
        "memory64",
        "whose accesses are slower, and a guest has at most 4 GiB of memory in any case",
        "build it for wasm32",
    ),
    off(
        WasmFeatures::RELAXED_SIMD,
        "relaxed SIMD",
        "whose results differ between processors",
        "build it without `relaxed-simd`; fixed-width SIMD works",
    ),
    off(
        WasmFeatures::STACK_SWITCHING,
        "stack switching",
        "which the engine implements for some processors only",
        "build it with Asyncify (`wasm-opt --asyncify`)",
    ),
    off(
        WasmFeatures::SHARED_EVERYTHING_THREADS,
        "shared-everything threads",
        "which needs more than the one thread a sidecar has",
        "build it without threads",
    ),
    off(
        WasmFeatures::CUSTOM_PAGE_SIZES,
        "custom page sizes",
        NO_STANDARD,
        "build it with pages of 64 KiB, the default of every tool chain",
    ),
    off(
        WasmFeatures::WIDE_ARITHMETIC,
        "wide arithmetic",
        NO_STANDARD,
        "build it without `wide-arithmetic`",
    ),
    off(
        WasmFeatures::MEMORY_CONTROL,
        "memory control",
        NO_STANDARD,
        "build it without `memory-control`",
    ),
    off(
        WasmFeatures::CUSTOM_DESCRIPTORS,
        "custom descriptors",
        NO_STANDARD,
        "build it without `custom-descriptors`",
    ),
    off(
        WasmFeatures::COMPACT_IMPORTS,
        "compact import sections",
        NO_STANDARD,
        "build it without `compact-imports`",
    ),
    off(WasmFeatures::CM_ASYNC, "component-model async", WASI_0_3, FOR_0_2),
    off(WasmFeatures::CM_ASYNC_STACKFUL, "stackful component-model async", WASI_0_3, FOR_0_2),
    off(
        WasmFeatures::CM_MORE_ASYNC_BUILTINS,
        "more built-ins of component-model async",
        WASI_0_3,
        FOR_0_2,
    ),
    off(WasmFeatures::CM_THREADING, "component-model threads", WASI_0_3, FOR_0_2),
    off(WasmFeatures::CM_ERROR_CONTEXT, "component-model error contexts", WASI_0_3, FOR_0_2),
    off(WasmFeatures::CM_FIXED_LENGTH_LISTS, "lists of a fixed length", NOT_IN_0_2, WITH_0_2),
    off(WasmFeatures::CM_MAP, "component-model maps", NOT_IN_0_2, WITH_0_2),
    off(WasmFeatures::CM_GC, "component-model GC", NOT_IN_0_2, WITH_0_2),
    off(WasmFeatures::CM64, "64-bit components", NOT_IN_0_2, WITH_0_2),
    off(WasmFeatures::CM_VALUES, "component-model values", NOT_IN_0_2, WITH_0_2),
    off(WasmFeatures::CM_NESTED_NAMES, "nested component-model names", NOT_IN_0_2, WITH_0_2),
    off(WasmFeatures::CM_IMPLEMENTS, "`implements` names", NOT_IN_0_2, WITH_0_2),
    off(WasmFeatures::CM_CANON_NAMES, "version suffixes of names", NOT_IN_0_2, WITH_0_2),
];

/// The proposals to switch off in the engine.
pub(crate) fn switched_off() -> WasmFeatures {
    OFF.iter().fold(WasmFeatures::empty(), |all, proposal| all | proposal.feature)
}

fn switched_on() -> WasmFeatures {
    WasmFeatures::all().difference(switched_off())
}

/// Validates an artifact, code included, with exactly the proposals that are on. Takes time in proportion to the
/// artifact, and nothing bounds it: an untrusted artifact is validated where it is compiled.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] names the proposals it uses that are off. [`ErrorKind::Damaged`] says that it is invalid
/// with any proposals. The texts continue the words "it is".
pub(crate) fn validate(wasm: &[u8]) -> Result<()> {
    let mut features = switched_on();
    let mut missing: Vec<&Proposal> = Vec::new();
    while let Err(error) = Validator::new_with_features(features).validate_all(wasm) {
        let Some(proposal) = blamed(&error, features, wasm) else {
            let text =
                format!("WebAssembly that is damaged inside ({error}); build or copy it again");
            return Err(Error::new(ErrorKind::Damaged, text));
        };
        features |= proposal.feature;
        missing.push(proposal);
    }
    // Reports first the proposal that others depend on.
    missing.sort_by_key(|one| OFF.iter().position(|proposal| proposal == *one));
    let Some(Proposal { why, remedy, .. }) = missing.first() else { return Ok(()) };
    let names: Vec<&str> = missing.iter().map(|proposal| proposal.name).collect();
    let component = wasmparser::Parser::is_component(wasm);
    let what = if component { "component" } else { "WebAssembly module" };
    let text = match &*names {
        [name] => format!("a {what} that uses {name}, {why}; {remedy}"),
        [name, others @ ..] => format!(
            "a {what} that uses {name}, {why}; {remedy}; it also uses {}, which sidecars do not have either",
            others.join(", ")
        ),
        [] => return Ok(()),
    };
    Err(Error::new(ErrorKind::Unsupported, text))
}

/// The proposal that would make the validator accept what this error rejects, if any.
fn blamed(
    error: &wasmparser::BinaryReaderError,
    features: WasmFeatures,
    wasm: &[u8],
) -> Option<&'static Proposal> {
    let mut left = OFF.iter().filter(|proposal| !features.contains(proposal.feature));
    if let Some(named) = error.missing_wasm_feature()
        && let Some(proposal) = left.clone().find(|proposal| named.intersects(proposal.feature))
    {
        return Some(proposal);
    }
    // Not every error names its proposal. None is to blame if the artifact is invalid with all of them.
    let valid = |features| Validator::new_with_features(features).validate_all(wasm);
    valid(WasmFeatures::all()).ok()?;
    left.find(|proposal| match valid(features | proposal.feature) {
        Ok(_) => true,
        Err(next) => next.offset() > error.offset(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proposal_is_decided_on() {
        // The proposals that are on. Add a new proposal of wasmparser here, or to `OFF` with a reason.
        let on = WasmFeatures::WASM3
            | WasmFeatures::FLOATS
            | WasmFeatures::GC_TYPES
            | WasmFeatures::COMPONENT_MODEL
            | WasmFeatures::CALL_INDIRECT_OVERLONG
            | WasmFeatures::BULK_MEMORY_OPT;
        assert_eq!(switched_on() - on, WasmFeatures::empty(), "on without anybody saying so");
        let table = include_str!("../../../docs/proposals.md");
        for Proposal { name, why, remedy, .. } in OFF {
            let row = format!("| {name} | {why} | {remedy} |");
            assert!(table.lines().any(|line| line == row), "not in docs/proposals.md: {row}");
        }
    }
}
