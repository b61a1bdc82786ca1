//! `cargo xtask demo`: the main job on real input, from nothing.
//!
//! In a window it is the example app, `examples/app`; where there is no display it is driven once through its main path, and
//! leaves pictures. In a terminal it is a program of its own, `examples/headless`. Here they get what they need: the guests
//! they run, which are not all there are, and a build.

use anyhow::{Context, Result, bail};

use crate::{app, build, e2e, guests, javascript, paths, setup, step, webview};

const HEADLESS: &str = "headless-demo";
const HEADLESS_GUESTS: [&str; 7] =
    ["markdown", "word-count", "echo", "fs-probe", "spin", "go/echo", "python/echo"];

pub(crate) fn run(headless_cli: bool) -> Result<()> {
    if headless_cli { in_the_terminal() } else { in_a_window() }
}

fn in_a_window() -> Result<()> {
    setup::set_up_languages()?;
    let display = webview::has_display();
    if display {
        webview::set_up_building()?
    } else {
        webview::set_up_driving()?
    }
    step::line("guests", &format!("from source: {}", app::GUESTS.join(", ")));
    guests::build(&app::GUESTS.map(ToOwned::to_owned))?;
    app::stage()?;
    javascript::build()?;
    step::line(
        "building",
        &format!("{}, for development (some minutes, the first time)", app::APP),
    );
    let app = app::build()?;
    if display {
        step::line("opening", &app.display().to_string());
        let status = step::command(&app).status().context("cannot start the app")?;
        return if status.success() { Ok(()) } else { bail!("the app failed ({status})") };
    }
    let pictures = paths::workspace().join("target/demo");
    step::line("driving", "the app on a display of its own (Xvfb), since there is none here");
    e2e::demo(&app, &pictures)?;
    step::line("pictures", &format!("of what it showed are in {}", pictures.display()));
    Ok(())
}

fn in_the_terminal() -> Result<()> {
    // The compilers for Go and Python come as packages of Python's.
    let missing = setup::missing_for_python();
    if !missing.is_empty() {
        setup::install_packages(&missing)?;
    }
    step::line("guests", &format!("from source: {}", HEADLESS_GUESTS.join(", ")));
    guests::build(&HEADLESS_GUESTS.map(ToOwned::to_owned))?;
    step::line("building", &format!("{HEADLESS}, for development (some minutes, the first time)"));
    let demo = build::executable(&["build"], "--bin", HEADLESS)?;
    let mut demo = step::command(demo);
    demo.current_dir(paths::workspace());
    let status = demo.status().context("cannot start the demo")?;
    if !status.success() {
        bail!("the demo did not do all it should ({status}); what went wrong is said above");
    }
    Ok(())
}
