//! How long a start takes: from `spawn` to the first byte, the component and its native fallback in turn.

use std::time::Instant;

use serde::Serialize;
use tauri::AppHandle;
use tauri_plugin_wasi_sidecar::{SidecarExt, process::CommandEvent};

use crate::catalog::suggestion;

/// Starts of each, after one that is not counted: there the component may still have to be compiled.
const ROUNDS: usize = 15;

#[derive(Serialize)]
pub(crate) struct Race {
    component: Measured,
    native: Option<Measured>,
}

/// Milliseconds.
#[derive(Serialize)]
struct Measured {
    median: f64,
    runs: Vec<f64>,
}

/// Races a sidecar that has a fallback: the one that is configured under its name with `-native` behind it.
#[tauri::command]
pub(crate) async fn race(app: AppHandle, name: String) -> Result<Race, String> {
    let name = name.trim_end_matches("-native");
    let native = format!("{name}-native");
    let (args, input) = suggestion(name).ok_or("there is no such sidecar")?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (component, fallback) = (
            first_byte(&app, name, args, input).await?,
            first_byte(&app, &native, args, input).await?,
        );
        if round > 0 {
            ours.push(component);
            theirs.push(fallback);
        }
    }
    Ok(Race { component: Measured::of(ours), native: Some(Measured::of(theirs)) })
}

async fn first_byte(
    app: &AppHandle,
    name: &str,
    args: &[&str],
    input: &str,
) -> Result<f64, String> {
    let fail = |error: tauri_plugin_wasi_sidecar::Error| error.to_string();
    let command = app.sidecar(name).map_err(fail)?.args(args);
    let start = Instant::now();
    let (mut events, mut child) = command.spawn().map_err(fail)?;
    child.write_async(format!("{}\n", input.trim_end()).as_bytes()).await.map_err(fail)?;
    child.close_stdin();
    let first = async {
        while let Some(event) = events.recv().await {
            match event {
                CommandEvent::Stdout(_) => return Ok(start.elapsed().as_secs_f64() * 1e3),
                CommandEvent::Error(error) => return Err(error),
                CommandEvent::Terminated(_) => break,
                _ => {}
            }
        }
        Err(format!("`{name}` ended without a word"))
    };
    // It ends by itself, as its input has.
    first.await
}

impl Measured {
    fn of(runs: Vec<f64>) -> Self {
        let mut sorted = runs.clone();
        sorted.sort_by(f64::total_cmp);
        Self { median: sorted.get(sorted.len() / 2).copied().unwrap_or_default(), runs }
    }
}
