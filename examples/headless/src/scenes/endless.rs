//! A loop that never calls the host: ended from outside, or by a limit.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::timeout;
use wasi_sidecar::{Backend, Command, Framing, Limit, Limits, Program, Termination, units::time};

use super::{Outcome, backend};
use crate::{measure::Run, screen, stage::Stage};

const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn play(stage: &Stage, outcome: &mut Outcome) -> Result<()> {
    let fallbacks = stage.fallbacks("spin").await?;
    for program in &fallbacks {
        killed(program, outcome).await?;
    }
    limited(&fallbacks[0], outcome).await
}

async fn killed(program: &Program, outcome: &mut Outcome) -> Result<()> {
    let backend = backend(program);
    let progress = screen::progress(format!("spin ({backend}) computes"));
    let mut run = Run::start(&mut Command::new(program.clone()), Framing::lines())?;
    ensure!(run.next().await?.is_some(), "spin ({backend}) ended before it span");
    // It has said all it will. If it ends now, it was not us.
    let early = timeout(SECOND.saturating_sub(run.elapsed()), run.next()).await;
    let asked = run.elapsed();
    run.kill();
    let facts = run.finish().await?;
    drop(progress);
    screen::line(&format!(
        "{backend}: killed, and gone {} later",
        time(facts.total.saturating_sub(asked))
    ))?;
    let ended_so = match backend {
        Backend::Component => facts.ended.termination == Some(Termination::Killed),
        // Systems without signals have a code of their own for this.
        _ => !facts.success(),
    };
    outcome.check(early.is_err() && ended_so, || {
        format!("spin ({backend}) was not ended by the kill: {}", facts.end())
    });
    outcome.row("spin", backend, facts);
    Ok(())
}

async fn limited(program: &Program, outcome: &mut Outcome) -> Result<()> {
    let progress = screen::progress("spin (component) computes, with a limit of one second");
    let mut command = Command::new(program.clone());
    let run = Run::start(command.limits(Limits::new().time(SECOND)), Framing::lines())?;
    let facts = run.finish().await?;
    drop(progress);
    screen::line("component with `Limits::time` of one second: ended without being asked")?;
    let out_of_time = Some(Termination::OutOf(Limit::Time));
    outcome.check(facts.ended.termination == out_of_time, || {
        format!("spin was not ended by its limit: {}", facts.end())
    });
    outcome.row("spin (limit)", Backend::Component, facts);
    Ok(())
}
