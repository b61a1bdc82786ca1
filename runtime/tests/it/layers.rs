//! No circles: what a module imports never imports that module, however far round, in any crate.
//!
//! The modules of one folder are looked at together. An import of something inside another folder counts as an import of that
//! folder. A re-export is followed to the file that defines the item, so `use crate::Child` is an import of `api`. What a
//! module's own parent declares does not count: a folder is one room.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{code, sources};

type Module = Vec<String>;

#[derive(Default)]
struct Crate {
    code: BTreeMap<Module, String>,
    /// What each module re-exports, and the path it re-exports it from.
    exports: BTreeMap<Module, BTreeMap<String, Module>>,
    imports: BTreeMap<Module, BTreeSet<Module>>,
}

fn words(path: &str) -> Module {
    path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The paths of a `use`, each written out.
fn flatten(prefix: &[String], tree: &str, out: &mut Vec<Module>) {
    let (mut depth, mut start) = (0, 0);
    let mut parts = Vec::new();
    for (at, character) in tree.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
        let path = |text: &str| [prefix, &words(text)].concat();
        match part.split_once('{') {
            Some((before, inner)) => {
                flatten(&path(before), inner.trim_end().trim_end_matches('}'), out);
            }
            None => out.push(path(part.split(" as ").next().unwrap_or(part))),
        }
    }
}

impl Crate {
    fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut this = Self::default();
        for (name, text) in files {
            let name = name.trim_end_matches(".rs").trim_end_matches("/mod");
            let is_root = matches!(name, "lib" | "main");
            let is_test = name.split('/').any(|part| part == "tests");
            let module = if is_root { Vec::new() } else { words(&name.replace('/', "::")) };
            if !is_test {
                this.code.insert(module, code(&text));
            }
        }
        let mut found = Vec::new();
        for (module, text) in &this.code {
            let mut rest = String::new();
            for statement in text.split(';') {
                let line = statement.rfind("use ").filter(|at| {
                    let before = statement[..*at].trim_end();
                    before.is_empty()
                        || before.ends_with(['}', ')', ']', '{', '\n'])
                        || before.ends_with("pub")
                });
                let Some(at) = line else {
                    rest.push_str(statement);
                    continue;
                };
                let is_export = statement[..at].trim_end().ends_with(['b', ')'])
                    && statement[..at]
                        .lines()
                        .last()
                        .is_some_and(|line| line.trim_start().starts_with("pub"));
                rest.push_str(&statement[..at]);
                let mut paths = Vec::new();
                flatten(&[], &statement[at + 4..], &mut paths);
                found.extend(paths.into_iter().map(|path| (module.clone(), is_export, path)));
            }
            for root in ["crate::", "super::"] {
                for (at, _) in rest.match_indices(root) {
                    let path =
                        rest[at..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
                    let path = path.take(1).collect::<String>();
                    if !rest[..at].ends_with("::") {
                        found.push((module.clone(), false, words(&path)));
                    }
                }
            }
        }
        let mut plain = Vec::new();
        for (module, is_export, path) in found {
            let Some(path) = this.absolute(&module, path) else { continue };
            match (is_export, path.last().cloned()) {
                (true, Some(name)) => {
                    this.exports.entry(module).or_default().insert(name, path);
                }
                _ => plain.push((module, path)),
            }
        }
        for (module, path) in plain {
            let from = this.defined_in(path, 0);
            if from != module && !from.is_empty() {
                this.imports.entry(module).or_default().insert(from);
            }
        }
        this
    }

    /// The path from the root of the crate; nothing for what is in another crate.
    fn absolute(&self, module: &Module, path: Module) -> Option<Module> {
        let mut base = module.clone();
        let mut rest = path.as_slice();
        match rest.first()?.as_str() {
            "crate" => return Some(rest[1..].to_vec()),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                let child = [module.clone(), vec![first.to_owned()]].concat();
                self.code.get(&child)?;
            }
        }
        Some([base, rest.to_vec()].concat())
    }

    /// The module whose file defines what a path leads to.
    fn defined_in(&self, path: Module, depth: usize) -> Module {
        let length = (0..=path.len()).rev().find(|end| self.code.contains_key(&path[..*end]));
        let (module, rest) = path.split_at(length.unwrap_or(0));
        let export = rest.first().and_then(|name| self.exports.get(module)?.get(name));
        match export {
            Some(target) if depth < 10 => {
                self.defined_in([target.clone(), rest[1..].to_vec()].concat(), depth + 1)
            }
            _ => module.to_vec(),
        }
    }

    /// The circles among the modules of each folder, as text.
    fn circles(&self) -> BTreeSet<String> {
        let folders: BTreeSet<&[String]> = self
            .code
            .keys()
            .filter_map(|module| module.split_last())
            .map(|(_, folder)| folder)
            .collect();
        let mut circles = BTreeSet::new();
        for folder in folders {
            let mut graph = BTreeMap::<&str, BTreeSet<&str>>::new();
            for (from, targets) in &self.imports {
                for to in targets {
                    let inside = |module: &'_ Module| {
                        module.len() > folder.len() && module.starts_with(folder)
                    };
                    if inside(from) && inside(to) && from[folder.len()] != to[folder.len()] {
                        graph.entry(&from[folder.len()]).or_default().insert(&to[folder.len()]);
                    }
                }
            }
            for start in graph.keys() {
                let mut seen = BTreeSet::new();
                let mut next: Vec<&str> = graph[start].iter().copied().collect();
                while let Some(module) = next.pop() {
                    if seen.insert(module) {
                        next.extend(graph.get(module).into_iter().flatten());
                    }
                }
                if seen.contains(start) {
                    circles.insert([folder.join("::"), (*start).to_owned()].join("::"));
                }
            }
        }
        circles
    }
}

#[test]
fn no_crate_has_a_circle_of_imports() {
    for folder in ["src", "../host-plugin/src", "../cli/src", "../xtask/src"] {
        let found = Crate::new(sources(folder));
        assert!(!found.imports.is_empty(), "{folder} has imports");
        assert_eq!(found.circles(), BTreeSet::new(), "{folder}");
    }
}

#[test]
fn a_circle_is_found_through_a_re_export_too() {
    let with = |file: &str, line: &str| {
        let files = sources("src").into_iter().map(|(name, text)| {
            let text = if name == file { format!("{line}\n{text}") } else { text };
            (name, text)
        });
        Crate::new(files).circles()
    };
    assert!(with("exec/pipe.rs", "use crate::backend::Process;").contains("::exec"));
    assert!(with("grants/env.rs", "use crate::{Error, Command as Other};").contains("::grants"));
    assert!(with("exec/pipe.rs", "use super::ticker::Ticker;").is_empty(), "downwards");
    assert!(with("exec/spin.rs", "use super::queue::Queue;").contains("exec::spin"));
}

#[test]
fn layers_import_downwards() {
    // From the highest to the lowest.
    let layers = [
        "api", "backend", "code", "engine", "guest", "exec", "compile", "cache", "artifact",
        "grants", "limits", "exit", "stdio", "units", "error", "text", "setting",
    ];
    let level = |name: &str| layers.iter().position(|layer| *layer == name);
    let found = Crate::new(sources("src"));
    for (from, targets) in &found.imports {
        let Some(from) = from.first() else { continue };
        for to in targets.iter().filter_map(|to| to.first()).filter(|to| *to != from) {
            let (upper, lower) = (level(from), level(to));
            assert!(upper.is_some() && upper < lower, "`{from}` imports `{to}`");
        }
    }
}
