//! `wasi-sidecar`: runs, inspects and compiles sidecars from the command line.
//!
//! `args` defines the commands, options and help. Each command has a module: `run` (with `streams`, which copies, and
//! `stats`, which reports), `inspect`, `compile`, `completions`. `source` finds the named file, `place` knows the
//! directory of the code cache, `progress` shows a spinner, `report` writes all text, and `code` has the exit codes.
//!
//! Invariant: standard output carries only the requested output; our own messages go to standard error.
//! Invariant: whatever a file or a guest does, the program ends with one of the exit codes in `code`.

mod args;

mod compile;
mod completions;
mod inspect;
mod run;

mod stats;
mod streams;

mod code;
mod place;
mod progress;
mod report;
mod source;
mod spelling;

use std::process::ExitCode;

use clap::Parser as _;
use wasi_sidecar::CompileChild;

use crate::args::{Args, Task};

fn main() -> ExitCode {
    // `run` compiles untrusted artifacts in another instance of this program.
    CompileChild::enter_if_asked();
    let args = Args::parse();
    if args.verbose {
        report::show_events();
    }
    let done = match args.task {
        Task::Run(args) => run::run(*args),
        Task::Inspect(args) => inspect::inspect(&args),
        Task::Compile(args) => compile::compile(&args),
        Task::Completions(args) => completions::completions(&args),
    };
    ExitCode::from(done.unwrap_or_else(|error| report::failure(&error)))
}
