//! The state of the plugin: the configured sidecars, the engine they run on, and the children there are.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tauri::{AppHandle, Manager, Runtime};
use wasi_sidecar::{
    Artifact, Backend, CodeCache, CompileChild, CompileOptions, Engine, EngineConfig, Limits,
    Status, When, ambient_authority, units,
};

use crate::{
    Error, Result,
    builder::Registered,
    children::Children,
    config::{Config, OnReload, RawCompile, RawConfig},
    entry::{Entry, GrantedDir, Source},
    page_limits::PageLimits,
    process::Command,
    status::Announcer,
};

/// The sidecars of an app; from [`SidecarExt::sidecars`](crate::SidecarExt::sidecars).
#[derive(Debug)]
pub struct Sidecars {
    engine: Engine,
    entries: RwLock<BTreeMap<String, Arc<Entry>>>,
    /// What becomes of children of sidecars that the configuration does not have.
    on_reload: OnReload,
    children: Children,
    announcer: Announcer,
}

impl Sidecars {
    /// Checks the configuration and sets up the engine.
    pub(crate) fn new<R: Runtime>(
        app: &AppHandle<R>,
        config: &Config,
        registered: Registered,
    ) -> Result<Self> {
        let raw = &config.raw;
        let announcer = Announcer::new(app.clone());
        let mut sources = registered.components;
        let mut code = registered.code.by_name()?;
        let mut entries = BTreeMap::new();
        for (name, sidecar) in &raw.sidecars {
            let source = sources.remove(name);
            let mut entry =
                Entry::from_config(app, name, sidecar, source, raw.on_reload, announcer.clone())?;
            entry.code = code.remove(name.as_str());
            entries.insert(name.clone(), Arc::new(entry));
        }
        for (name, source) in sources {
            let entry = Entry::bare(name.clone(), source, raw.on_reload, announcer.clone());
            entries.insert(name, Arc::new(entry));
        }
        let engine = Engine::new(&engine_config(app, raw, registered.engine)?)?;
        let entries = RwLock::new(entries);
        let on_reload = raw.on_reload;
        let children = Children::new(PageLimits::from_config(&raw.webviews)?);
        let sidecars = Self { engine, entries, on_reload, children, announcer };
        sidecars.preload();
        Ok(sidecars)
    }

    /// A command for a sidecar: by its configured name, or by the last part of it.
    ///
    /// Reads and hashes the artifact the first time; it is compiled when it is first started.
    ///
    /// # Errors
    ///
    /// When there is no such sidecar, when it cannot run here and nothing may stand in for it, and when a directory that it
    /// is granted cannot be opened.
    pub fn sidecar(&self, program: impl AsRef<Path>) -> Result<Command> {
        let entry = self.entry(&program.as_ref().to_string_lossy())?;
        let command = entry.command(&self.engine, true)?;
        Ok(Command::new(command, entry.max_line, self.children.clone()))
    }

    /// Gives a sidecar another artifact, or makes one that has nothing granted: for programs that are chosen while the app
    /// runs. A configured one is found as by [`sidecar`](Self::sidecar), and keeps its grants, its limits and its pin.
    /// Children that run go on with the old artifact.
    ///
    /// # Errors
    ///
    /// What the bytes are, when they are no sidecar or not the pinned one.
    pub fn register(&self, name: &str, wasm: impl Into<Vec<u8>>) -> Result<()> {
        let wasm = wasm.into();
        Artifact::identify(&wasm)?.check_runnable()?;
        let source = Source::Bytes(wasm);
        let entry = match self.entry(name) {
            Ok(entry) => entry.with_source(source),
            Err(Error::SidecarNotAllowed(_)) => {
                Entry::bare(name.to_owned(), source, self.on_reload, self.announcer.clone())
            }
            Err(error) => return Err(error),
        };
        entry.component(&self.engine)??;
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(entry.name.clone(), Arc::new(entry));
        Ok(())
    }

