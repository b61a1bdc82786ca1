//! The scenes, in the order they are played.

mod echo;
mod endless;
mod files;
mod markdown;
mod words;

use wasi_sidecar::{Backend, Program};

use crate::{measure::Facts, stage::Stage, table::Row};

pub(crate) const ALL: [Scene; 5] =
    [Scene::Markdown, Scene::Words, Scene::Echo, Scene::Files, Scene::Endless];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scene {
    Markdown,
    Words,
    Echo,
    Files,
    Endless,
}

/// What a scene measured, and what did not go as it should.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) failures: Vec<String>,
}

impl Scene {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Scene::Markdown => "1. markdown: README.md to HTML, over standard streams",
            Scene::Words => "2. word-count: the source tree, granted read-only",
            Scene::Echo => "3. echo: line by line, there and back, in Go, Python and Rust",
            Scene::Files => "4. fs-probe: files that were not granted",
            Scene::Endless => "5. spin: an endless loop, ended after one second",
        }
    }

    pub(crate) async fn play(self, stage: &Stage) -> Outcome {
        let mut outcome = Outcome::default();
        let played = match self {
            Scene::Markdown => markdown::play(stage, &mut outcome).await,
            Scene::Words => words::play(stage, &mut outcome).await,
            Scene::Echo => echo::play(stage, &mut outcome).await,
            Scene::Files => files::play(stage, &mut outcome).await,
            Scene::Endless => endless::play(stage, &mut outcome).await,
        };
        if let Err(error) = played {
            outcome.failures.push(format!("{error:#}"));
        }
        outcome
    }
}

impl Outcome {
    fn row(&mut self, program: &str, backend: Backend, facts: Facts) {
        self.rows.push(Row { program: program.to_owned(), backend, facts: Some(facts) });
    }

    /// The same, for a program that should have exited with code 0.
    fn done(&mut self, program: &str, backend: Backend, facts: Facts) {
        self.check(facts.success(), || {
            format!("{program} ({backend}) ended with `{}`: {}", facts.end(), facts.said.trim())
        });
        self.row(program, backend, facts);
    }

    fn check(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.failures.push(otherwise());
        }
    }
}

fn backend(program: &Program) -> Backend {
    match program {
        Program::Native(_) => Backend::Native,
        _ => Backend::Component,
    }
}
