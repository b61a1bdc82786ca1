//! Finds the components that an app bundles, from its configuration as Tauri merges it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A configured component in the app's sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bundled {
    /// The sidecar's name.
    pub(crate) sidecar: String,
    /// The component's path.
    pub(crate) component: PathBuf,
    /// Whether the resource entry that bundles it also bundles a new file beside it.
    pub(crate) takes_neighbours: bool,
}

/// The components bundled from the folder of `tauri.conf.json`, and the configuration files.
pub(crate) fn bundled(
    root: &Path,
    os: &str,
    from_cli: Option<String>,
) -> Result<(Vec<Bundled>, Vec<PathBuf>)> {
    let (config, read) = read(root, os, from_cli)?;
    let resources = resources(&config["bundle"]["resources"]);
    let mut bundled = Vec::new();
    let none = serde_json::Map::new();
    let sidecars = config["plugins"]["wasi-sidecar"]["sidecars"].as_object().unwrap_or(&none);
    for (sidecar, entry) in sidecars {
        // Anything but a string is a component that the app registers while it runs, or a mistake that the plugin
        // reports.
        let Some(path) = entry["component"].as_str() else { continue };
        let path = path.strip_prefix("$RESOURCE/").unwrap_or(path);
        let found = resources.iter().find_map(|one| one.source_of(root, Path::new(path)));
        if let Some((component, takes_neighbours)) = found {
            bundled.push(Bundled { sidecar: sidecar.clone(), component, takes_neighbours });
        }
    }
    Ok((bundled, read))
}

/// Merges `tauri.conf.json`, the file of the operating system, and the configuration from Tauri's command line.
fn read(root: &Path, os: &str, from_cli: Option<String>) -> Result<(Value, Vec<PathBuf>)> {
    let path = root.join("tauri.conf.json");
    let Some(mut config) = json(&path)? else {
        bail!("there is no {}; other formats of it are not read here", path.display());
    };
    let system = root.join(format!("tauri.{os}.conf.json"));
    if let Some(over) = json(&system)? {
        json_patch::merge(&mut config, &over);
    }
    if let Some(text) = from_cli {
        let over = serde_json::from_str(&text).context("TAURI_CONFIG is no JSON")?;
        json_patch::merge(&mut config, &over);
    }
    Ok((config, vec![path, system]))
}

