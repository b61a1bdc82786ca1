//! What every scene needs: an engine with a code cache, and the programs.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};
use wasi_sidecar::{
    ArtifactSource, CodeCache, CodeOrigin, Component, Dir, Engine, EngineConfig, LoadOptions,
    NativeProgram, Program, ambient_authority, units,
};
use wasi_sidecar_guests::Kind;

use crate::screen;

pub(crate) struct Stage {
    engine: Engine,
    /// Whether guests in other languages than Rust are left out, which takes their compilers.
    pub(crate) quick: bool,
    /// The repository, which is what the programs work on.
    pub(crate) root: Dir,
}

impl Stage {
    pub(crate) fn new(quick: bool) -> Result<Stage> {
        let repository = Dir::open_ambient_dir(root(), ambient_authority())
            .with_context(|| format!("cannot open `{}`", root().display()))?;
        let place = root().join("target/demo");
        let (code, keys) = (place.join("code"), place.join("keys"));
        let cache = CodeCache::open(&code, &keys, ambient_authority())
            .with_context(|| format!("cannot keep compiled code in `{}`", place.display()))?;
        let engine = Engine::new(&EngineConfig::new().code_cache(cache))?;
        Ok(Stage { engine, quick, root: repository })
    }

    /// A Rust program as a component, and its native fallback.
    pub(crate) async fn fallbacks(&self, name: &str) -> Result<[Program; 2]> {
        let native = wasi_sidecar_guests::native(name)?;
        let component = self.component(Kind::Component, name).await?;
        Ok([component.into(), NativeProgram::new(native, ambient_authority()).into()])
    }

    /// Loads a component and has its machine code made, or read from the cache, and says which.
    pub(crate) async fn component(&self, kind: Kind<'_>, name: &str) -> Result<Component> {
        let path = match kind {
            Kind::Language(language) => wasi_sidecar_guests::language(language, name)?,
            _ => wasi_sidecar_guests::component(name)?,
        };
        let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let folder = path.parent().context("a file lies in a folder")?;
        let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
        let file = path.file_name().context("a guest is a file")?;
        let size = units::size(folder.metadata(file)?.len());

        let start = Instant::now();
        let component =
            Component::load(&self.engine, ArtifactSource::file(&folder, file), LoadOptions::new())?;
        {
            let _progress = screen::progress(format!("making machine code of {shown} ({size})"));
            component.compile().await?;
        }
        let took = units::time(start.elapsed());
        let code = match component.code_origin() {
            Some(CodeOrigin::AheadOfTime) => format!("made ahead of time, and loaded in {took}"),
            Some(CodeOrigin::Cache) => format!("not compiled: code from the cache in {took}"),
            _ => format!("compiled in {took}, and cached"),
        };
        screen::line(&format!("{shown}, {size}: {code}"))?;
        Ok(component)
    }
}

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}
