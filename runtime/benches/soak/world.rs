//! What all tasks share: an engine with its components, a code cache that somebody keeps damaging, and a place for files.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use wasi_sidecar::{
    ArtifactSource, CodeCache, Command, Component, Engine, EngineConfig, LoadOptions,
    NativeProgram, ambient_authority,
};

use crate::random::Random;

const GUESTS: [&str; 14] = [
    "args",
    "big-line",
    "clock-random",
    "echo",
    "exit",
    "flood",
    "fs-probe",
    "interleave",
    "lines",
    "memory-hog",
    "sleep",
    "spin",
    "stdin-count",
    "trap",
];

/// Longest pause between two acts of sabotage: so long that an entry is used about as often as it is damaged.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) struct World {
    /// Each guest as a component and as a module.
    loaded: HashMap<&'static str, [Component; 2]>,
    place: tempfile::TempDir,
    files: AtomicU64,
    pub(crate) damaged: AtomicU64,
    pub(crate) from_cache: AtomicU64,
    pub(crate) compiled_anew: AtomicU64,
}

impl World {
    pub(crate) async fn new() -> Result<Self> {
        let engine = Engine::new(&EngineConfig::new())?;
        let mut loaded = HashMap::new();
        for name in GUESTS {
            let paths = [wasi_sidecar_guests::component(name)?, wasi_sidecar_guests::module(name)?];
            let [component, module] = paths.map(|path| load(&engine, &path));
            let both = [component?, module?];
            for one in &both {
                one.compile().await?;
            }
            loaded.insert(name, both);
        }
        Ok(Self {
            loaded,
            place: tempfile::tempdir()?,
            files: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            from_cache: AtomicU64::new(0),
            compiled_anew: AtomicU64::new(0),
        })
    }

    /// A guest as a component or as a module, whichever chance says.
    pub(crate) fn guest(&self, random: &mut Random, name: &str) -> Result<Command> {
        let both = self.loaded.get(name).with_context(|| format!("`{name}` is not loaded"))?;
        Ok(Command::new(both[random.below(2)].clone()))
    }

    /// The native fallback of a guest.
    pub(crate) fn native(&self, name: &str) -> Result<Command> {
        let program = NativeProgram::new(wasi_sidecar_guests::native(name)?, ambient_authority());
        Ok(Command::new(program))
    }

    /// A directory that nobody else uses.
    pub(crate) fn directory(&self) -> Result<PathBuf> {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.place.path().join(format!("files-{number}"));
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// A new engine with the shared code cache, and a guest that is loaded into it.
    pub(crate) fn another_engine(
        &self,
        random: &mut Random,
        name: &str,
    ) -> Result<(Engine, Component)> {
        let keys = self.place.path().join("keys");
        let cache = CodeCache::open(&self.cached(), &keys, ambient_authority())?;
        // A small pool: what is asked is whether it goes when its engine does, not how many fit.
        let config = EngineConfig::new().code_cache(cache).pooled_guests(random.below(4));
        let engine = Engine::new(&config)?;
        let path = if random.once_in(2) {
            wasi_sidecar_guests::component(name)?
        } else {
            wasi_sidecar_guests::module(name)?
        };
        let component = load(&engine, &path)?;
        Ok((engine, component))
    }

    fn cached(&self) -> PathBuf {
        self.place.path().join("code")
    }

    /// Alters, cuts off, removes and swaps files of the code cache, for ever.
    pub(crate) async fn damage(&self, mut random: Random) -> Result<()> {
        loop {
            tokio::time::sleep(random.moment(PAUSE)).await;
            let Ok(folder) = fs::read_dir(self.cached()) else { continue };
            let files: Vec<PathBuf> = folder.flatten().map(|file| file.path()).collect();
            if files.is_empty() {
                continue;
            }
            let file = &files[random.below(files.len())];
            let done = match random.below(5) {
                0 => flip(file, &mut random),
                1 => cut(file, &mut random),
                2 => fs::remove_file(file),
                3 => fs::rename(file, &files[random.below(files.len())]),
                // Most entries are to live long enough to be used.
                _ => continue,
            };
            // Somebody may have renamed or evicted it; then it is one act less.
            self.damaged.fetch_add(u64::from(done.is_ok()), Ordering::Relaxed);
        }
    }
}

pub(crate) fn load(engine: &Engine, path: &Path) -> Result<Component> {
    Ok(Component::load(
        engine,
        ArtifactSource::path(path, ambient_authority()),
        LoadOptions::new(),
    )?)
}

/// Writes another byte somewhere, in place: whoever reads at that moment reads half of it.
fn flip(file: &Path, random: &mut Random) -> std::io::Result<()> {
    let mut opened = OpenOptions::new().write(true).open(file)?;
    let length = opened.metadata()?.len().max(1);
    opened.seek(SeekFrom::Start(random.next() % length))?;
    opened.write_all(&[random.next() as u8])
}

fn cut(file: &Path, random: &mut Random) -> std::io::Result<()> {
    let opened = OpenOptions::new().write(true).open(file)?;
    let length = opened.metadata()?.len().max(1);
    opened.set_len(random.next() % length)
}
