//! `wasi-sidecar inspect`: shows what a file is, what it asks for, and whether this host runs it.

use anyhow::{Result, bail};
use serde::Serialize;
use wasi_sidecar::{Artifact, Error, Need, units};

use crate::{
    args::InspectArgs,
    report::{self, LABEL, TITLE},
    source::Source,
};

pub(crate) fn inspect(args: &InspectArgs) -> Result<u8> {
    let source = Source::find(&args.file)?;
    let bytes = source.read()?;
    let artifact = match Artifact::identify(&bytes) {
        Ok(artifact) => artifact,
        Err(error) => bail!("`{}` is {}", source.shown(), error.chain()),
    };
    // Makes the same checks as `run` before it compiles.
    let runnable = artifact.check_runnable().and_then(|()| Artifact::validate(&bytes));
    let inspected = Inspected::new(source.shown(), &artifact, runnable.err());
    report::output(&if args.json { inspected.json()? } else { inspected.text() })?;
    Ok(0)
}

/// The inspected file, in the shape of `--json`. Names are stable; fields may be added.
#[derive(Debug, Serialize)]
struct Inspected<'a> {
    #[serde(skip)]
    artifact: &'a Artifact,
    file: &'a str,
    kind: &'static str,
    /// The version of WASI it is written for, if any.
    wasi: Option<&'static str>,
    /// The smallest world of `wasi-sidecar:guest` that fits it, if this host runs it.
    world: Option<&'static str>,
    size: u64,
    sha256: String,
    runs: bool,
    /// Why this host does not run it.
    reason: Option<String>,
    needs: Vec<&'static str>,
    imports: &'a [String],
    exports: &'a [String],
}

impl<'a> Inspected<'a> {
    fn new(file: &'a str, artifact: &'a Artifact, reason: Option<Error>) -> Self {
        let runs = reason.is_none();
        Self {
            artifact,
            file,
            kind: artifact.kind().as_str(),
            wasi: artifact.wasi(),
            world: artifact.world().filter(|_| runs),
            size: artifact.size(),
            sha256: artifact.digest().to_string(),
            runs,
            reason: reason.map(|error| error.chain()),
            needs: artifact.needs().iter().map(|need| need.as_str()).collect(),
            imports: artifact.imports(),
            exports: artifact.exports(),
        }
    }

    fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn text(&self) -> String {
        let mut text = format!("{TITLE}{}{TITLE:#}\n", report::line(self.file));
        let mut row = |label: &str, value: &str| {
            text.push_str(&format!("  {LABEL}{label:<8}{LABEL:#} {value}\n"));
        };
        row("kind", &described(self.kind, self.wasi));
        row("size", &units::exact_size(self.size));
        row("sha-256", &self.sha256);
        match &self.reason {
            None => row("runs", "yes"),
            Some(reason) => row("runs", &format!("no: it is {reason}")),
        }
        if let Some(world) = self.world {
            row("world", &format!("wasi-sidecar:guest/{world}"));
        }
        let needs = self.artifact.needs();
        let needs = needs.iter().map(|need| format!("{:<12} {}", need.as_str(), advice(*need)));
        for (label, lines) in [
            ("needs", needs.collect::<Vec<_>>().as_slice()),
            ("imports", self.imports),
            ("exports", self.exports),
        ] {
            match lines {
                [] => row(label, "nothing"),
                [first, rest @ ..] => {
                    row(label, first);
                    rest.iter().for_each(|line| row("", line));
                }
            }
        }
        text
    }
}

/// How to grant it on the command line.
fn advice(need: Need) -> &'static str {
    match need {
        Need::Filesystem => "nothing opens unless granted: --dir HOST::GUEST[:ro]",
        Need::Environment => "empty unless granted: --env NAME[=VALUE]",
        Need::Network => "nothing answers unless granted: --net HOST:PORT",
        _ => "nothing is granted",
    }
}

/// A kind in words.
fn described(kind: &str, wasi: Option<&str>) -> String {
    let kind = kind.replace('-', " ");
    match wasi {
        Some(version) => format!("{kind}, WASI {version}"),
        None => format!("{kind}, no WASI"),
    }
}
