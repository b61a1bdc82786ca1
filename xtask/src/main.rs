//! The commands of this repository: `cargo xtask …`. Each installs what it needs and does one thing.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program")]
#![allow(
    clippy::disallowed_methods,
    reason = "a developer's tool, with all of the developer's rights"
)]

mod bench;
mod build;
mod checks;
mod demo;
mod docs;
mod fuzz;
mod guests;
mod system;
mod toolchains;
mod webview;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use checks::{attacks, lint, soak, test};
use system::console;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The commands of this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the guests from source into target/guests; installs their compilers into target/toolchains
    Guests {
        /// Guests, such as `echo` (in Rust) or `go/echo`, or languages: rust, c, go, js, python [default: all]
        names: Vec<String>,
    },
    /// Build and open the example app; without a display, drive it and take pictures
    Demo {
        /// Run in this terminal, without a window
        #[arg(long)]
        headless_cli: bool,
        /// Only sidecars in Rust; downloads no compilers for other languages
        #[arg(long)]
        quick: bool,
    },
    /// Compare components with native programs, in one process and in a webview
    Bench(bench::Arguments),
    /// Run the fuzz targets in `fuzz/`; new inputs are kept in target/fuzz
    Fuzz(fuzz::Arguments),
    /// Build the guests and run all tests
    Test {
        /// Run only this part
        part: Option<test::Part>,
    },
    /// Run the attack suite and write its report to target/attacks.md and docs/attacks.md
    Attacks,
    /// Run everything at once for minutes, and check for wrong outcomes and leaks
    Soak(soak::Arguments),
    /// Write the maps of the sources: ARCHITECTURE.md and docs/map.md
    Map,
    /// Check formatting, lints, documentation, generated files and dependencies
    Check,
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::as_rustc() {
        return code;
    }
    let result = match Arguments::parse().command {
        Command::Guests { names } => guests::build(&names),
        Command::Demo { headless_cli: true, quick } => demo::terminal::run(quick),
        Command::Demo { headless_cli: false, quick } => demo::window::run(quick),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Test { part } => test::run(part),
        Command::Attacks => attacks::run(),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Map => docs::map::write(),
        Command::Check => lint::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::step("error", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
