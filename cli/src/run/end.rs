//! Explains the end of a guest that did not exit by itself.

use wasi_sidecar::{Limit, Termination, units};

use crate::{args::RunArgs, report, spelling};

/// `refused` is the limit that refused the guest something earlier, if any.
pub(super) fn explain(end: &Termination, refused: Option<Limit>, args: &RunArgs) {
    let option = |limit| format!("--{}", spelling::option(limit));
    let limits = args.limits.get();
    let time = |limit| format!("{:?}", limits.duration(limit).unwrap_or_default());
    let text = match end {
        // A guest that failed after a refusal may not have reported it.
        Termination::Exited(1..) => {
            if let Some(limit) = refused {
                report::warning(&format!(
                    "the guest was refused more {limit} before it ended; raise the limit with `{}`",
                    option(limit)
                ));
            }
            return;
        }
        Termination::Exited(_) => return,
        Termination::Trapped(fault) => {
            // The library has escaped the text and bounded its length.
            let (what, calls) = fault.split_once('\n').unwrap_or((fault, ""));
            report::error(&format!("the guest trapped: {what}"));
            if !calls.is_empty() {
                report::note(&format!("{calls}\n"));
            }
            return;
        }
        Termination::OutOf(Limit::Time) => format!(
            "the guest ran out of time, which is limited to {} by `--time`",
            time(Limit::Time)
        ),
        Termination::OutOf(Limit::CpuTime) => format!(
            "the guest ran out of CPU time, which is limited to {} by `--cpu-time`",
            time(Limit::CpuTime)
        ),
        Termination::OutOf(Limit::Memory) => format!(
            "the guest ran out of memory, which is limited to {}; raise it with `--memory`",
            units::size(limits.get(Limit::Memory).unwrap_or_default())
        ),
        Termination::OutOf(limit) => {
            format!("the guest ran out of {limit}; raise the limit with `{}`", option(*limit))
        }
        _ => "the guest was killed".into(),
    };
    report::error(&text);
}