    /// The names of all sidecars, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.keys().cloned().collect()
    }

    /// What a sidecar is, what it holds, and what would run it.
    ///
    /// # Errors
    ///
    /// When there is no such sidecar.
    pub fn about(&self, program: &str) -> Result<About> {
        let entry = self.entry(program)?;
        let (artifact, sidecar) = entry.artifact_and_sidecar(&self.engine);
        Ok(About {
            artifact,
            backend: sidecar.and_then(|sidecar| Ok(sidecar.backend()?)),
            dirs: entry.grants().dirs.iter().map(About::dir).collect(),
            env: entry.grants().env.clone(),
            limits: entry.limits().clone(),
            twin: entry.twin(),
            name: entry.name.clone(),
        })
    }

    /// How far a sidecar's code is: what to show while its first start takes long. Pages are told of every change by the event
    /// `wasi-sidecar://status`.
    ///
    /// Reads no file. One that nobody has started or preloaded is [`Status::NotAsked`], also when it could not be.
    ///
    /// # Errors
    ///
    /// When there is no such sidecar, and when an artifact for it is still to be registered.
    pub fn status(&self, program: &str) -> Result<Status> {
        self.entry(program)?.status(&self.engine)
    }

    /// The engine, for what the plugin has no words for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn children(&self) -> &Children {
        &self.children
    }

    /// Finds a sidecar by its whole name or by the last part of it. The shell plugin wants the one in JavaScript and the
    /// other in Rust; here both work in both, as do names that end in `.exe`.
    pub(crate) fn entry(&self, program: &str) -> Result<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let program = program.strip_suffix(".exe").unwrap_or(program);
        if let Some(entry) = entries.get(program) {
            return Ok(Arc::clone(entry));
        }
        let mut same = entries.values().filter(|entry| last_part(&entry.name) == program);
        match (same.next(), same.next()) {
            (Some(entry), None) => Ok(Arc::clone(entry)),
            (Some(one), Some(other)) => Err(Error::Ambiguous(
                program.to_owned(),
                format!("`{}` and `{}`", one.name, other.name),
            )),
            (None, _) => Err(Error::SidecarNotAllowed(PathBuf::from(program))),
        }
    }

    /// Compiles those that are to be ready when they are first started.
    fn preload(&self) {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.values().filter(|entry| entry.preload) {
            let (entry, engine) = (Arc::clone(entry), self.engine.clone());
            tauri::async_runtime::spawn(async move {
                let load = tauri::async_runtime::spawn_blocking({
                    let entry = Arc::clone(&entry);
                    move || entry.sidecar(&engine)
                });
                // One whose artifact is still to come is not ready yet.
                let Ok(Ok(sidecar)) = load.await else { return };
                // An error is told by whoever starts it.
                if let Err(error) = sidecar.preload().await {
                    // Its text can have names out of the artifact.
                    tracing::warn!(sidecar = entry.name, kind = ?error.kind(), "could not be preloaded");
                    tracing::debug!(sidecar = entry.name, error = %error.chain(), "could not be preloaded because");
                }
            });
        }
    }
}

/// The last part of a configured name: `word-count` of `binaries/word-count`.
pub(crate) fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// What a sidecar is; from [`Sidecars::about`].
#[derive(Debug)]
#[non_exhaustive]
pub struct About {
    /// The name it is configured by.
    pub name: String,
    /// Its artifact, or why there is none.
    pub artifact: Result<Artifact>,
    /// What would run it now, or why nothing would.
    pub backend: Result<Backend>,
    /// The directories it is granted.
    pub dirs: Vec<AboutDir>,
    /// The environment entries it is granted.
    pub env: Vec<String>,
    /// How much it may use.
    pub limits: Limits,
    /// When its native twin stands in, if it has one.
    pub twin: Option<When>,
}

/// A granted directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AboutDir {
    /// Where it is.
    pub host: PathBuf,
    /// What the guest calls it.
    pub guest: String,
    /// What may be done there.
    pub access: wasi_sidecar::Access,
}

impl About {
    fn dir(dir: &GrantedDir) -> AboutDir {
        AboutDir { host: dir.host.clone(), guest: dir.guest.clone(), access: dir.access }
    }
}

