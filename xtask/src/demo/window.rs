//! The demo in a window: the example app, opened, or driven without a display.
//!
//! A first run takes minutes, mostly for compiling wasmtime and Tauri. On two processors everything else delays the first
//! window, so only what that window needs is built before it: the app, its page and one sidecar. The other guests and their
//! compilers follow, and the running app finds them.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use wasi_sidecar_guests::Kind;

use super::estimate::{self, Needs};
use super::pipeline::{Arrivals, Plan, build_beside};
use super::terminal;
use crate::build::{cargo, example_app, npm};
use crate::guests::{Builder, Guest};
use crate::system::{console, packages, paths, process, tools};
use crate::webview::{self, driver};

/// The guests that the app opens with.
const FIRST: [Guest; 2] = [(Kind::Component, "upper"), (Kind::Native, "upper")];

pub(crate) fn run(quick: bool) -> Result<()> {
    let start = Instant::now();
    let display = webview::packages::has_display();
    let plan = Plan::new(example_app::guests()?, &FIRST, quick);
    let mut missing = webview::packages::missing(!display);
    estimate::print(&Needs {
        program: example_app::APP,
        opens: if display { "the window opens" } else { "the first picture is ready" },
        guests: &plan.all(),
        system: !missing.is_empty(),
        npm: !npm::is_installed(),
        quick,
    });
    missing.extend(tools::missing_packages()?);
    // Fail now rather than after minutes of compiling.
    packages::check_installable(&missing)?;
    let builder = Builder::lock()?;
    build_beside(
        &plan,
        |it| builder.build(it),
        |it| builder.download(it),
        |guests| {
            let app = App { executable: build(&missing)?, start };
            app.add_next(guests)?;
            if display { app.open(guests) } else { app.drive(guests, quick) }
        },
    )
}

/// Builds the app. wasmtime, which needs neither a webview nor the page, compiles while the system packages are installed and
/// the page is built.
fn build(missing: &[&str]) -> Result<PathBuf> {
    console::step("building", &format!("{}, for development", example_app::APP));
    thread::scope(|scope| {
        let page = scope.spawn(|| packages::install(missing).and_then(|()| npm::build()));
        // The demo in a terminal depends on wasmtime and on few crates that the app does not have.
        let wasmtime = cargo::executable(&["build"], "--bin", terminal::PROGRAM);
        page.join().map_err(|_| anyhow!("building the page panicked"))??;
        wasmtime?;
        cargo::executable(&["build"], "--bin", example_app::APP)
    })
}

struct App {
    executable: PathBuf,
    /// When the command started.
    start: Instant,
}

impl App {
    /// Opens the window with the first sidecar and adds the others as they are built.
    fn open(&self, guests: &mut Arrivals) -> Result<()> {
        console::step("opening", &format!("{}, after {}", self.executable.display(), self.time()));
        let mut window =
            process::command(&self.executable).spawn().context("cannot start the app")?;
        guests.build_rest();
        let rest = (|| {
            while self.add_next(guests)? {
                if window.try_wait()?.is_some() {
                    console::step(
                        "note",
                        "the window is closed; the other sidecars are still being built, Ctrl+C stops that",
                    );
                }
            }
            Ok(())
        })();
        if let Err(error) = &rest {
            // Printed now, because the command ends only when the window is closed.
            console::step("failed", &format!("{error:#}"));
        }
        let status = window.wait().context("cannot wait for the app")?;
        rest.and_then(
            |()| if status.success() { Ok(()) } else { bail!("the app failed ({status})") },
        )
    }

    /// Drives the window on a virtual display and takes pictures.
    fn drive(&self, guests: &mut Arrivals, quick: bool) -> Result<()> {
        let pictures = paths::workspace().join("target/demo");
        let [first, main, arrival] = driver::DEMO;
        remove_pictures(&pictures)?;
        console::step("driving", "the app on a virtual display (Xvfb); this machine has none");
        driver::demo(&self.executable, &pictures, first)?;
        let picture = pictures.join("talking.png");
        console::step("picture", &format!("after {}: {}", self.time(), picture.display()));
        guests.build_rest();
        // All other guests in Rust, which the main script needs, arrive together.
        self.add_next(guests)?;
        driver::demo(&self.executable, &pictures, main)?;
        while self.add_next(guests)? {}
        if !quick {
            driver::demo(&self.executable, &pictures, arrival)?;
        }
        console::step("pictures", &format!("in {}", pictures.display()));
        Ok(())
    }

    /// Waits for the next guests and copies them beside the app. Returns false after the last ones.
    fn add_next(&self, guests: &mut Arrivals) -> Result<bool> {
        let Some(built) = guests.next()? else { return Ok(false) };
        example_app::provide(&self.executable, &built)?;
        Ok(true)
    }

    fn time(&self) -> String {
        console::duration(self.start.elapsed())
    }
}

/// Removes pictures of an earlier run. The demo in a terminal keeps other files in the same folder.
fn remove_pictures(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "png") {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_bundles_what_it_opens_with() {
        let guests = example_app::guests().expect("the app's configuration");
        assert!(FIRST.iter().all(|guest| guests.contains(guest)), "{guests:?}");
    }
}
