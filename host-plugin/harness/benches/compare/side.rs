//! The sides of the comparison: one program, started in four ways, and what they have in common.

mod bare;
pub(crate) mod ours;
pub(crate) mod shell;
pub(crate) mod tokio;

use std::path::PathBuf;

use ::tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use tauri::{App, test::MockRuntime};
use wasi_sidecar_guests::Kind;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// A component through `tauri-plugin-wasi-sidecar`.
    Ours,
    /// The native program through `tauri-plugin-shell`.
    Shell,
    /// The native program through `tokio::process`.
    Tokio,
    /// The component through wasmtime-wasi as it comes, with its stock pipes.
    Bare,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Shell => "tauri-plugin-shell",
            Self::Tokio => "tokio::process",
            Self::Bare => "bare wasmtime-wasi",
        }
    }

    /// The name in JSON.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Shell => "shell",
            Self::Tokio => "tokio",
            Self::Bare => "bare",
        }
    }
}

/// An app with both plugins, and what the other sides need.
pub(crate) struct Bench {
    pub(crate) app: App<MockRuntime>,
    bare: bare::Bare,
    /// What guests that hold a directory hold.
    pub(crate) files: tempfile::TempDir,
}

/// What a pipe of the system holds.
const PIPE: usize = 64 << 10;

/// How output is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    Lines,
    Raw,
}

/// Output that is read as bytes: each line as bytes of its own, as an event is, or in the largest pieces there are.
pub(crate) struct Reading<R> {
    reader: BufReader<R>,
    take: Take,
}

impl<R: AsyncRead + Unpin> Reading<R> {
    fn new(stream: R, take: Take) -> Self {
        Self { reader: BufReader::with_capacity(PIPE, stream), take }
    }

    async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).await?;
        Ok((!line.is_empty()).then_some(line))
    }

    async fn next(&mut self) -> Result<Option<usize>> {
        let length = match self.take {
            Take::Lines => self.line().await?.map_or(0, |line| line.len()),
            Take::Raw => {
                let length = self.reader.fill_buf().await?.len();
                self.reader.consume(length);
                length
            }
        };
        Ok((length > 0).then_some(length))
    }
}

/// A program that was started.
pub(crate) enum Running {
    Ours(Box<ours::Running>),
    Shell(shell::Running),
    Tokio(Box<tokio::Running>),
    Bare(Box<bare::Running>),
}

/// A guest under its name in this benchmark.
pub(crate) struct Guest {
    pub(crate) wasm: PathBuf,
    pub(crate) native: PathBuf,
    /// Arguments before any others, of the native one.
    pub(crate) native_args: Vec<String>,
    /// Entries of its environment, of the native one.
    pub(crate) native_env: Vec<(String, String)>,
}

