//! `zig cc`, a C compiler that includes a C library for WASI. It compiles guests in C and the C parts of Rust guests.

use std::env;
use std::process::Command;

use anyhow::{Context, Result};

use super::{pip, versions};
use crate::system::paths;

/// Makes cargo compile the C code of dependencies for a WASI target. Object files are the same for modules and components.
pub(crate) fn use_in_cargo(cargo: &mut Command, target: &str) -> Result<()> {
    let folder = pip::ensure(&versions::ZIG)?;
    // The command may have a PATH of its own already.
    let path = cargo.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path);
    let path = path.map(ToOwned::to_owned).or_else(|| env::var_os("PATH")).unwrap_or_default();
    let mut folders = vec![folder.join("ziglang")];
    folders.extend(env::split_paths(&path));
    cargo.env("PATH", env::join_paths(folders).context("cannot add a folder to PATH")?);
    // By name, because `CC` is split at spaces, which a path may have.
    let target = target.replace('-', "_");
    cargo.env(format!("CC_{target}"), "zig cc").env(format!("AR_{target}"), "zig ar");
    cargo.env(format!("CFLAGS_{target}"), "-target wasm32-wasi -O2");
    // Zig does not know the target's name in the default flags of the crate `cc`.
    set_cache(cargo.env("CRATE_CC_NO_DEFAULTS", "1"));
    Ok(())
}

/// Keeps Zig's C library, which it compiles on first use, in our scratch folder.
pub(crate) fn set_cache(zig: &mut Command) -> &mut Command {
    let scratch = paths::guest_scratch().join("zig");
    zig.env("ZIG_GLOBAL_CACHE_DIR", &scratch).env("ZIG_LOCAL_CACHE_DIR", &scratch)
}
