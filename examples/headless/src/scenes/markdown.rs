//! Bytes in, bytes out: what most sidecars do.

use anyhow::{Context, Result};
use wasi_sidecar::{Command, Framing};

use super::{Outcome, backend};
use crate::{measure::Run, screen, stage::Stage};

/// Lines of HTML that are shown.
const SHOWN: usize = 5;

pub(super) async fn play(stage: &Stage, outcome: &mut Outcome) -> Result<()> {
    let text = stage.root.read_to_string("README.md").context("cannot read README.md")?;
    let mut results = Vec::new();
    for program in stage.fallbacks("markdown").await? {
        let backend = backend(&program);
        let mut run = Run::start(&mut Command::new(program), Framing::Raw)?;
        run.feed(text.clone());
        let mut html = Vec::new();
        while let Some(bytes) = run.next().await? {
            html.extend_from_slice(&bytes);
        }
        outcome.done("markdown", backend, run.finish().await?);
        results.push(String::from_utf8(html).context("the HTML is not UTF-8")?);
    }
    for line in results[0].lines().filter(|line| !line.trim().is_empty()).take(SHOWN) {
        screen::line(&screen::cut(&format!("  {line}")))?;
    }
    screen::line("  …")?;
    outcome.check(results[0].contains("<h1>"), || "the HTML has no heading".into());
    outcome.check(results[0] == results[1], || "component and native HTML differ".into());
    Ok(())
}
