//! One configured sidecar: its artifact, what it is granted, and what may stand in for it.
//!
//! What can be told from the configuration alone is refused when the app starts. What depends on the machine (the artifact
//! is not there, a granted directory does not exist) is an error of the start of that sidecar, since it can change.

use std::{
    path::{Component as PathComponent, Path, PathBuf},
    sync::{Mutex, PoisonError, TryLockError},
};

use tauri::{Manager, Runtime};
use wasi_sidecar::{
    Access, AmbientAuthority, Artifact, Capabilities, Command, Component, Digest, Engine, Framing,
    Limits, NativeProgram, Program, Sidecar, Status, When, ambient_authority, units,
};

use crate::{
    Error, Result,
    ahead::Code,
    config::{OnReload, RawAccess, RawLimits, RawSidecar, RawWhen},
    error::short,
    place,
    status::Announcer,
};

/// The shortest line that can be set as the longest one. Each piece of a longer one is an event, and a few bytes of output must not
/// become as many events.
const LEAST_LINE: u64 = 1 << 10;

/// A sidecar, ready to be started.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    source: Option<Source>,
    pin: Option<Digest>,
    grants: Grants,
    limits: Limits,
    /// Bytes of a line that is delivered whole.
    pub(crate) max_line: usize,
    native: Option<(NativeProgram, When)>,
    announcer: Announcer,
    /// Machine code that lies beside the artifact.
    pub(crate) code: Option<Code>,
    pub(crate) preload: bool,
    pub(crate) shared: bool,
    pub(crate) on_reload: OnReload,
    /// Loaded when it is first needed. Failures are not kept: a file can appear.
    loaded: Mutex<Option<Component>>,
}

/// Where an artifact comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A file.
    Path(PathBuf),
    /// Memory: the only way on Android, where resources are no files.
    Bytes(Vec<u8>),
}

/// What a sidecar is granted; directories are opened for each start anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants {
    pub(crate) dirs: Vec<GrantedDir>,
    pub(crate) env: Vec<String>,
}

/// A directory by its names.
#[derive(Clone, Debug)]
pub(crate) struct GrantedDir {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) access: Access,
    pub(crate) dangerous: bool,
}

impl Entry {
    /// An entry for an artifact that the app brings along, with nothing granted and default limits.
    pub(crate) fn bare(
        name: String,
        source: Source,
        on_reload: OnReload,
        announcer: Announcer,
    ) -> Self {
        Self {
            name,
            source: Some(source),
            pin: None,
            grants: Grants::default(),
            limits: Limits::new(),
            max_line: Framing::MAX_LINE,
            native: None,
            announcer,
            code: None,
            preload: false,
            shared: false,
            on_reload,
            loaded: Mutex::new(None),
        }
    }