/// Finds a guest. Those written in Rust have a native fallback of the same name.
pub(crate) fn guest(name: &str) -> Result<Guest> {
    let mut guest = Guest {
        wasm: PathBuf::new(),
        native: PathBuf::new(),
        native_args: Vec::new(),
        native_env: Vec::new(),
    };
    match name {
        "python" => {
            guest.wasm = wasi_sidecar_guests::path(Kind::Language("python"), "hello");
            guest.native = "python3".into();
            let sources =
                std::path::absolute(concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/python"))
                    .context("the sources lie there")?;
            let native = sources.join("native");
            guest.native_args =
                vec![native.join("run.py").display().to_string(), "hello".to_owned()];
            guest.native_env = vec![("PYTHONPATH".to_owned(), native.display().to_string())];
        }
        _ => {
            guest.wasm = wasi_sidecar_guests::component(name)?;
            guest.native = wasi_sidecar_guests::native(name)?;
        }
    }
    ensure!(
        guest.wasm.is_file(),
        "there is no `{}`: run `cargo xtask guests`",
        guest.wasm.display()
    );
    Ok(guest)
}

impl Bench {
    pub(crate) fn new() -> Result<Self> {
        let files = tempfile::tempdir()?;
        let mut sidecars = webview_harness::sidecars();
        let python = wasi_sidecar_guests::path(Kind::Language("python"), "hello");
        sidecars["bench/python"] = json!({ "component": python });
        sidecars["bench/file-bench"] = json!({
            "component": wasi_sidecar_guests::path(Kind::Component, "file-bench"),
            "grants": { "dirs": [{ "host": files.path(), "guest": "/files", "access": "read-write" }] },
        });
        let config = json!({ "codeCache": false, "sidecars": sidecars });
        // Not the harness's own context: that one has the rights of its windows, whose code takes minutes to optimise.
        let mut context = tauri::test::mock_context(tauri::test::noop_assets());
        context.config_mut().plugins.0.insert("wasi-sidecar".into(), config);
        let builder = webview_harness::with_plugins(tauri::test::mock_builder());
        let app = builder.build(context).context("the app starts")?;
        Ok(Self { app, bare: bare::Bare::new()?, files })
    }

    /// Starts a guest.
    pub(crate) fn start(
        &self,
        side: Side,
        name: &str,
        args: &[&str],
        take: Take,
    ) -> Result<Running> {
        Ok(match side {
            Side::Ours => Running::Ours(Box::new(ours::start(self, name, args, take)?)),
            Side::Shell => Running::Shell(shell::start(self, &guest(name)?, args, take)?),
            Side::Tokio => Running::Tokio(Box::new(tokio::start(&guest(name)?, args, take)?)),
            Side::Bare => Running::Bare(Box::new(self.bare.start(name, args, take)?)),
        })
    }

    /// Makes ready what a first start would do.
    pub(crate) fn warm(&self, side: Side, name: &str) -> Result<()> {
        if side == Side::Bare { self.bare.load(name).map(drop) } else { Ok(()) }
    }

    /// Compiles a guest from nothing, and says in how many seconds.
    pub(crate) async fn compile(&self, side: Side, name: &str) -> Result<f64> {
        let wasm = guest(name)?.wasm;
        match side {
            Side::Bare => bare::compile(&wasm),
            _ => ours::compile(&wasm).await,
        }
    }
}

impl Running {
    /// The length of the next piece of output: of a line, or of what has come. `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<usize>> {
        match self {
            Self::Ours(running) => running.next().await,
            Self::Shell(running) => running.next().await,
            Self::Tokio(running) => running.next().await,
            Self::Bare(running) => running.next().await,
        }
    }

    /// The next line.
    pub(crate) async fn text(&mut self) -> Result<String> {
        let line = match self {
            Self::Ours(running) => running.line().await,
            Self::Shell(running) => running.line().await,
            Self::Tokio(running) => running.line().await,
            Self::Bare(running) => running.line().await,
        };
        let line = line?.context("it says no more")?;
        Ok(String::from_utf8(line)?.trim_end().to_owned())
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Ours(running) => running.write(bytes).await,
            Self::Shell(running) => running.write(bytes),
            Self::Tokio(running) => running.write(bytes).await,
            Self::Bare(running) => running.write(bytes).await,
        }
    }

    /// Ends its input, and waits until it has ended by itself.
    pub(crate) async fn end(self) -> Result<()> {
        match self {
            Self::Ours(running) => running.end().await,
            Self::Shell(running) => running.end().await,
            Self::Tokio(running) => running.end().await,
            Self::Bare(running) => running.end().await,
        }
    }

    /// Kills it, and waits until it has ended.
    pub(crate) async fn kill(self) -> Result<()> {
        match self {
            Self::Ours(running) => running.kill().await,
            Self::Shell(running) => running.kill().await,
            Self::Tokio(running) => running.kill().await,
            Self::Bare(_) => anyhow::bail!("it cannot be killed while it computes"),
        }
    }

    /// Its process, if it is one.
    pub(crate) fn process(&self) -> Option<u32> {
        match self {
            Self::Shell(running) => Some(running.process()),
            _ => None,
        }
    }

    /// What is written to it and what is read from it, for two tasks.
    pub(crate) async fn exchange(self, bytes: Vec<u8>, times: usize) -> Result<usize> {
        match self {
            Self::Ours(running) => running.exchange(bytes, times).await,
            Self::Shell(running) => running.exchange(bytes, times).await,
            Self::Tokio(running) => running.exchange(bytes, times).await,
            Self::Bare(running) => running.exchange(bytes, times).await,
        }
    }
}
