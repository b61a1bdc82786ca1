//! The demo in a terminal: real programs on real input, each as a component and, from the same source, as a native
//! program, side by side. `cargo xtask demo --headless-cli` builds what it needs and runs it. With
//! `--quick` it leaves out the programs in other languages than Rust.
//!
//! Each scene (`scenes/`) says what it shows, checks that it happened, and leaves one row per backend. The exit code is
//! 0 when every scene did what it should, and 1 otherwise. Nothing is asserted about time: that is printed.

mod measure;
mod scenes;
mod screen;
mod stage;
mod table;

use std::process::ExitCode;

use anyhow::Result;

use crate::{scenes::Outcome, stage::Stage};

#[tokio::main]
async fn main() -> ExitCode {
    match show().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Plays every scene; whether all did what they should.
async fn show() -> Result<bool> {
    let stage = Stage::new(std::env::args().any(|argument| argument == "--quick"))?;
    let mut all = Outcome::default();
    for scene in scenes::ALL {
        screen::heading(scene.title())?;
        let outcome = scene.play(&stage).await;
        screen::table(&table::lay_out(&outcome.rows))?;
        for failure in &outcome.failures {
            screen::failure(failure)?;
        }
        let failures = outcome.failures.iter().map(|text| format!("{}: {text}", scene.title()));
        all.failures.extend(failures);
        all.rows.extend(outcome.rows);
    }
    screen::heading("All of it")?;
    screen::table(&table::lay_out(&all.rows))?;
    screen::line("")?;
    let note = "Times are those of this machine and of a build for development. A component's memory and \
                computing are measured, and can be limited; a native program's are the system's affair.";
    screen::paragraph(note)?;
    screen::line("")?;
    if all.failures.is_empty() {
        screen::success("Every scene did what it should.")?;
    }
    for failure in &all.failures {
        screen::failure(failure)?;
    }
    Ok(all.failures.is_empty())
}
