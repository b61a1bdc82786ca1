//! What there is to start, in words: the configuration has the rest.

use serde::Serialize;
use tauri::{AppHandle, Manager};
use tauri_plugin_wasi_sidecar::{
    About, Error, SidecarExt,
    wasi_sidecar::{ErrorKind, When},
};

use crate::inspect::Described;

/// Name, title, language, what it does, suggested arguments and input, and whether it answers while its input is open.
struct Words {
    name: &'static str,
    title: &'static str,
    language: &'static str,
    what: &'static str,
    args: &'static [&'static str],
    input: &'static str,
    interactive: bool,
}

const fn words(
    name: &'static str,
    title: &'static str,
    language: &'static str,
    what: &'static str,
) -> Words {
    Words { name, title, language, what, args: &[], input: "", interactive: false }
}

const MARKDOWN: &str =
    "# A note\n\nWritten in *Markdown*, rendered by a **component**.\n\n- sandboxed\n- one file\n";

const CATALOG: &[Words] = &[
    Words {
        input: "hello from the page",
        interactive: true,
        ..words(
            "sidecars/upper",
            "Upper case",
            "Rust",
            "Answers each line in upper case; has a native fallback.",
        )
    },
    Words {
        args: &["/notes"],
        ..words(
            "sidecars/word-count",
            "Word count",
            "Rust",
            "Counts the words of each file in the folder it was granted.",
        )
    },
    Words {
        input: MARKDOWN,
        ..words(
            "sidecars/markdown",
            "Markdown",
            "Rust",
            "Turns Markdown into HTML when its input ends.",
        )
    },
    Words {
        input: "hello, Go",
        interactive: true,
        ..words(
            "sidecars/go",
            "Echo",
            "Go",
            "Copies its input; a preview1 module, as Go makes them.",
        )
    },
    Words {
        input: "hello, Python",
        interactive: true,
        ..words(
            "sidecars/python",
            "Echo",
            "Python",
            "Copies its input; the interpreter is inside the component.",
        )
    },
    Words {
        input: "hello, JavaScript",
        interactive: true,
        ..words(
            "sidecars/js",
            "Echo",
            "JavaScript",
            "Copies its input; the engine is inside the component.",
        )
    },
    Words {
        args: &["write", "/notes/today.md", "gone"],
        ..words(
            "sidecars/fs-probe",
            "Denied access",
            "Rust",
            "Tries to write into a folder that it was granted read-only.",
        )
    },
    Words {
        args: &["200000", "80"],
        ..words(
            "sidecars/lines",
            "Many lines",
            "Rust",
            "Writes numbered lines as fast as the page reads them.",
        )
    },
    words(
        "sidecars/spin",
        "Endless loop",
        "Rust",
        "Computes for ever: kill it, or wait for its CPU limit of 60 s.",
    ),
    Words {
        args: &["--abort"],
        ..words(
            "sidecars/memory-hog",
            "Memory hog",
            "Rust",
            "Takes memory until its limit of 16 MiB.",
        )
    },
    Words {
        args: &["last words"],
        ..words("sidecars/trap", "Trap", "Rust", "Faults; the app does not notice.")
    },
    Words {
        input: "hello from the page",
        interactive: true,
        ..words(
            "sidecars/upper-native",
            "Upper case, native",
            "Rust",
            "The same program as a process, outside the sandbox.",
        )
    },
    words(
        "dropped",
        "Dropped file",
        "any",
        "Whatever you drop onto the window; it may read the notes.",
    ),
];

/// What a page is told of a sidecar.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    name: &'static str,
    title: &'static str,
    language: &'static str,
    what: &'static str,
    args: &'static [&'static str],
    input: &'static str,
    interactive: bool,
    grants: Grants,
    limits: Limits,
    fallback: Option<&'static str>,
    artifact: Option<Described>,
    error: Option<String>,
    /// Whether its artifact is no file yet. It may be a moment later: the demo opens the app while guests are built.
    missing: bool,
}

#[derive(Serialize)]
struct Grants {
    dirs: Vec<Dir>,
    env: Vec<String>,
    network: Vec<String>,
}

#[derive(Serialize)]
struct Dir {
    host: String,
    guest: String,
    access: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    memory: String,
    time: Option<String>,
    cpu_time: Option<String>,
}

/// All sidecars. Reads their artifacts the first time, so it is not for the main thread.
#[tauri::command(async)]
pub(crate) fn catalog(app: AppHandle) -> Result<Vec<Entry>, String> {
    let entry = |words: &Words| {
        let about = app.sidecars().about(words.name).map_err(|error| error.to_string())?;
        Ok(describe(&app, words, &about))
    };
    CATALOG.iter().map(entry).collect()
}

/// The words for a sidecar, by its name.
pub(crate) fn suggestion(name: &str) -> Option<(&'static [&'static str], &'static str)> {
    CATALOG.iter().find(|words| words.name == name).map(|words| (words.args, words.input))
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Runtime(error) if error.kind() == ErrorKind::NotFound)
}

fn describe(app: &AppHandle, words: &Words, about: &About) -> Entry {
    use tauri_plugin_wasi_sidecar::wasi_sidecar::{Limit, units};

    let home = app.path().home_dir().ok();
    let shown = |path: &std::path::Path| match home
        .as_ref()
        .and_then(|home| path.strip_prefix(home).ok())
    {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    };
    let dirs = about.dirs.iter().map(|dir| Dir {
        host: shown(&dir.host),
        guest: dir.guest.clone(),
        access: dir.access.to_string(),
    });
    Entry {
        name: words.name,
        title: words.title,
        language: words.language,
        what: words.what,
        args: words.args,
        input: words.input,
        interactive: words.interactive,
        grants: Grants {
            dirs: dirs.collect(),
            env: about.env.clone(),
            network: about.network.clone(),
        },
        limits: Limits {
            memory: units::size(about.limits.get(Limit::Memory).unwrap_or(u64::MAX)),
            time: about.limits.duration(Limit::Time).map(units::time),
            cpu_time: about.limits.duration(Limit::CpuTime).map(units::time),
        },
        fallback: about.fallback.map(|when| match when {
            When::Never => "never",
            When::Unavailable => "unavailable",
            When::Always => "always",
        }),
        artifact: about.artifact.as_ref().ok().map(Described::of),
        error: about.backend.as_ref().err().map(ToString::to_string),
        missing: about.artifact.as_ref().is_err_and(is_missing),
    }
}
