//! What a webview needs of the system: headers to build against, and a display and a driver to test with.

use anyhow::Result;

use crate::{setup, step};

/// To build a Tauri app, by Debian's names of them.
const TO_BUILD: &[&str] =
    &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "librsvg2-dev"];

/// To open one where there is no display, and to drive it. Fonts, because a machine without a display often has none.
const TO_DRIVE: &[&str] =
    &["webkit2gtk-driver", "xvfb", "xauth", "dbus", "dbus-x11", "fonts-dejavu-core"];

/// What Debian downloads for all of it where nothing of it is there, in megabytes.
const MEGABYTES: u32 = 120;

/// Sees to it that Tauri apps can be built.
pub(crate) fn set_up_building() -> Result<()> {
    set_up(TO_BUILD)
}

/// Sees to it that they can also be opened and driven here.
pub(crate) fn set_up_driving() -> Result<()> {
    set_up(&[TO_BUILD, TO_DRIVE].concat())
}

/// Megabytes that are downloaded for that; nothing where all is there, or where nobody would install it.
pub(crate) fn download(driving: bool) -> Option<u32> {
    let is_debian =
        cfg!(target_os = "linux") && step::works(step::command("dpkg-query").arg("--version"));
    let packages = [TO_BUILD, if driving { TO_DRIVE } else { &[] }].concat();
    (is_debian && !packages.into_iter().all(installed)).then_some(MEGABYTES)
}

/// Whether webviews are driven on this system: Tauri has a driver for WebKitGTK, and none for macOS.
pub(crate) fn can_be_driven() -> bool {
    cfg!(target_os = "linux")
}

/// macOS and Windows bring their webview along.
fn set_up(packages: &[&str]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if !step::works(step::command("dpkg-query").arg("--version")) {
        step::line(
            "note",
            "this is no Debian: WebKitGTK 4.1 with its headers, WebKitWebDriver, Xvfb and dbus have to be there",
        );
        return Ok(());
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() { Ok(()) } else { setup::install_packages(&missing) }
}

fn installed(package: &str) -> bool {
    let mut query = step::command("dpkg-query");
    step::run(query.args(["-W", "-f", "${Status}", package]))
        .is_ok_and(|status| status.ends_with(" installed"))
}

/// Whether a window can be opened here and seen.
pub(crate) fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A command that runs on a display of its own.
pub(crate) fn on_a_display(program: &str) -> std::process::Command {
    let mut command = step::command("xvfb-run");
    command.args(["-a", "-s", "-screen 0 1280x900x24", "dbus-run-session", "--", program]);
    command
}
