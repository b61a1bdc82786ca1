//! System packages for a webview: headers to build with, and a display and a WebDriver to test with.

use anyhow::Result;

use crate::system::{console, packages};

/// Debian packages for building a Tauri app.
const FOR_BUILDING: &[&str] =
    &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "librsvg2-dev"];

/// Debian packages for driving an app without a display. Machines without a display often lack fonts, too.
const FOR_DRIVING: &[&str] =
    &["webkit2gtk-driver", "xvfb", "xauth", "dbus", "dbus-x11", "fonts-dejavu-core"];

/// Download size of all these packages and their dependencies.
pub(crate) const MEGABYTES: u32 = 120;

/// Installs what building Tauri apps needs.
pub(crate) fn install_for_building() -> Result<()> {
    packages::install(&missing(false))
}

/// Installs what building and driving Tauri apps needs.
pub(crate) fn install_for_driving() -> Result<()> {
    packages::install(&missing(true))
}

/// Packages that are not installed. None on macOS and Windows, which include a webview.
pub(crate) fn missing(driving: bool) -> Vec<&'static str> {
    if !packages::is_debian() {
        if cfg!(target_os = "linux") {
            console::step(
                "note",
                "this system is not Debian; install WebKitGTK 4.1 with headers, WebKitWebDriver, Xvfb and dbus yourself",
            );
        }
        return Vec::new();
    }
    let all = FOR_BUILDING.iter().chain(if driving { FOR_DRIVING } else { &[] }).copied();
    all.filter(|name| !packages::is_installed(name)).collect()
}

/// Whether this system has a WebDriver for Tauri's webview. macOS has none.
pub(crate) fn can_be_driven() -> bool {
    cfg!(target_os = "linux")
}

/// Whether a window would be visible here.
pub(crate) fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
