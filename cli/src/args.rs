//! What can be asked for on the command line, and the help that explains it.

mod grants;
mod limits;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum, builder::styling};
use wasi_sidecar::units;

pub(crate) use grants::{DirGrant, EnvGrant};
pub(crate) use limits::MoreLimits;

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::AnsiColor::Green.on_default().bold())
    .usage(styling::AnsiColor::Green.on_default().bold())
    .literal(styling::AnsiColor::Cyan.on_default().bold())
    .placeholder(styling::AnsiColor::Cyan.on_default());

/// Runs sidecars: WebAssembly programs that see only what they are granted.
#[derive(Debug, Parser)]
#[command(name = "wasi-sidecar", version, styles = STYLES, max_term_width = 100)]
#[command(
    after_help = "Start with `wasi-sidecar inspect FILE`: it says what a file is and what it would \
    need granted. `wasi-sidecar help run` explains the grants, the limits and the exit codes."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) task: Task,

    /// Tell on standard error what the library does: cache hits, compilations, ends
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
/// The guest gets its arguments, clocks and random numbers, and nothing else: no file, no environment, no network,
/// unless it is granted here. Its machine code is kept in a cache, so that only the first run compiles.
#[derive(Debug, clap::Args)]
#[command(after_help = RUN_CODES, after_long_help = RUN_HELP)]
pub(crate) struct RunArgs {
    /// Grant a directory: what the guest sees as GUEST is HOST, for reading and writing, or with `:ro` for reading
    ///
    /// GUEST is an absolute path. The guest cannot leave the directory, through links neither. May be given several
    /// times. The directory that FILE is in, and those above it, cannot be granted: a guest that can change what the
    /// host loads has left the sandbox.
    #[arg(long, value_name = "HOST::GUEST[:ro]", help_heading = "Grants")]
    pub(crate) dir: Vec<DirGrant>,

    /// Grant a directory that `--dir` refuses: the root of a file system, a whole home directory, `/proc`, `/sys`, `/dev`
    ///
    /// What a guest can then reach is not much less than what you can.
    #[arg(long, value_name = "HOST::GUEST[:ro]", help_heading = "Grants")]
    pub(crate) dangerous_dir: Vec<DirGrant>,

    /// Set an environment entry, or with `--env NAME` pass on the host's own
    ///
    /// An entry the host does not have, the guest does not have either. May be given several times.
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "Grants")]
    pub(crate) env: Vec<EnvGrant>,

    /// Grant a network address; refused, as this version grants no network
    #[arg(long, value_name = "HOST:PORT", help_heading = "Grants")]
    pub(crate) net: Vec<String>,

    /// Start in this directory: a path as the guest sees it, in a granted directory
    ///
    /// For programs that follow it: Go's, and components that ask WASI for `initial-cwd`. All others start in `/`, and are
    /// refused another directory: grant the one they should start in as `/` instead.
    #[arg(long, value_name = "GUESTDIR", help_heading = "Grants")]
    pub(crate) cwd: Option<PathBuf>,

    /// Memory the guest may hold, like `32MiB` [default: 256MiB]
    ///
    /// Units: k, M, G or KiB, MiB, GiB are powers of 1024; kB, MB, GB powers of 1000; a bare number is bytes. What
    /// exceeds it is refused to the guest; one that faults over the refusal ends with code 137.
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, help_heading = "Limits")]
    pub(crate) memory: Option<u64>,

    /// Time on the clock, like `500ms`, `30s` or `1m30s`; compiling does not count [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = units::parse_duration, help_heading = "Limits")]
    pub(crate) time: Option<Duration>,

    /// Time spent computing; waiting does not count [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = units::parse_duration, help_heading = "Limits")]
    pub(crate) cpu_time: Option<Duration>,

    /// Memory that compiling may take: address space of the process that does it; Linux only [default: 2GiB and 32 times the artifact]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, help_heading = "Compiling")]
    pub(crate) compile_memory: Option<u64>,

    /// CPU time that compiling may take, on all cores together; on the clock it is half as much again; not on Windows [default:
    /// 2m and 4s for each MiB of the artifact]
    #[arg(long, value_name = "DURATION", value_parser = units::parse_duration, help_heading = "Compiling")]
    pub(crate) compile_time: Option<Duration>,

    /// Compile in this process and without limits: for artifacts of your own
    #[arg(long, conflicts_with_all = ["compile_memory", "compile_time"], help_heading = "Compiling")]
    pub(crate) trust: bool,

    /// At the end, tell on standard error what the run took; `--stats=json` for a program to read
    #[arg(
        long, value_name = "FORMAT", num_args = 0..=1, require_equals = true,
        default_missing_value = "text", value_enum, hide_possible_values = true
    )]
    pub(crate) stats: Option<StatsFormat>,

    /// Compile anew, and keep no machine code on disk
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// The artifact: a WASI 0.2 command component, or a preview1 command module
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The guest's arguments, after `--`
    #[arg(value_name = "ARGS", last = true)]
    pub(crate) args: Vec<OsString>,

    // The last, as its heading would be that of whatever follows.
    #[command(flatten)]
    pub(crate) more_limits: MoreLimits,
}

const RUN_CODES: &str = "Exit codes: the guest's own 0 to 255, or 124 out of time, 125 could not run, \
    130 interrupted, 134 trapped, 137 killed or out of another limit, 141 output closed. See --help.";

const RUN_HELP: &str = "\
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

/// How `--stats` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatsFormat {
    /// A block for people.
    Text,
    /// One line of JSON.
    Json,
}

/// Tell what a file is, what it asks for and whether this host runs it
///
/// Nothing is compiled and nothing runs. The exit code is 0 when the file was identified as WebAssembly, whether or not
/// this host runs it, and 125 when it was not.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Write one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Compile an artifact to machine code ahead of time
///
/// The code is written aside and renamed, so that a reader sees all of it or none. `run` takes the .wasm file, not
/// this one: it keeps machine code of its own in its cache, where it can tell that nobody changed it.
#[derive(Debug, clap::Args)]
pub(crate) struct CompileArgs {
    /// The artifact: a WASI 0.2 command component, or a preview1 command module
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The machine it is for, as a target triple like `aarch64-apple-darwin` [default: this one]
    ///
    /// For another architecture than this machine's, this program has to be built with its feature `all-targets`.
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,

    /// Where to write it, replacing what is there [default: FILE with the ending .cwasm]
    ///
    /// Without this option a file of that name is replaced only if it is machine code.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

/// Write completions for a shell to standard output
///
/// For bash: `wasi-sidecar completions bash > ~/.local/share/bash-completion/completions/wasi-sidecar`
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
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
