//! The directories of the code cache and of its key on this machine.
//!
//! | | cache | key |
//! |---|---|---|
//! | Linux | `$XDG_CACHE_HOME`, else `~/.cache` | `$XDG_DATA_HOME`, else `~/.local/share` |
//! | macOS | `~/Library/Caches` | `~/Library/Application Support` |
//! | Windows | `%LOCALAPPDATA%` | `%APPDATA%` |
//!
//! Each is in a folder below: `wasi-sidecar/code` and `wasi-sidecar/keys`. So the key is never inside the cache.

use etcetera::BaseStrategy as _;
use wasi_sidecar::{CodeCache, ambient_authority};

use crate::report;

/// The code cache. Without one, this warns and every run compiles.
pub(crate) fn code_cache() -> Option<CodeCache> {
    let Ok(user) = etcetera::base_strategy::choose_native_strategy() else {
        report::warning("no code cache, as this user has no home directory; every run compiles");
        return None;
    };
    let cache = user.cache_dir().join("wasi-sidecar").join("code");
    let keys = user.data_dir().join("wasi-sidecar").join("keys");
    match CodeCache::open(&cache, &keys, ambient_authority()) {
        Ok(cache) => Some(cache),
        Err(error) => {
            report::warning(&format!(
                "no code cache, so every run compiles (`--no-cache` says that this is meant): {}",
                error.chain()
            ));
            None
        }
    }
}
