//! Gathers what Tauri wants, and looks again when artifacts were put into `sidecars/`.

#![expect(clippy::disallowed_methods, reason = "a build script makes a folder beside its sources")]

fn main() {
    println!("cargo::rerun-if-changed=sidecars");
    // The page is built by `npm run build`. Without it the app still compiles, and says what is missing.
    let page = std::path::Path::new("../dist/index.html");
    if !page.exists()
        && let Some(folder) = page.parent()
        && std::fs::create_dir_all(folder).is_ok()
    {
        let text = "<!doctype html><title>Sidecar Playground</title><p>Run <code>npm run build</code> in examples/app.";
        let _ = std::fs::write(page, text);
    }
    tauri_build::build();
}
