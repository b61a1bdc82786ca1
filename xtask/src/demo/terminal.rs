//! The demo in a terminal: `examples/headless`.

use anyhow::{Context, Result, bail};
use wasi_sidecar_guests::Kind;

use super::estimate::{self, Needs};
use super::pipeline::{Plan, build_beside};
use crate::build::cargo;
use crate::guests::{Builder, Guest, find};
use crate::system::{console, paths, process, tools};

pub(crate) const PROGRAM: &str = "headless-demo";

/// The Rust guests that its scenes run, each as a component and as a native fallback, and the guests in other languages.
const TWINS: [&str; 5] = ["markdown", "word-count", "echo", "fs-probe", "spin"];
const OTHERS: [&str; 2] = ["go/echo", "python/echo"];

pub(crate) fn run(quick: bool) -> Result<()> {
    let plan = Plan::new(guests(), &[], quick);
    estimate::print(&Needs {
        program: PROGRAM,
        opens: "the first scene runs",
        guests: &plan.all(),
        system: false,
        npm: false,
        quick,
    });
    tools::install_python()?;
    let builder = Builder::lock()?;
    build_beside(
        &plan,
        |it| builder.build(it),
        |it| builder.download(it),
        |guests| {
            console::step("building", &format!("{PROGRAM}, for development"));
            // The scenes need all guests, so none can wait.
            guests.build_rest();
            let demo = cargo::executable(&["build"], "--bin", PROGRAM)?;
            while guests.next()?.is_some() {}
            let mut demo = process::command(demo);
            if quick {
                demo.arg("--quick");
            }
            let status = demo.current_dir(paths::workspace()).status();
            let status = status.context("cannot start the demo")?;
            if !status.success() {
                bail!("the demo failed ({status}), see above");
            }
            Ok(())
        },
    )
}

fn guests() -> Vec<Guest> {
    let fallbacks = TWINS.iter().flat_map(|name| [(Kind::Component, *name), (Kind::Native, *name)]);
    fallbacks.chain(OTHERS.iter().filter_map(|name| find(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guests_are_those_that_the_scenes_run() {
        let scenes = paths::workspace().join("examples/headless/src/scenes");
        let mut found = Vec::new();
        for scene in std::fs::read_dir(scenes).expect("the scenes") {
            let text = std::fs::read_to_string(scene.expect("a scene").path()).expect("its text");
            for name in text.split("fallbacks(\"").skip(1).filter_map(|rest| rest.split('"').next())
            {
                found.extend([(Kind::Component, name.to_owned()), (Kind::Native, name.to_owned())]);
            }
            // `("go/echo", "go")`
            for name in
                text.split('"').filter(|word| word.ends_with("/echo") && !word.starts_with("rust/"))
            {
                found.extend(find(name).map(|(kind, name)| (kind, name.to_owned())));
            }
        }
        let built = guests();
        assert_eq!(built.len(), 2 * TWINS.len() + OTHERS.len(), "{built:?}");
        for (kind, name) in &found {
            assert!(built.contains(&(*kind, name.as_str())), "{kind:?} {name} is not in {built:?}");
        }
        for (kind, name) in &built {
            assert!(found.contains(&(*kind, (*name).to_owned())), "no scene runs {kind:?} {name}");
        }
    }
}
