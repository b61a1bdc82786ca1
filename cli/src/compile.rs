//! `wasi-sidecar compile`: compiles an artifact to machine code ahead of time.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use cap_tempfile::TempFile;
use wasi_sidecar::{Dir, Engine, EngineConfig, units};

use crate::{
    args::CompileArgs,
    progress::Progress,
    report,
    source::{self, Source},
};

/// wasmtime writes machine code as an ELF file, for every system, with a section of this name.
const MARKER: &[u8] = b".wasmtime.engine";

/// Architectures that the feature `all-targets` adds.
const OTHERS: [&str; 5] = ["aarch64", "riscv64gc", "s390x", "x86_64", "pulley64"];

pub(crate) fn compile(args: &CompileArgs) -> Result<u8> {
    let source = Source::find(&args.file)?;
    let out = args.output.clone().unwrap_or_else(|| args.file.with_extension("cwasm"));
    let (Some(parent), Some(name)) = (parent(&out), out.file_name()) else {
        bail!("`{}` does not name a file to write to", out.display());
    };
    if source.is(&out) {
        bail!("the code would replace `{}` itself; give another file with `-o`", source.shown());
    }
    let dir = source::open_dir(&parent)?;
    if args.output.is_none() && dir.symlink_metadata(name).is_ok() && !is_code(&dir, &out)? {
        bail!(
            "`{}` is there and is no machine code; give `-o {}` to replace it",
            out.display(),
            out.display()
        );
    }
    if dir.metadata(name).is_ok_and(|metadata| metadata.is_dir()) {
        bail!("`{}` is a directory; give the file to write with `-o`", out.display());
    }

    let component = source.load(&Engine::new(&EngineConfig::new())?)?;
    let begin = Instant::now();
    let progress = Progress::start(format!("compiling {}", source.shown()));
    let code = component.precompile(args.target.as_deref());
    drop(progress);
    let code = code.map_err(|error| match args.target.as_deref().and_then(without_feature) {
        Some(advice) => anyhow::Error::new(error).context(advice),
        None => error.into(),
    });
    let (code, elapsed) = (code?, begin.elapsed());

    write(&dir, &out, &code).with_context(|| format!("failed to write `{}`", out.display()))?;
    report::note(&format!(
        "wrote {} ({}) for {} in {}\n",
        report::line(&out.display().to_string()),
        units::size(code.len() as u64),
        args.target.as_deref().unwrap_or("this machine"),
        units::time(elapsed)
    ));
    Ok(0)
}

/// What to do about a target for which this build has no compiler.
fn without_feature(target: &str) -> Option<String> {
    let architecture = target.split('-').next().unwrap_or_default();
    let here = std::env::consts::ARCH;
    if cfg!(feature = "all-targets") || architecture == here || !OTHERS.contains(&architecture) {
        return None;
    }
    Some(format!(
        "this `wasi-sidecar` compiles for {here} only; `cargo install --locked --path cli --features all-targets` builds \
         one that compiles for `{target}`"
    ))
}

/// The directory of a file.
fn parent(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { ".".into() } else { parent.to_owned() })
}

/// Whether an existing file is machine code, which can be made again.
fn is_code(dir: &Dir, path: &Path) -> Result<bool> {
    let failed = || format!("failed to look at `{}`, which is there already", path.display());
    let name = path.file_name().unwrap_or_default();
    if !dir.symlink_metadata(name).with_context(failed)?.is_file() {
        return Ok(false);
    }
    let mut bytes = Vec::new();
    dir.open(name).and_then(|mut file| file.read_to_end(&mut bytes)).with_context(failed)?;
    Ok(bytes.starts_with(b"\x7fELF") && bytes.windows(MARKER.len()).any(|part| part == MARKER))
}

/// Writes a temporary file and renames it, so a reader sees either the old or the new file.
fn write(dir: &Dir, path: &Path, code: &[u8]) -> std::io::Result<()> {
    let mut file = TempFile::new(dir)?;
    file.write_all(code)?;
    file.as_file().sync_all()?;
    file.replace(path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_of_another_architecture_says_what_would_compile_for_it() {
        let (other, this) = match std::env::consts::ARCH {
            "aarch64" => ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin"),
            _ => ("aarch64-apple-darwin", "x86_64-pc-windows-msvc"),
        };
        let advice = without_feature(other);
        assert_eq!(advice.is_some(), cfg!(not(feature = "all-targets")), "{advice:?}");
        assert!(advice.is_none_or(|text| text.contains("--features all-targets")));
        // The feature does not help with these.
        for target in [this, "zork", "", "wasm32-wasip2"] {
            assert_eq!(without_feature(target), None, "{target}");
        }
    }
}
