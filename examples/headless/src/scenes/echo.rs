//! A conversation: each line is answered before the next is sent. One API for what any language compiles to.

use std::time::Instant;

use anyhow::{Result, ensure};
use wasi_sidecar::{Backend, Command, Framing, Program, units::time};
use wasi_sidecar_guests::Kind;

use super::{Outcome, backend};
use crate::{
    measure::{Facts, Run},
    screen,
    stage::Stage,
    table::Row,
};

/// Lines that go there and back.
const LINES: usize = 200;

pub(super) async fn play(stage: &Stage, outcome: &mut Outcome) -> Result<()> {
    let mut programs: Vec<(&str, Option<Program>)> = Vec::new();
    if stage.quick {
        screen::line("`--quick`: in Rust only")?;
    }
    let others = [("go/echo", "go"), ("python/echo", "python")];
    for (shown, language) in others.into_iter().filter(|_| !stage.quick) {
        let component = stage.component(Kind::Language(language), "echo").await?;
        // What these sources compile to is the component; there is no second program made from them.
        programs.extend([(shown, Some(component.into())), (shown, None)]);
    }
    programs.extend(stage.fallbacks("echo").await?.map(|program| ("rust/echo", Some(program))));
    for (name, program) in programs {
        let Some(program) = program else {
            let row = Row { program: name.into(), backend: Backend::Native, facts: None };
            outcome.rows.push(row);
            continue;
        };
        let backend = backend(&program);
        let facts = converse(name, program).await?;
        outcome.check(facts.bytes == expected_bytes(), || format!("{name} ({backend}) wrote more"));
        outcome.done(name, backend, facts);
    }
    Ok(())
}

async fn converse(name: &str, program: Program) -> Result<Facts> {
    let backend = backend(&program);
    let mut run = Run::start(&mut Command::new(program), Framing::lines())?;
    let mut times = Vec::with_capacity(LINES);
    for number in 0..LINES {
        let sent = line(number);
        let start = Instant::now();
        run.write(sent.as_bytes()).await?;
        let answer = run.next().await?;
        times.push(start.elapsed());
        ensure!(
            answer.as_deref() == Some(sent.as_bytes()),
            "{name} ({backend}) answered {answer:?} to {sent:?}"
        );
    }
    run.close_input();
    times.sort_unstable();
    screen::line(&format!(
        "{name} ({backend}): {LINES} lines there and back, {} each in the middle, {} at most",
        time(times[LINES / 2]),
        time(times[LINES - 1]),
    ))?;
    run.finish().await
}

fn line(number: usize) -> String {
    format!("line {number}: to be sent back\n")
}

fn expected_bytes() -> u64 {
    (0..LINES).map(|number| line(number).len() as u64).sum()
}
