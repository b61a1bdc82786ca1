//! The limits of `run` that few need: how many of a thing, and how much at once.

use wasi_sidecar::{EngineConfig, Limits, units};

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "More limits")]
pub(crate) struct MoreLimits {
    /// Elements in all tables together [default: 100000]
    #[arg(long, value_name = "COUNT")]
    table_elements: Option<u64>,

    /// Core instances it may consist of [default: 128]
    #[arg(long, value_name = "COUNT")]
    instances: Option<usize>,

    /// Linear memories it may have [default: 8]
    #[arg(long, value_name = "COUNT")]
    memories: Option<usize>,

    /// Tables it may have [default: 64]
    #[arg(long, value_name = "COUNT")]
    tables: Option<usize>,

    /// Files, directories, streams and timers it may hold open at once [default: 512]
    #[arg(long, value_name = "COUNT")]
    handles: Option<usize>,

    /// Bytes one call may hand to the host [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    call_bytes: Option<u64>,

    /// Random bytes one call may ask for [default: 64KiB]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    random_bytes: Option<u64>,

    /// Stack for its own frames, 64KiB to 8MiB [default: 512KiB]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    guest_stack: Option<u64>,

    /// Largest artifact that is loaded [default: 128MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    max_artifact_size: Option<u64>,
}

impl MoreLimits {
    /// Those of a guest.
    pub(crate) fn apply(&self, mut limits: Limits) -> Limits {
        if let Some(elements) = self.table_elements {
            limits = limits.table_elements(elements);
        }
        if let Some(instances) = self.instances {
            limits = limits.instances(instances);
        }
        if let Some(memories) = self.memories {
            limits = limits.memories(memories);
        }
        if let Some(tables) = self.tables {
            limits = limits.tables(tables);
        }
        if let Some(handles) = self.handles {
            limits = limits.handles(handles);
        }
        if let Some(bytes) = self.call_bytes {
            limits = limits.call_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        if let Some(bytes) = self.random_bytes {
            limits = limits.random_bytes(bytes);
        }
        limits
    }

    /// Those of the engine.
    pub(crate) fn configure(&self, mut config: EngineConfig) -> EngineConfig {
        if let Some(bytes) = self.guest_stack {
            config = config.guest_stack(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        if let Some(bytes) = self.max_artifact_size {
            config = config.max_artifact_size(bytes);
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::args::{Args, Task};

    #[test]
    fn each_option_sets_its_limit() {
        let options = "--table-elements 1 --instances 2 --memories 3 --tables 4 --handles 20 --call-bytes 9k \
            --random-bytes 5 --guest-stack 128k --max-artifact-size 6";
        let line = ["wasi-sidecar", "run"].into_iter().chain(options.split_whitespace());
        let args = Args::try_parse_from(line.chain(["x.wasm"])).expect("all of them are known");
        let Task::Run(run) = args.task else { unreachable!("it said `run`") };
        let expected = Limits::new().table_elements(1).instances(2).memories(3).tables(4);
        let expected = expected.handles(20).call_bytes(9 << 10).random_bytes(5);
        assert_eq!(run.more_limits.apply(Limits::new()), expected);
        let expected = EngineConfig::new().guest_stack(128 << 10).max_artifact_size(6);
        let found = run.more_limits.configure(EngineConfig::new());
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }

    #[test]
    fn the_table_of_limits_has_the_options_there_are() {
        let table = include_str!("../../../docs/limits.md");
        let rows: Vec<Vec<&str>> = table
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| limit"))
            .map(|line| line.split(" | ").collect::<Vec<_>>())
            // The table of what a page may have is another one.
            .filter(|cells| cells.len() == 7)
            .collect();
        let args = Args::command();
        let run = args.find_subcommand("run").expect("there is one");
        let options = run.get_arguments().filter(|option| {
            option.get_help_heading().is_some_and(|heading| heading.ends_with("imits"))
        });
        let mut known: Vec<_> = options
            .filter_map(|option| option.get_long().map(|name| format!("`--{name}`")))
            .collect();
        let mut told: Vec<_> =
            rows.iter().map(|cells| cells[4].to_owned()).filter(|cell| cell != "–").collect();
        known.sort();
        told.sort();
        assert_eq!(told, known);
    }
}
