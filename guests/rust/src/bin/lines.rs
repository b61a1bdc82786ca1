//! Writes numbered lines: `lines COUNT [WIDTH] [stdout|stderr] [--each]`.
//!
//! Line i, counted from 1, is `line i ` padded with dots to WIDTH bytes including its `\n` (default 80; a number that
//! does not fit makes a longer line). Lines are gathered into blocks of 4 KiB; with `--each` every line is a write.
//! Exit code: 0; 1 when the stream fails (a closed pipe ends it quietly) or for arguments it does not know.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

const BLOCK: usize = 4096;

struct Plan {
    count: u64,
    width: usize,
    stderr: bool,
    each: bool,
}

fn main() -> ExitCode {
    let Some(plan) = parse(std::env::args().skip(1)) else {
        let _ = writeln!(io::stderr(), "usage: lines COUNT [WIDTH] [stdout|stderr] [--each]");
        return ExitCode::FAILURE;
    };
    let result =
        if plan.stderr { run(&plan, io::stderr().lock()) } else { run(&plan, io::stdout().lock()) };
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let mut plan = Plan { count: 0, width: 80, stderr: false, each: false };
    let mut numbers = 0;
    for argument in arguments {
        match argument.as_str() {
            "--each" => plan.each = true,
            "stdout" => plan.stderr = false,
            "stderr" => plan.stderr = true,
            text if numbers == 0 => (plan.count, numbers) = (text.parse().ok()?, 1),
            text if numbers == 1 => (plan.width, numbers) = (text.parse().ok()?, 2),
            _ => return None,
        }
    }
    (numbers > 0).then_some(plan)
}

fn run(plan: &Plan, stream: impl Write) -> io::Result<()> {
    // Blocks end where a line ends, so std's standard output, which buffers by lines, passes each on as one write.
    let mut stream = BufWriter::with_capacity(BLOCK.max(plan.width), stream);
    let mut line = Vec::with_capacity(plan.width);
    for number in 1..=plan.count {
        line.clear();
        write!(line, "line {number} ")?;
        line.resize(line.len().max(plan.width.saturating_sub(1)), b'.');
        line.push(b'\n');
        stream.write_all(&line)?;
        if plan.each {
            stream.flush()?;
        }
    }
    stream.flush()
}
