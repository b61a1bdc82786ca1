//! Says how a guest ended that did not end by itself.

use std::time::Duration;

use wasi_sidecar::{Limit, Limits, Termination, units};

use crate::{args::RunArgs, report};

/// `refused` is the limit that refused the guest something before, if one did.
pub(super) fn explain(end: &Termination, refused: Option<Limit>, args: &RunArgs) {
    let time = |limit: Option<Duration>| format!("{:?}", limit.unwrap_or_default());
    let text = match end {
        // What ended so may have been unable to say why.
        Termination::Exited(1..) => {
            if let Some(limit) = refused {
                report::warning(&format!(
                    "the guest was refused more {limit} before it ended; raise the limit with `{}`",
                    limit.option()
                ));
            }
            return;
        }
        Termination::Exited(_) => return,
        Termination::Trapped(fault) => {
            // The library has escaped it and bounded its length.
            let (what, calls) = fault.split_once('\n').unwrap_or((fault, ""));
            report::error(&format!("the guest trapped: {what}"));
            if !calls.is_empty() {
                report::note(&format!("{calls}\n"));
            }
            return;
        }
        Termination::OutOf(Limit::Time) => format!(
            "the guest ran out of time, which is limited to {} by `--time`",
            time(args.time)
        ),
        Termination::OutOf(Limit::CpuTime) => format!(
            "the guest ran out of CPU time, which is limited to {} by `--cpu-time`",
            time(args.cpu_time)
        ),
        Termination::OutOf(Limit::Memory) => format!(
            "the guest ran out of memory, which is limited to {}; raise it with `--memory`",
            units::size(args.memory.unwrap_or_else(|| Limits::new().memory_bytes()))
        ),
        Termination::OutOf(limit) => {
            format!("the guest ran out of {limit}; raise the limit with `{}`", limit.option())
        }
        _ => "the guest was killed".into(),
    };
    report::error(&text);
}