    /// Checks what the configuration says of one sidecar. `source` is what the app itself brings for it.
    pub(crate) fn from_config<R: Runtime>(
        app: &impl Manager<R>,
        name: &str,
        raw: &RawSidecar,
        source: Option<Source>,
        on_reload: OnReload,
        announcer: Announcer,
    ) -> Result<Self> {
        let refuse = |text: String| Error::Config(format!("sidecars.{name}.{text}"));
        let runtime = |key: &'static str| {
            move |error: wasi_sidecar::Error| refuse(format!("{key}: {}", error.chain()))
        };
        let source = match (source, &raw.component) {
            (Some(source), _) => Some(source),
            (None, Some(Some(path))) => Some(Source::Path(
                place::resource(app, path)
                    .map_err(|error| refuse(format!("component: {error}")))?,
            )),
            (None, Some(None) | None) => None,
        };
        let native = raw.native.as_ref().map(|native| {
            let path = place::beside_executable(Path::new(&native.program))
                .map_err(|error| refuse(format!("native.program: {error}")))?;
            Ok::<_, Error>((NativeProgram::new(path, ambient_authority()), native.when.into()))
        });
        let native = native.transpose()?;
        let registered_later = raw.component == Some(None);
        if source.is_none() && !registered_later && !matches!(native, Some((_, When::Always))) {
            return Err(refuse(
                "component: missing; name the .wasm file, or register its bytes with `Builder::component`".into(),
            ));
        }
        for (key, hosts) in [("network", &raw.grants.network), ("http", &raw.grants.http)] {
            if !hosts.is_empty() {
                return Err(refuse(format!(
                    "grants.{key}: this version offers no network, and a grant that cannot be given is an error; \
                     remove it"
                )));
            }
        }
        let mut grants = Grants { dirs: Vec::new(), env: raw.grants.env.clone() };
        for dir in &raw.grants.dirs {
            let host = place::directory(app, &dir.host)
                .map_err(|error| refuse(format!("grants.dirs: {error}")))?;
            Capabilities::check_guest_path(&dir.guest).map_err(runtime("grants.dirs"))?;
            grants.dirs.push(GrantedDir {
                host,
                guest: dir.guest.clone(),
                access: dir.access.into(),
                dangerous: dir.dangerous,
            });
        }
        // Names are checked by the runtime; nothing is read here.
        for name in &grants.env {
            Capabilities::new().env(name.as_str()).map_err(runtime("grants.env"))?;
        }
        let limited = |(key, error): (&str, wasi_sidecar::Error)| {
            refuse(format!("limits.{key}{}", error.chain()))
        };
        let pin = raw.sha256.as_deref().map(str::parse::<Digest>).transpose();
        Ok(Self {
            name: name.to_owned(),
            source,
            pin: pin.map_err(runtime("sha256"))?,
            grants,
            limits: limits(&raw.limits).map_err(limited)?,
            max_line: match &raw.limits.line {
                Some(text) => {
                    max_line(text).map_err(|text| refuse(format!("limits.line: {text}")))?
                }
                None => Framing::MAX_LINE,
            },
            native,
            announcer,
            code: None,
            preload: raw.preload,
            shared: raw.shared,
            on_reload: raw.on_reload.unwrap_or(on_reload),
            loaded: Mutex::new(None),
        })
    }

    /// The same entry with another artifact; a pin holds for it as well.
    pub(crate) fn with_source(&self, source: Source) -> Self {
        Self {
            name: self.name.clone(),
            source: Some(source),
            pin: self.pin,
            grants: self.grants.clone(),
            limits: self.limits.clone(),
            max_line: self.max_line,
            native: self.native.clone(),
            announcer: self.announcer.clone(),
            code: None,
            preload: self.preload,
            shared: self.shared,
            on_reload: self.on_reload,
            loaded: Mutex::new(None),
        }
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn twin(&self) -> Option<When> {
        self.native.as_ref().map(|(_, when)| *when)
    }

    /// Loads the artifact, and says what would run. Reads and hashes a file the first time.
    ///
    /// # Errors
    ///
    /// When there is neither an artifact nor a twin that needs none.
    pub(crate) fn sidecar(&self, engine: &Engine) -> Result<Sidecar> {
        match self.always_native() {
            Some(sidecar) => Ok(sidecar),
            None => Ok(self.sidecar_of(self.component(engine)?)),
        }
    }

    /// The artifact, or why there is none, and what would run. What cannot be loaded is tried once, so the log has one warning
    /// of it.
    pub(crate) fn artifact_and_sidecar(
        &self,
        engine: &Engine,
    ) -> (Result<Artifact>, Result<Sidecar>) {
        let loaded = self.component(engine);
        let artifact = match &loaded {
            Ok(Ok(component)) => Ok(component.artifact().clone()),
            Ok(Err(error)) => Err(error.clone().into()),
            Err(_) => Err(Error::NoArtifact(self.name.clone())),
        };
        let sidecar = match self.always_native() {
            Some(sidecar) => Ok(sidecar),
            None => loaded.map(|component| self.sidecar_of(component)),
        };
        (artifact, sidecar)
    }

    /// A sidecar whose artifact does not matter, and may not be there.
    fn always_native(&self) -> Option<Sidecar> {
        match &self.native {
            Some((program, When::Always)) => {
                Some(Sidecar::always_native(&self.name, program.clone()))
            }
            _ => None,
        }
    }

    fn sidecar_of(&self, component: wasi_sidecar::Result<Component>) -> Sidecar {
        let mut sidecar = Sidecar::new(&self.name, component).limits(self.limits.clone());
        if let Some(digest) = self.pin {
            sidecar = sidecar.pin(digest);
        }
        if let Some((program, when)) = &self.native {
            sidecar = sidecar.native(program.clone(), *when);
        }
        sidecar
    }

    /// A command with all that is granted. `with_env`: whether the granted environment entries are passed on.
    ///
    /// A native twin is what its author says it is: it gets the environment of the app, as with the shell plugin, and
    /// no grants.
    pub(crate) fn command(&self, engine: &Engine, with_env: bool) -> Result<Command> {
        let mut command = self.sidecar(engine)?.command()?;
        match command.program() {
            Program::Native(_) => command.inherit_env(),
            _ => {
                command.capabilities(self.capabilities(ambient_authority()).map_err(|source| {
                    self.tell("a grant of it cannot be given", &source);
                    Error::Grant { sidecar: self.name.clone(), source }
                })?)
            }
        };
        if !with_env {
            command.env_clear();
        }
        Ok(command)
    }

    /// The artifact, or why it cannot be had: an error of ours when there is none yet, of the runtime when there is one that
    /// cannot be loaded.
    pub(crate) fn component(&self, engine: &Engine) -> Result<wasi_sidecar::Result<Component>> {
        let mut slot = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = &*slot {
            return Ok(Ok(component.clone()));
        }
        let loaded = match (&self.source, &self.pin) {
            (None, _) => return Err(Error::NoArtifact(self.name.clone())),
            (Some(Source::Bytes(bytes)), None) => Component::new(engine, bytes.clone()),
            (Some(Source::Bytes(bytes)), Some(pin)) => {
                Component::pinned(engine, bytes.clone(), pin)
            }
            (Some(Source::Path(path)), pin) => {
                let loaded = Component::from_path(engine, path, pin.as_ref(), ambient_authority());
                match &self.code {
                    Some(code) => loaded.map(|component| code.beside(path, component)),
                    None => loaded,
                }
            }
        };
        Ok(loaded
            .inspect(|component| {
                self.announcer.follow(&self.name, component.watch_status());
                *slot = Some(component.clone());
            })
            .inspect_err(|error| self.tell("it cannot be loaded", error)))
    }

    /// Tells the log what was refused, whoever asked for it. The text can have names out of the artifact, and is for whoever
    /// looks closer.
    fn tell(&self, what: &'static str, error: &wasi_sidecar::Error) {
        tracing::warn!(sidecar = self.name, kind = ?error.kind(), "{what}");
        tracing::debug!(sidecar = self.name, error = ?short(error.chain()), "{what} because");
    }

    /// How far its code is. Reads no file: of an artifact that nobody has needed yet, nothing is known.
    pub(crate) fn status(&self, engine: &Engine) -> Result<Status> {
        if matches!(self.native, Some((_, When::Always))) {
            return Ok(Status::Native);
        }
        let is_loaded = match self.loaded.try_lock() {
            Ok(slot) => slot.is_some(),
            // It is being read just now.
            Err(TryLockError::WouldBlock) => return Ok(Status::Queued),
            Err(TryLockError::Poisoned(slot)) => slot.into_inner().is_some(),
        };
        if is_loaded { Ok(self.sidecar(engine)?.status()) } else { Ok(Status::NotAsked) }
    }

    fn capabilities(&self, authority: AmbientAuthority) -> wasi_sidecar::Result<Capabilities> {
        let mut held = Capabilities::new();
        for dir in &self.grants.dirs {
            let (host, guest) = (&dir.host, dir.guest.as_str());
            held = match dir.dangerous {
                true => held.dangerous_dir(host, guest, dir.access, authority)?,
                false => held.dir(host, guest, dir.access, authority)?,
            };
        }
        for name in &self.grants.env {
            held = held.env(name.as_str())?;
        }
        Ok(held)
    }

    /// Where a path of the guest's lies on the host, if a grant covers it: the innermost one, as for a component.
    #[expect(clippy::disallowed_methods, reason = "a twin's directory, which no sandbox confines")]
    pub(crate) fn host_path(&self, guest: &Path) -> Option<PathBuf> {
        let covers = |dir: &&GrantedDir| guest.starts_with(&dir.guest);
        let dir = self.grants.dirs.iter().filter(covers).max_by_key(|dir| dir.guest.len())?;
        let rest = guest.strip_prefix(&dir.guest).ok()?;
        // Nothing that a system takes for more than a name, `C:` for one; and no link that leads out.
        let names = |part| matches!(part, PathComponent::Normal(name) if !name.to_string_lossy().contains(':'));
        if !rest.components().all(names) {
            return None;
        }
        let granted = dir.host.canonicalize().ok()?;
        granted.join(rest).canonicalize().ok().filter(|path| path.starts_with(&granted))
    }
}

