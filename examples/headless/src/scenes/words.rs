//! A granted directory, and progress that comes while the work goes on.
//!
//! The repository itself cannot be granted: the components lie in it, and a guest that can reach what the host loads
//! has left the sandbox. So each folder of sources is granted to a child of its own, read-only.

use anyhow::{Context, Result};
use serde_json::Value;
use wasi_sidecar::{Access, Backend, Command, Framing, Grants, Program, ambient_authority};

use super::{Outcome, backend};
use crate::{
    measure::{Facts, Run},
    screen::{self, Progress},
    stage::{self, Stage},
    table::count,
};

/// Folders of sources in which nothing is built and no package installed.
const FOLDERS: [&str; 5] = ["cli", "guests", "runtime", "wit", "xtask"];

/// Where a component sees the folder.
const GUEST: &str = "/source";

/// What the children counted, together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Total {
    files: u64,
    words: u64,
}

pub(super) async fn play(stage: &Stage, outcome: &mut Outcome) -> Result<()> {
    let mut totals = Vec::new();
    for program in stage.fallbacks("word-count").await? {
        let backend = backend(&program);
        let progress = screen::progress("word-count");
        let mut total = Total::default();
        let mut all: Option<Facts> = None;
        for folder in FOLDERS {
            let facts = folder_words(&program, backend, folder, &progress, &mut total).await?;
            match &mut all {
                Some(all) => all.add(facts),
                None => all = Some(facts),
            }
        }
        drop(progress);
        let facts = all.context("there are no folders of sources")?;
        screen::line(&format!(
            "{backend}: {} words in {} files, in {}",
            count(total.words),
            count(total.files),
            FOLDERS.join(", "),
        ))?;
        outcome.done("word-count", backend, facts);
        totals.push(total);
    }
    outcome.check(totals[0].files > 0, || "no file was counted".into());
    outcome.check(totals[0] == totals[1], || {
        format!("component and native counts differ: {totals:?}")
    });
    Ok(())
}

/// Runs one child over one folder.
async fn folder_words(
    program: &Program,
    backend: Backend,
    folder: &str,
    progress: &Progress,
    total: &mut Total,
) -> Result<Facts> {
    let host = stage::root().join(folder);
    let mut command = Command::new(program.clone());
    match backend {
        Backend::Native => command.arg(&host),
        _ => {
            let authority = ambient_authority();
            let granted = Grants::new().dir(&host, GUEST, Access::ReadOnly, authority)?;
            command.arg(GUEST).grants(granted)
        }
    };
    let mut run = Run::start(&mut command, Framing::lines())?;
    while let Some(line) = run.next().await? {
        let line: Value = serde_json::from_slice(&line).context("word-count writes JSON lines")?;
        // The last line is the child's own total; these are those it has told of on the way.
        let (Some(file), Some(words)) = (line["file"].as_str(), line["words"].as_u64()) else {
            continue;
        };
        total.files += 1;
        total.words += words;
        let (files, words) = (count(total.files), count(total.words));
        progress.say(format!("{backend}: {words} words in {files} files, now {folder}/{file}"));
    }
    run.finish().await
}
