//! `wasi-sidecar`: runs, inspects and compiles sidecars from the command line.
//!
//! A tour: `args` is what can be asked for, and its help. One module does each thing: `run` (with `streams`, which
//! copies, and `stats`, which tells), `inspect`, `compile`, `completions`. Around them: `source` finds the file that was
//! named, `place` knows where the code cache lives, `progress` shows that something is going on,
//! `report` is where all text leaves and `code` what the process exits with.
//!
//! Invariant: standard output carries what was asked for and nothing else; all our own words go to standard error.
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

use std::process::ExitCode;

use clap::Parser as _;
use wasi_sidecar::CompileChild;

use crate::args::{Args, Task};

fn main() -> ExitCode {
    // What `run` compiles is a stranger's, and is compiled by another instance of this program.
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