/// The engine of the configuration, with compiled code kept where this app keeps what can be made anew.
fn engine_config<R: Runtime>(
    app: &AppHandle<R>,
    raw: &RawConfig,
    mut config: EngineConfig,
) -> Result<EngineConfig> {
    let size = |key: &str, text: &str| {
        let refuse = |error: wasi_sidecar::Error| Error::Config(format!("engine.{key}: {error}"));
        units::parse_size(text).map_err(refuse)
    };
    if let Some(guests) = raw.engine.max_guests {
        config = config.max_guests(guests);
    }
    if let Some(guests) = raw.engine.pooled_guests {
        config = config.pooled_guests(guests);
    }
    if let Some(text) = &raw.engine.max_artifact_size {
        config = config.max_artifact_size(size("maxArtifactSize", text)?);
    }
    if let Some(text) = &raw.engine.guest_stack {
        let bytes = size("guestStack", text)?;
        config = config.guest_stack(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(child) = compile_child(&raw.engine.compile, config.compile_child())? {
        config = config.compile_isolated(child);
    }
    // Whoever sets the child, the configuration can change its limits.
    if let Some(child) = config.compile_child() {
        let child = child.clone().options(COMPILE_OPTIONS);
        config = config.compile_isolated(child);
    }
    if raw.code_cache == Some(false) {
        return Ok(config);
    }
    // A cache only costs or saves time: without one every start of the app compiles.
    Ok(match code_cache(app) {
        Ok(cache) => config.code_cache(cache),
        Err(error) => {
            tracing::warn!(%error, "compiled code is not kept");
            config
        }
    })
}

/// What the limits of compiling are called in the configuration.
const COMPILE_OPTIONS: CompileOptions = CompileOptions {
    memory: "engine.compile.memory",
    cpu_time: "engine.compile.cpuTime",
    time: "engine.compile.time",
    trust: "sha256",
};

/// A compile child with the limits of the configuration, if there are any. What the app has set on its own `brought` one holds
/// where the configuration says nothing.
fn compile_child(raw: &RawCompile, brought: Option<&CompileChild>) -> Result<Option<CompileChild>> {
    let RawCompile { memory, cpu_time, time } = raw;
    if memory.is_none() && cpu_time.is_none() && time.is_none() {
        return Ok(None);
    }
    let refuse = |key: &'static str| {
        move |error: wasi_sidecar::Error| Error::Config(format!("engine.compile{key}: {error}"))
    };
    let mut child = match brought {
        Some(child) => child.clone(),
        None => CompileChild::this_program(ambient_authority()).map_err(refuse(""))?,
    };
    if let Some(text) = memory {
        child = child.memory(units::parse_size(text).map_err(refuse(".memory"))?);
        child.clone().options(COMPILE_OPTIONS).check().map_err(refuse(".memory"))?;
    }
    if let Some(text) = cpu_time {
        child = child.cpu_time(units::parse_duration(text).map_err(refuse(".cpuTime"))?);
        child.clone().options(COMPILE_OPTIONS).check().map_err(refuse(".cpuTime"))?;
    }
    if let Some(text) = time {
        child = child.time(units::parse_duration(text).map_err(refuse(".time"))?);
    }
    Ok(Some(child))
}

/// The cache, and elsewhere the key that seals it. Neither may be granted to a guest, so the key is not put where an app
/// keeps the data that it would grant.
fn code_cache<R: Runtime>(app: &AppHandle<R>) -> Result<CodeCache> {
    let unknown = |error: tauri::Error| Error::Config(error.to_string());
    let paths = app.path();
    let cache = paths.app_cache_dir().map_err(unknown)?;
    let keys =
        if cfg!(target_os = "linux") { paths.app_config_dir() } else { paths.app_local_data_dir() };
    let keys = keys.map_err(unknown)?;
    let folder = Path::new("wasi-sidecar");
    Ok(CodeCache::open(
        &cache.join(folder).join("code"),
        &keys.join(folder).join("keys"),
        ambient_authority(),
    )?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn limits_of_the_configuration_come_on_top_of_the_apps_own_compile_child() {
        let brought = CompileChild::program("/compiler", ambient_authority());
        let raw = RawCompile { time: Some("3 s".into()), ..RawCompile::default() };
        let child = compile_child(&raw, Some(&brought)).expect("time is limited everywhere");
        let expected = brought.clone().time(Duration::from_secs(3));
        assert_eq!(format!("{child:?}"), format!("{:?}", Some(expected)));
        if cfg!(target_os = "linux") {
            let brought = brought.clone().memory(1 << 30);
            let child = compile_child(&raw, Some(&brought)).expect("so is memory here");
            let expected = brought.time(Duration::from_secs(3));
            assert_eq!(format!("{child:?}"), format!("{:?}", Some(expected)));
        }
        let nothing = compile_child(&RawCompile::default(), Some(&brought));
        assert!(matches!(nothing, Ok(None)), "the app's own stays: {nothing:?}");
    }
}
