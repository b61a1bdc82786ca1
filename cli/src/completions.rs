//! `wasi-sidecar completions`: writes completions of our options for a shell.

use anyhow::Result;
use clap::CommandFactory as _;

use crate::{
    args::{Args, CompletionsArgs},
    report,
};

pub(crate) fn completions(args: &CompletionsArgs) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "wasi-sidecar", &mut script);
    report::output(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
