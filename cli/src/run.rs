//! `wasi-sidecar run`: runs a guest with our streams and our exit code.

mod end;
mod setup;

use std::{
    io, panic,
    pin::{Pin, pin},
    process,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::{sync::mpsc, time};
use wasi_sidecar::{Child, Component, ExitStatus, Status};

use crate::{
    args::RunArgs,
    code,
    progress::Progress,
    report,
    stats::{Moments, Stats},
    streams::{self, Counts, Ended},
};
use setup::Setup;

/// How long, after we stop the guest, its output may take to be written. Its reader may be stuck.
const GRACE: Duration = Duration::from_secs(1);

pub(crate) fn run(args: RunArgs) -> Result<u8> {
    // Tokio panics instead of failing if there are too few descriptors for signals.
    let runtime =
        panic::catch_unwind(|| tokio::runtime::Builder::new_current_thread().enable_all().build())
            .unwrap_or_else(|_| Err(io::Error::other("it cannot receive Ctrl-C")))
            .context("failed to set up the program")?;
    let done = runtime.block_on(start(&args));
    let code = done.unwrap_or_else(|error| report::failure(&error));
    // Not a return: a read of standard input may block as long as the terminal is open.
    process::exit(code.into())
}

/// Completes at the first Ctrl-C. Tokio's signal handler swallows further ones.
type Interrupt<'a> = Pin<&'a mut (dyn Future<Output = ()> + 'a)>;

async fn start(args: &RunArgs) -> Result<u8> {
    let mut interrupt = pin!(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            report::warning(&format!("Ctrl-C ends this program at once: {error}"));
            std::future::pending().await
        }
    });
    let Setup { component, command } = setup::setup(args)?;
    let begin = Instant::now();
    let mut child = command.spawn()?;

    // The guest starts when its code is ready. Its output waits until the spinner is gone.
    let ready = tokio::select! {
        ready = compiled(&component, args) => ready,
        () = &mut interrupt => return Ok(code::INTERRUPTED),
    };
    // Waiting for the child returns the same error as the compilation.
    let moments = Moments { begin, ready: ready.then(Instant::now) };

    let counts = Arc::new(Counts::default());
    let outputs = streams::connect(&mut child, &counts)
        .context("failed to start the threads for the guest's streams")?;
    let (status, stopped) = wait(&mut child, outputs, interrupt).await?;
    let end = status.termination();
    let code = match stopped {
        Some(stop) => stop.code(),
        None => {
            end::explain(end, child.usage().and_then(|usage| usage.refused), args);
            code::of(end)
        }
    };
    if let Some(format) = args.stats {
        Stats::new(&component, &child, &moments, &counts, (end, code)).show(format);
    }
    Ok(code)
}

/// Waits for the guest's code, with a spinner while it is compiled. Returns whether there is any.
async fn compiled(component: &Component, args: &RunArgs) -> bool {
    let mut changes = component.watch_status();
    let mut status = Some(component.status());
    let mut progress = None;
    loop {
        match &status {
            Some(Status::Compiling { .. }) if progress.is_none() => {
                progress = Some(Progress::start(format!("compiling {}", args.file.display())));
            }
            Some(Status::Ready(_)) => return true,
            Some(status) if !status.is_final() => {}
            _ => return false,
        }
        status = changes.changed().await;
    }
}

/// Why we stopped the guest.
#[derive(Clone, Copy, Debug)]
enum Stop {
    Interrupted,
    BrokenPipe,
    OutputFailed,
}

impl Stop {
    fn code(self) -> u8 {
        match self {
            Self::Interrupted => code::INTERRUPTED,
            Self::BrokenPipe => code::BROKEN_PIPE,
            Self::OutputFailed => code::COULD_NOT_RUN,
        }
    }
}

/// Waits for the guest's end, and until all its output is written.
async fn wait(
    child: &mut Child,
    mut outputs: mpsc::UnboundedReceiver<Ended>,
    mut interrupt: Interrupt<'_>,
) -> Result<(ExitStatus, Option<Stop>)> {
    let mut status = None;
    let mut drained = false;
    let mut stopped = None;
    let mut patience = pin!(time::sleep(Duration::MAX));
    while status.is_none() || !drained {
        let stop = tokio::select! {
            ended = child.wait(), if status.is_none() => {
                status = Some(ended);
                continue;
            }
            output = outputs.recv(), if !drained => match output {
                None => {
                    drained = true;
                    continue;
                }
                Some(Ended { written: Ok(()), .. }) => continue,
                Some(Ended { name, written: Err(error) }) => output_failed(name, &error),
            },
            () = &mut interrupt, if stopped.is_none() => Stop::Interrupted,
            () = &mut patience, if stopped.is_some() && status.is_some() => break,
        };
        stopped.get_or_insert(stop);
        child.start_kill()?;
        patience.as_mut().reset(time::Instant::now() + GRACE);
    }
    let status = status.context("the guest did not end")??;
    Ok((status, stopped))
}

fn output_failed(name: &str, error: &io::Error) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Stop::BrokenPipe;
    }
    report::error(&format!("failed to write {name}, so the guest was ended: {error}"));
    Stop::OutputFailed
}
