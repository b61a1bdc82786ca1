//! Unpacks the compiler and compiles its standard library.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::apt::Apt;
use crate::system::{console, paths, process};
use crate::toolchains::{install, rustup, versions};

/// Change it to rebuild existing compilers.
const RECIPE: &str = "1";
const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

/// Starts the compiler with its own libraries. The script finds its folder, which is moved after the build.
const WRAPPER: &str = r#"#!/bin/sh
home=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
LD_LIBRARY_PATH="$home/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "$home/usr/bin/rustc" "$@"
"#;

/// The path of the compiler, which is built if it is missing.
pub(crate) fn rustc() -> Result<PathBuf> {
    check_machine()?;
    let about = format!(
        "Rust for WebAssembly from Debian's packages ({} MB to download, about two minutes, once)",
        versions::DEBIAN_MB
    );
    let home = install::ensure("rust", &key(), &about, fill)?;
    Ok(home.join("rustc"))
}

pub(crate) fn is_installed() -> bool {
    install::is_installed("rust", &key())
}

fn key() -> String {
    format!("{} {RECIPE}", versions::DEBIAN)
}

fn check_machine() -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let has = |wanted: &str| release.lines().any(|line| line.trim_end() == wanted);
    let codename = format!("VERSION_CODENAME={}", versions::DEBIAN);
    ensure!(
        has("ID=debian") && has(&codename) && cfg!(target_arch = "x86_64"),
        "this system is not Debian 12 on amd64, whose packages have one"
    );
    for folder in rustup::linkers()? {
        ensure!(
            folder.is_dir(),
            "{} is missing: only rustup's toolchains include linkers for WebAssembly",
            folder.display()
        );
    }
    Ok(())
}

fn fill(home: &Path) -> Result<()> {
    let work = home.join("work");
    fs::create_dir_all(&work)?;

    console::step("", "reading Debian's package lists (8 MB)");
    let apt = Apt::new(&work.join("apt"), versions::DEBIAN)?;
    let mut packages =
        vec!["rustc-web".to_owned(), "libstd-rust-web-dev".to_owned(), "rust-web-src".to_owned()];
    packages.extend(apt.missing_libraries("libstd-rust-web-dev")?);
    // Components with the wasi-libc of Debian 12 itself trap if they are granted a directory.
    packages.push(format!("wasi-libc/{}-backports", versions::DEBIAN));

    console::step("", &format!("downloading {}", packages.join(", ")));
    let archives = apt.download(&packages)?;
    console::step("", "unpacking them");
    for archive in archives {
        process::run(process::command("dpkg").arg("-x").arg(archive).arg(home))?;
    }

    let wrapper = home.join("rustc");
    fs::write(&wrapper, WRAPPER)?;
    // std can set permissions only on Unix, and this file compiles on all systems.
    process::run(process::command("chmod").arg("755").arg(&wrapper))?;
    for target in TARGETS {
        copy_start_files(home, target)?;
    }
    console::step("", &format!("compiling the standard library for {}", TARGETS.join(" and ")));
    build_std(home, &work, &wrapper)?;

    for folder in
        [work, home.join("usr/lib/rustlib/src"), home.join("usr/src"), home.join("usr/share")]
    {
        paths::remove_folder(&folder)?;
    }
    Ok(())
}

/// Copies the C library to where the compiler looks for it.
fn copy_start_files(home: &Path, target: &str) -> Result<()> {
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
    let mut cargo = rustup::cargo_with(wrapper);
    cargo.current_dir(&package).args(["build", "--release", "--target-dir"]).arg(&output);
    cargo.arg("-Zbuild-std=std,panic_abort,proc_macro");
    for target in TARGETS {
        cargo.args(["--target", target]);
    }
    // Link-time optimisation of guests needs bitcode.
    let mut flags = std::ffi::OsString::from("-Cembed-bitcode=yes\x1f");
    flags.push(rustup::remap(&home.join("usr/lib/rustlib/src/rust"), "/rustc"));
    // cargo builds std only with nightly compilers, unless this is set.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags).env("RUSTC_BOOTSTRAP", "1");
    process::run(&mut cargo).context("cannot compile the standard library")?;

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
            bail!("cargo built no libraries for {target}");
        }
    }
    Ok(())
}

/// The folder of the standard library.
fn library(home: &Path, target: &str) -> PathBuf {
    home.join("usr/lib/rustlib").join(target).join("lib")
}
