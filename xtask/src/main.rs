//! The commands of this repository, `cargo xtask …`: each sets up what it needs, says so first, and does one thing.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a terminal program")]
#![allow(
    clippy::disallowed_methods,
    reason = "a developer's tool, with all of the developer's rights"
)]

mod announce;
mod app;
mod attacks;
mod bench;
mod build;
mod check;
mod demo;
mod e2e;
mod fuzz;
mod guests;
mod javascript;
mod marks;
mod new_app;
mod paths;
mod setup;
mod soak;
mod step;
mod test;
mod webview;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The commands of this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the guests from source into target/guests, setting up compilers under target/toolchains
    Guests {
        /// Which ones: `echo` (the Rust program), `go/echo`, or a whole language: rust, c, go, js, python [default: all]
        names: Vec<String>,
    },
    /// Set up what is missing, and open the example app; without a display it is driven once, and leaves pictures
    Demo(demo::Arguments),
    /// Compare components with native programs, side by side: --quick, --only NAME, --json FILE; in a webview: --webview
    #[command(disable_help_flag = true)]
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the fuzz targets under `fuzz/`, with what libFuzzer has found kept in target/fuzz
    Fuzz(fuzz::Arguments),
    /// Set up what is missing, build the guests and run all tests
    Test {
        /// Only this part of them
        part: Option<test::Part>,
    },
    /// Run the attack suite and write its report, target/attacks.md and docs/attacks.md
    Attacks,
    /// Run everything at once for minutes, check every outcome, and look at what is left of it in the end
    Soak(soak::Arguments),
    /// Check formatting, lints, documentation and dependencies
    Check,
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::as_rustc() {
        return code;
    }
    let result = match Arguments::parse().command {
        Command::Guests { names } => guests::build(&names),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Bench { arguments } => bench::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Test { part } => test::run(part),
        Command::Attacks => attacks::run(),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Check => check::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::line("error", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
