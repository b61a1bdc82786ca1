//! Tells a developer, once, that the compiler itself was built without optimisation.
//!
//! An app's debug build compiles its dependencies unoptimised, and an unoptimised compiler takes 20 to 60 times as
//! long. The app may have optimised just these crates, which code cannot see. So the time of a compilation decides.

use std::{sync::Once, thread, time::Duration};

/// Shorter compilations bother nobody, and other load on the machine could explain them.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Milliseconds on one core per KiB of an artifact. Measured: 1 to 2.5 for an optimised compiler, 20 and more for an
/// unoptimised one.
const SLOW: f64 = 12.0;

/// KiB of an artifact that keep one core busy. Smaller artifacts have too few functions to share.
const SHARE: usize = 32;

/// Lines to add to the workspace's `Cargo.toml`. The README of the plugin has the same lines.
const LINES: &str = "[profile.dev.package.cranelift-codegen] opt-level = 2, and the same for regalloc2, wasmtime, \
    wasmtime-environ, wasmtime-internal-cranelift, cranelift-frontend, cranelift-entity, cranelift-bforest, wasmparser, \
    hashbrown, smallvec, rustc-hash, object, gimli, blake3, sha2";

/// Logs the hint if this compilation was that slow. Debug builds only.
pub(crate) fn warn_once(bytes: usize, elapsed: Duration) {
    static SAID: Once = Once::new();
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if cfg!(debug_assertions) && is_slow(bytes, elapsed, cores) {
        SAID.call_once(|| {
            tracing::warn!(
                bytes,
                ?elapsed,
                "compiling is slow because the compiler is built without optimisation; 20 to 60 times faster with this in \
                 Cargo.toml: {LINES}"
            );
        });
    }
}

/// Whether even a busy optimised compiler would not have taken this long on this many cores.
fn is_slow(bytes: usize, elapsed: Duration, cores: usize) -> bool {
    let size = (bytes >> 10).max(1);
    let busy = cores.min(size / SHARE).max(1);
    let per_size = elapsed.as_secs_f64() * 1000.0 * busy as f64 / size as f64;
    elapsed >= PATIENCE && per_size > SLOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unoptimised_compiler_is_called_slow() {
        let rows = [
            // Measured with optimisation on two cores: a small component, SQLite, Python.
            (18 << 10, 40, 2, false),
            (1536 << 10, 1_700, 2, false),
            (18 << 20, 8_700, 2, false),
            // The same on more cores, and on a machine under as much load again.
            (1536 << 10, 500, 16, false),
            (18 << 20, 1_500, 16, false),
            (1536 << 10, 3_400, 2, false),
            // The same, twenty times slower.
            (18 << 10, 800, 2, false), // too short to be sure
            (100 << 10, 5_000, 2, true),
            (1536 << 10, 34_000, 2, true),
            (18 << 20, 174_000, 2, true),
            (18 << 20, 25_000, 16, true),
            // Zero sizes do not divide by zero.
            (0, 10_000, 1, true),
            (0, 0, 0, false),
        ];
        for (bytes, ms, cores, slow) in rows {
            let elapsed = Duration::from_millis(ms);
            assert_eq!(
                is_slow(bytes, elapsed, cores),
                slow,
                "{bytes} bytes, {ms} ms, {cores} cores"
            );
        }
    }
}
