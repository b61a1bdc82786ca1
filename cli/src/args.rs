//! The command line: commands, options, and their help.

mod grants;
mod limits;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum, builder::styling};
use wasi_sidecar::units;

pub(crate) use grants::GrantArgs;
pub(crate) use limits::{EngineLimits, GuestLimits};

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::AnsiColor::Green.on_default().bold())
    .usage(styling::AnsiColor::Green.on_default().bold())
    .literal(styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(styling::AnsiColor::Cyan.on_default());

/// Runs sidecars: WebAssembly programs that access only what they are granted.
#[derive(Debug, Parser)]
#[command(name = "wasi-sidecar", version, styles = STYLES, max_term_width = 100)]
#[command(
    after_help = "Start with `wasi-sidecar inspect FILE`: it says what a file is and what it would \
    need granted. `wasi-sidecar help run` explains the grants, the limits and the exit codes."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Task,

    /// Show on standard error what the library does: cache hits, compilations, ends of guests
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    Run(Box<RunArgs>),
    Inspect(InspectArgs),
    Compile(CompileArgs),
    Completions(CompletionsArgs),
}

/// Run a component or preview1 module with its streams and exit code passed through
///
/// The guest gets its arguments, clocks and random numbers. It gets no file, environment entry or network address
/// unless you grant it here. Its machine code is cached, so only the first run compiles.
#[derive(Debug, clap::Args)]
#[command(after_help = RUN_CODES, after_long_help = RUN_HELP)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) grants: GrantArgs,

    #[command(flatten)]
    pub(crate) limits: GuestLimits,

    /// Memory limit for compiling: address space of the compile process; Linux only [default: 2GiB and 32 times the
    /// artifact]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, help_heading = "Compiling")]
    pub(crate) compile_memory: Option<u64>,

    /// CPU time limit for compiling, on all cores together; the limit on elapsed time is half as much again; not on
    /// Windows [default: 2m and 4s per MiB of the artifact]
    #[arg(long, value_name = "DURATION", value_parser = units::parse_duration, help_heading = "Compiling")]
    pub(crate) compile_time: Option<Duration>,

    /// Compile in this process and without limits: for artifacts that you trust
    #[arg(long, conflicts_with_all = ["compile_memory", "compile_time"], help_heading = "Compiling")]
    pub(crate) trust: bool,

    /// At the end, show on standard error what the run took; `--stats=json` for programs
    #[arg(
        long, value_name = "FORMAT", num_args = 0..=1, require_equals = true,
        default_missing_value = "text", value_enum, hide_possible_values = true
    )]
    pub(crate) stats: Option<StatsFormat>,

    /// Compile again, and keep no machine code on disk
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// The artifact: a WASI 0.2 command component, or a preview1 command module
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The guest's arguments, after `--`
    #[arg(value_name = "ARGS", last = true)]
    pub(crate) args: Vec<OsString>,

    // Last, because its help heading would apply to all options after it.
    #[command(flatten)]
    pub(crate) engine_limits: EngineLimits,
}

const RUN_CODES: &str = "Exit codes: the guest's own 0 to 255, or 124 out of time, 125 could not run, \
    130 interrupted, 134 trapped, 137 killed or out of another limit, 141 output closed. See --help.";

const RUN_HELP: &str = "\
Sizes: k, M, G or KiB, MiB, GiB are powers of 1024; kB, MB, GB powers of 1000; a bare number is bytes.

Exit codes:
  0 to 255  the guest's own code
  2         wrong use of this command
  124       the guest ran out of time or CPU time
  125       it could not be run: no WebAssembly, a missing file, a grant that was refused
  130       interrupted with Ctrl-C; the guest was killed
  134       the guest trapped; the fault and its call stack are on standard error
  137       the guest was killed, or ran out of memory or another limit
  141       whoever read the output has gone, as with `| head`; the guest was killed

Examples:
  wasi-sidecar run markdown.wasm < README.md > README.html
  wasi-sidecar run --dir notes::/notes:ro word-count.wasm -- /notes
  wasi-sidecar run --memory 32MiB --time 5s --env LANG --env MODE=fast plugin.wasm -- --check";

/// The format of `--stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatsFormat {
    /// Text for people.
    Text,
    /// One line of JSON.
    Json,
}

/// Show what a file is, what it asks for, and whether this host runs it
///
/// Compiles and runs nothing. The exit code is 0 when the file is WebAssembly, whether or not this host runs it, and
/// 125 otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The file to inspect
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Write one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Compile an artifact to machine code ahead of time
///
/// Writes a temporary file and renames it, so readers never see a part of the code. `run` takes the .wasm file, not
/// this one: it caches machine code itself, where it can detect changes.
#[derive(Debug, clap::Args)]
pub(crate) struct CompileArgs {
    /// The artifact: a WASI 0.2 command component, or a preview1 command module
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Target machine, as a triple like `aarch64-apple-darwin` [default: this one]
    ///
    /// For another architecture, this program must be built with its feature `all-targets`.
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,

    /// Output file, which is replaced if it exists [default: FILE with the ending .cwasm]
    ///
    /// Without this option, an existing file is replaced only if it is machine code.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

/// Write shell completions to standard output
///
/// For bash: `wasi-sidecar completions bash > ~/.local/share/bash-completion/completions/wasi-sidecar`
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell to write for
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }
}
