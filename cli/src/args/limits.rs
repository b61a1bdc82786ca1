//! The limits of `run`: one option per row of the library's table, and two limits of the engine.

use clap::{Arg, ArgMatches, Command, FromArgMatches};
use wasi_sidecar::{EngineConfig, Limit, LimitUnit, Limits, units};

use crate::spelling;

/// Limits that people set often. The help lists the others last.
const COMMON: [Limit; 3] = [Limit::Memory, Limit::Time, Limit::CpuTime];

/// The limits of the guest.
#[derive(Debug, Default)]
pub(crate) struct GuestLimits(Limits);

impl GuestLimits {
    pub(crate) fn get(&self) -> &Limits {
        &self.0
    }
}

impl clap::Args for GuestLimits {
    fn augment_args(command: Command) -> Command {
        let options = Limit::ALL.map(option);
        command.args(options)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GuestLimits {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut limits = Self::default();
        limits.update_from_arg_matches(matches)?;
        Ok(limits)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for limit in Limit::ALL {
            if let Some(number) = matches.get_one::<u64>(limit.name()) {
                self.0 = std::mem::take(&mut self.0).set(limit, Some(*number));
            }
        }
        Ok(())
    }
}

fn option(limit: Limit) -> Arg {
    let info = limit.info();
    let (value, example) = match info.unit {
        LimitUnit::Bytes => ("SIZE", ", like `32MiB`"),
        LimitUnit::Time => ("DURATION", ", like `500ms`, `30s` or `1m30s`"),
        _ => ("COUNT", ""),
    };
    let example = if COMMON.contains(&limit) { example } else { "" };
    let default = match (info.unit, info.default) {
        (_, None) => "no limit".to_owned(),
        (LimitUnit::Bytes, Some(bytes)) => units::size(bytes).replace(".0 ", ""),
        (_, Some(number)) => number.to_string(),
    };
    let parse = move |text: &str| {
        let limits = Limits::new().parse(limit, text)?;
        Ok::<u64, wasi_sidecar::Error>(limits.get(limit).unwrap_or(u64::MAX))
    };
    Arg::new(limit.name())
        .long(spelling::option(limit))
        .value_name(value)
        .value_parser(parse)
        .help(format!("{}{example} [default: {default}]", info.about))
        .help_heading(if COMMON.contains(&limit) { "Limits" } else { "More limits" })
}

/// The limits of the engine.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "More limits")]
pub(crate) struct EngineLimits {
    /// Stack for the guest's own frames, 64KiB to 8MiB [default: 512KiB]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    guest_stack: Option<u64>,

    /// Largest artifact to load [default: 128MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    max_artifact_size: Option<u64>,
}

impl EngineLimits {
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
    use wasi_sidecar::Setting;

    use super::*;
    use crate::args::{Args, RunArgs, Task};

    fn run(options: &str) -> RunArgs {
        let line = ["wasi-sidecar", "run"].into_iter().chain(options.split_whitespace());
        let args = Args::try_parse_from(line.chain(["x.wasm"])).expect("all of them are known");
        let Task::Run(run) = args.task else { unreachable!("it said `run`") };
        *run
    }

    #[test]
    fn each_option_sets_its_limit_and_no_other() {
        for limit in Limit::ALL {
            let (text, number) = match limit.info().unit {
                LimitUnit::Bytes => ("9k", 9 << 10),
                LimitUnit::Time => ("2s", 2_000_000_000),
                _ => ("20", 20),
            };
            let found = run(&format!("--{} {text}", spelling::option(limit)));
            let expected = Limits::new().set(limit, Some(number));
            assert_eq!(found.limits.get(), &expected, "{limit:?}");
        }
        let args = run("--guest-stack 128k --max-artifact-size 6").engine_limits;
        assert_eq!((args.guest_stack, args.max_artifact_size), (Some(128 << 10), Some(6)));
    }

    #[test]
    fn the_table_of_limits_has_the_options_there_are() {
        let table = include_str!("../../../docs/limits.md");
        let rows: Vec<Vec<&str>> = table
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| limit"))
            .map(|line| line.split(" | ").collect::<Vec<_>>())
            // Skips the table of limits on pages.
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
        for limit in Limit::ALL {
            let method = format!("`{}`", Setting::Limit(limit));
            let row = rows.iter().find(|cells| cells[2] == method).expect("a row");
            assert_eq!(row[4], format!("`--{}`", spelling::option(limit)));
        }
    }
}