fn max_line(text: &str) -> Result<usize, String> {
    let bytes = units::parse_size(text).map_err(|error| error.chain())?;
    if bytes < LEAST_LINE {
        return Err("at least 1 KiB".into());
    }
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn limits(raw: &RawLimits) -> Result<Limits, (&'static str, wasi_sidecar::Error)> {
    let size = |text: &Option<String>, key| {
        text.as_deref().map(units::parse_size).transpose().map_err(|error| (key, error))
    };
    let time = |text: &Option<String>, key| {
        text.as_deref().map(units::parse_duration).transpose().map_err(|error| (key, error))
    };
    let mut limits = Limits::new();
    if let Some(bytes) = size(&raw.memory, "memory: ")? {
        limits = limits.memory(bytes);
    }
    if let Some(duration) = time(&raw.time, "time: ")? {
        limits = limits.time(duration);
    }
    if let Some(duration) = time(&raw.cpu_time, "cpuTime: ")? {
        limits = limits.cpu_time(duration);
    }
    if let Some(elements) = raw.table_elements {
        limits = limits.table_elements(elements);
    }
    if let Some(instances) = raw.instances {
        limits = limits.instances(instances);
    }
    if let Some(memories) = raw.memories {
        limits = limits.memories(memories);
    }
    if let Some(tables) = raw.tables {
        limits = limits.tables(tables);
    }
    if let Some(handles) = raw.handles {
        limits = limits.handles(handles);
    }
    if let Some(bytes) = size(&raw.call_bytes, "callBytes: ")? {
        limits = limits.call_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(bytes) = size(&raw.random_bytes, "randomBytes: ")? {
        limits = limits.random_bytes(bytes);
    }
    limits.check().map_err(|error| ("", error))?;
    Ok(limits)
}

impl From<RawAccess> for Access {
    fn from(raw: RawAccess) -> Self {
        match raw {
            RawAccess::ReadOnly => Self::ReadOnly,
            RawAccess::ReadWrite => Self::ReadWrite,
        }
    }
}

impl From<RawWhen> for When {
    fn from(raw: RawWhen) -> Self {
        match raw {
            RawWhen::Never => Self::Never,
            RawWhen::Unavailable => Self::Unavailable,
            RawWhen::Always => Self::Always,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    const TABLE: &str = include_str!("../../docs/limits.md");

    fn read(limits: &str) -> Result<RawLimits, serde_json::Error> {
        let json = format!(r#"{{ "sidecars": {{ "a": {{ "limits": {limits} }} }} }}"#);
        let config = serde_json::from_str::<Config>(&json)?;
        Ok(config.raw.sidecars["a"].limits.clone())
    }

    #[test]
    fn each_key_sets_its_limit() {
        let raw = read(
            r#"{ "memory": "1 MiB", "time": "2s", "cpuTime": "3s", "tableElements": 4, "instances": 5,
                 "memories": 6, "tables": 7, "handles": 20, "callBytes": "9 KiB", "randomBytes": "10" }"#,
        );
        let found = limits(&raw.expect("all of them are known")).expect("all are in range");
        let expected = Limits::new().memory(1 << 20).time(Duration::from_secs(2));
        let expected = expected.cpu_time(Duration::from_secs(3)).table_elements(4).instances(5);
        let expected = expected.memories(6).tables(7).handles(20).call_bytes(9 << 10);
        assert_eq!(found, expected.random_bytes(10));
    }

    #[test]
    fn the_table_of_limits_has_the_keys_there_are() {
        let keys: Vec<&str> = TABLE
            .split('`')
            .filter_map(|word| word.strip_prefix("limits."))
            .filter(|key| !key.ends_with(".rs") && *key != "rs")
            .collect();
        // An unknown key is told together with all that are known.
        let refused = read(r#"{ "zebra": 1 }"#).expect_err("there is no such key").to_string();
        let known = refused.split('`').skip(3).step_by(2).filter(|word| !word.is_empty());
        let mut known: Vec<&str> = known.collect();
        let mut told = keys;
        known.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, known, "{refused}");
        for key in ["maxGuests", "maxArtifactSize", "guestStack"] {
            assert!(TABLE.contains(&format!("`engine.{key}`")), "{key}");
        }
    }
}
