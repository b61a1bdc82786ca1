//! A Rust compiler for WebAssembly from the packages of Debian 12, for machines that cannot reach rustup's downloads.
//!
//! Nothing is installed, and no rights are needed: packages are downloaded with an apt state of our own and unpacked
//! into a folder. Debian has the compiler and the library's source, but the library built for WASI only from Debian 13
//! on, so it is built here once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::debian_apt::Apt;
use super::{rustc, toolchain, versions};
use crate::step;

/// Changes when a compiler that is there should be made anew.
const RECIPE: &str = "1";
const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

/// Where its own libraries are is told to the compiler by this script, which finds itself, as the folder is moved.
const WRAPPER: &str = r#"#!/bin/sh
home=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
LD_LIBRARY_PATH="$home/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "$home/usr/bin/rustc" "$@"
"#;

/// The compiler, made if it is not there.
pub(super) fn rustc() -> Result<PathBuf> {
    check_machine()?;
    let about = format!(
        "a Rust compiler and standard library for WebAssembly from Debian's packages ({} MB to download, about two \
         minutes, once)",
        versions::DEBIAN_MB
    );
    let home = toolchain::ensure("rust", &key(), &about, fill)?;
    Ok(home.join("rustc"))
}

/// Whether the compiler is made already.
pub(super) fn is_there() -> bool {
    toolchain::is_there("rust", &key())
}

fn key() -> String {
    format!("{} {RECIPE}", versions::DEBIAN)
}

fn check_machine() -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let debian = release.lines().any(|line| line == "ID=debian");
    let release = release
        .lines()
        .any(|line| line.trim_end() == format!("VERSION_CODENAME={}", versions::DEBIAN));
    ensure!(
        debian && release && cfg!(target_arch = "x86_64"),
        "this is not Debian 12 on amd64, whose packages would do"
    );
    for folder in rustc::linkers()? {
        ensure!(
            folder.is_dir(),
            "{} is missing: this Rust is not rustup's and brings no linkers",
            folder.display()
        );
    }
    Ok(())
}

fn fill(home: &Path) -> Result<()> {
    let work = home.join("work");
    fs::create_dir_all(&work)?;

    step::line("", "reading Debian's package lists (8 MB)");
    let apt = Apt::new(&work.join("apt"), versions::DEBIAN)?;
    let mut packages =
        vec!["rustc-web".to_owned(), "libstd-rust-web-dev".to_owned(), "rust-web-src".to_owned()];
    packages.extend(apt.missing_libraries("libstd-rust-web-dev")?);
    // The one of plain Debian 12 makes components that trap as soon as a directory is granted.
    packages.push(format!("wasi-libc/{}-backports", versions::DEBIAN));

    step::line("", &format!("downloading {}", packages.join(", ")));
    let archives = apt.download(&packages)?;
    step::line("", "unpacking them");
    for archive in archives {
        step::run(step::command("dpkg").arg("-x").arg(archive).arg(home))?;
    }

    let wrapper = home.join("rustc");
    fs::write(&wrapper, WRAPPER)?;
    // Not std's way, which is there on Unix only, while this compiles everywhere.
    step::run(step::command("chmod").arg("755").arg(&wrapper))?;
    for target in TARGETS {
        place_start_files(home, target)?;
    }
    step::line("", &format!("compiling the standard library for {}", TARGETS.join(" and ")));
    build_std(home, &work, &wrapper)?;

    for folder in
        [work, home.join("usr/lib/rustlib/src"), home.join("usr/src"), home.join("usr/share")]
    {
        toolchain::remove(&folder)?;
    }
    Ok(())
}

/// What the C library contributes to a program, where the compiler looks for it.
fn place_start_files(home: &Path, target: &str) -> Result<()> {
    let to = library(home, target).join("self-contained");
    fs::create_dir_all(&to)?;
    for name in ["crt1-command.o", "crt1-reactor.o", "libc.a"] {
        let from = home.join("usr/lib").join(target).join(name);
        fs::copy(&from, to.join(name))
            .with_context(|| format!("wasi-libc has no {}", from.display()))?;
    }
    Ok(())
}

fn build_std(home: &Path, work: &Path, wrapper: &Path) -> Result<()> {
    let package = work.join("empty");
    fs::create_dir_all(package.join("src"))?;
    fs::write(package.join("src/lib.rs"), "#![no_std]\n")?;
    fs::write(
        package.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;

    let output = work.join("target");
    let mut cargo = rustc::cargo_with(wrapper);
    cargo.current_dir(&package).args(["build", "--release", "--target-dir"]).arg(&output);
    cargo.arg("-Zbuild-std=std,panic_abort,proc_macro");
    for target in TARGETS {
        cargo.args(["--target", target]);
    }
    // Bitcode is what link-time optimisation of a guest works on.
    let mut flags = std::ffi::OsString::from("-Cembed-bitcode=yes\x1f");
    flags.push(rustc::remap(&home.join("usr/lib/rustlib/src/rust"), "/rustc"));
    // Building std is something cargo does for nightly compilers only, unless it is told that this is one.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags).env("RUSTC_BOOTSTRAP", "1");
    step::run(&mut cargo).context("cannot compile the standard library")?;

    for target in TARGETS {
        let mut libraries = 0;
        for entry in fs::read_dir(output.join(target).join("release/deps"))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".rlib") && !name.starts_with("libempty-") {
                fs::copy(&path, library(home, target).join(name.as_ref()))?;
                libraries += 1;
            }
        }
        if libraries == 0 {
            bail!("cargo made no libraries for {target}");
        }
    }
    Ok(())
}

fn library(home: &Path, target: &str) -> PathBuf {
    home.join("usr/lib/rustlib").join(target).join("lib")
}