fn json(path: &Path) -> Result<Option<Value>> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let value = serde_json::from_str(&text);
            value.map(Some).with_context(|| format!("{} is no JSON", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
}

/// An entry of `bundle > resources`.
#[derive(Debug)]
struct Resource {
    pattern: String,
    /// Where it is bundled. `None`: at the same path as in the sources.
    goes_to: Option<PathBuf>,
}

/// Tauri's two forms: a list, or an object that maps sources to destinations.
fn resources(value: &Value) -> Vec<Resource> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    match value {
        Value::Array(list) => list
            .iter()
            .filter_map(text)
            .map(|pattern| Resource { pattern, goes_to: None })
            .collect(),
        Value::Object(map) => map
            .iter()
            .filter_map(|(pattern, place)| {
                let goes_to = Some(PathBuf::from(text(place)?));
                Some(Resource { pattern: pattern.clone(), goes_to })
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl Resource {
    /// The source file of the resource at `path`, and whether a new file beside it would be bundled too.
    fn source_of(&self, root: &Path, path: &Path) -> Option<(PathBuf, bool)> {
        let pattern = Path::new(&self.pattern);
        let (source, takes_neighbours) = match pattern.file_name()?.to_str()? {
            // All or some files of a folder.
            last if last.contains('*') => {
                let folder = pattern.parent()?;
                // `folder/**/*` keeps subfolders only in a list.
                let deep = folder.file_name().is_some_and(|name| name == "**");
                let folder = if deep { folder.parent()? } else { folder };
                let source = match &self.goes_to {
                    Some(place) if path.parent()? == place => folder.join(path.file_name()?),
                    None if path.starts_with(folder) => path.to_owned(),
                    _ => return None,
                };
                let beside = deep || source.parent()? == folder;
                (source, last == "*" && beside)
            }
            _ if root.join(pattern).is_dir() => match &self.goes_to {
                Some(place) => (pattern.join(path.strip_prefix(place).ok()?), true),
                None if path.starts_with(pattern) => (path.to_owned(), true),
                None => return None,
            },
            name => match &self.goes_to {
                Some(place) if place.as_os_str().is_empty() && path == Path::new(name) => {
                    (pattern.to_owned(), false)
                }
                Some(place) if place == path => (pattern.to_owned(), false),
                None if pattern == path => (path.to_owned(), false),
                _ => return None,
            },
        };
        let source = root.join(source);
        source.is_file().then_some((source, takes_neighbours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An app with two components in `sidecars/`.
    fn app(config: &Value) -> tempfile::TempDir {
        let app = tempfile::tempdir().expect("a folder");
        fs::create_dir(app.path().join("sidecars")).expect("made");
        for name in ["a.wasm", "b.wasm"] {
            fs::write(app.path().join("sidecars").join(name), name).expect("written");
        }
        fs::write(app.path().join("tauri.conf.json"), config.to_string()).expect("written");
        app
    }

    fn config(resources: Value, component: &str) -> Value {
        json!({ "bundle": { "resources": resources },
                "plugins": { "wasi-sidecar": { "sidecars": { "s": { "component": component } } } } })
    }

    #[test]
    fn a_component_is_found_through_the_resource_that_bundles_it() {
        let a = "sidecars/a.wasm";
        let rows = [
            (json!(["sidecars/*"]), a, Some((a, true))),
            (json!(["sidecars/**/*"]), a, Some((a, true))),
            (json!(["sidecars/*.wasm"]), a, Some((a, false))),
            (json!(["sidecars/"]), a, Some((a, true))),
            (json!(["sidecars/a.wasm"]), a, Some((a, false))),
            (json!(["sidecars/b.wasm"]), a, None),
            (json!({ "sidecars": "sidecars" }), a, Some((a, true))),
            (json!({ "sidecars/": "wasm/" }), "wasm/a.wasm", Some((a, true))),
            (json!({ "sidecars/*": "wasm" }), "wasm/a.wasm", Some((a, true))),
            (json!({ "sidecars/*.wasm": "wasm" }), "wasm/a.wasm", Some((a, false))),
            (json!({ "sidecars/a.wasm": "x.wasm" }), "x.wasm", Some((a, false))),
            (json!({ "sidecars/a.wasm": "" }), "a.wasm", Some((a, false))),
            (json!({ "sidecars": "wasm" }), a, None),
            (json!(["sidecars/*"]), "$RESOURCE/sidecars/a.wasm", Some((a, true))),
            (json!(["sidecars/*"]), "$APPDATA/a.wasm", None),
            (json!(["sidecars/*"]), "sidecars/missing.wasm", None),
            (Value::Null, a, None),
        ];
        for (resources, component, expected) in rows {
            let app = app(&config(resources.clone(), component));
            let (found, _) = bundled(app.path(), "linux", None).expect("it can be read");
            let found = found.first().map(|one| (one.component.clone(), one.takes_neighbours));
            let expected = expected.map(|(path, takes)| (app.path().join(path), takes));
            assert_eq!(found, expected, "{component} in {resources}");
        }
    }

    #[test]
    fn the_systems_file_and_the_command_line_come_on_top() {
        let app = app(&config(json!(["sidecars/*"]), "sidecars/a.wasm"));
        let over = json!({ "plugins": { "wasi-sidecar": { "sidecars": { "s": { "component": "sidecars/b.wasm" } } } } });
        fs::write(app.path().join("tauri.windows.conf.json"), over.to_string()).expect("written");
        let name = |os: &str, from_cli: Option<String>| {
            let (found, _) = bundled(app.path(), os, from_cli).expect("it can be read");
            found.first().map(|one| one.component.file_name().map(ToOwned::to_owned))
        };
        assert_eq!(name("linux", None), Some(Some("a.wasm".into())));
        assert_eq!(name("windows", None), Some(Some("b.wasm".into())));
        assert_eq!(name("linux", Some(over.to_string())), Some(Some("b.wasm".into())));
        let none = json!({ "plugins": { "wasi-sidecar": null } }).to_string();
        assert_eq!(name("linux", Some(none)), None);
    }

    #[test]
    fn what_is_no_configuration_is_told() {
        let empty = tempfile::tempdir().expect("a folder");
        let error = bundled(empty.path(), "linux", None).expect_err("nothing there");
        assert!(error.to_string().contains("tauri.conf.json"), "{error}");
        fs::write(empty.path().join("tauri.conf.json"), "{").expect("written");
        let error = bundled(empty.path(), "linux", None).expect_err("half of it");
        assert!(error.to_string().contains("is no JSON"), "{error}");
    }
}
