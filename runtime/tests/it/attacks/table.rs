//! A row, and running a table of them.

use std::{path::Path, pin::Pin, rc::Rc};

use wasi_sidecar_guests::attacks::{self, Line};

use super::{alive::Alive, place::Place};

/// Names the row that a test process was started for, see [`Row::alone`].
const ONLY: &str = "WASI_SIDECAR_ATTACK";

/// What a row that runs alone prints before what it observed.
const OBSERVED: &str = "observed: ";

/// Failures after which a table is given up.
const MAX_WRONG: usize = 30;

type Observed = Pin<Box<dyn Future<Output = String>>>;
type Attack = Box<dyn FnOnce(Rc<Place>) -> Observed>;

/// Where a row means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Everywhere,
    Unix,
    Linux,
    Windows,
    Mac,
}

impl On {
    fn here(self) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Unix => cfg!(unix),
            Self::Linux => cfg!(target_os = "linux"),
            Self::Windows => cfg!(windows),
            Self::Mac => cfg!(target_os = "macos"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "on every system",
            Self::Unix => "on Unix",
            Self::Linux => "on Linux",
            Self::Windows => "on Windows",
            Self::Mac => "on macOS",
        }
    }
}

/// What bare wasmtime-wasi makes of it, tried in the same place.
type Bare = Box<dyn FnOnce(&Place) -> String>;

/// One attack.
pub(super) struct Row {
    case: u16,
    attack: String,
    expected: String,
    on: On,
    /// In a process of its own, because it changes what belongs to a whole process.
    alone: bool,
    attempt: Attack,
    bare: Option<Bare>,
}

/// `attempt` gives what was observed, in the words of the report.
pub(super) fn row<F, T>(
    case: u16,
    attack: impl Into<String>,
    expected: impl Into<String>,
    attempt: F,
) -> Row
where
    F: FnOnce(Rc<Place>) -> T + 'static,
    T: Future<Output = String> + 'static,
{
    Row {
        case,
        attack: attack.into(),
        expected: expected.into(),
        on: On::Everywhere,
        alone: false,
        attempt: Box::new(move |place| Box::pin(attempt(place))),
        bare: None,
    }
}

/// A row that is a test elsewhere: it points there, and fails when there is no such test.
pub(super) fn held(case: u16, attack: &str, file: &'static str, test: &'static str) -> Row {
    let expected = format!("as `{test}` in `{file}` has it");
    let observed = expected.clone();
    row(case, attack, expected, async move |_| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(file);
        let source = std::fs::read_to_string(path).unwrap();
        let named = [format!("fn {test}("), format!("test('{test}'")];
        if named.iter().any(|test| source.contains(test)) {
            observed
        } else {
            "no such test".into()
        }
    })
}

impl Row {
    pub(super) fn on(mut self, on: On) -> Self {
        self.on = on;
        self
    }

    pub(super) fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// What the engine does with it when nothing is set.
    pub(super) fn bare(mut self, attempt: impl FnOnce(&Place) -> String + 'static) -> Self {
        self.bare = Some(Box::new(attempt));
        self
    }

    async fn play(self, test: &str, alive: &mut Alive) -> (Line, Result<(), String>) {
        let Self { case, attack, expected, on, alone, attempt, bare } = self;
        let line = |observed, bare| Line { case, attack: attack.clone(), expected, observed, bare };
        if !on.here() {
            return (line(on.name().into(), String::new()), Ok(()));
        }
        let place = Rc::new(Place::new());
        let outside = place.outside_now();
        let observed = if alone {
            in_a_process_of_its_own(test, case, &attack)
        } else {
            attempt(Rc::clone(&place)).await
        };
        let mut healthy = alive.check().await;
        if place.outside_now() != outside {
            healthy = Err("something outside of the grants changed".into());
        }
        let place = Rc::new(Place::new());
        let bare = bare.map(|attempt| attempt(&place)).unwrap_or_default();
        (line(observed, bare), healthy)
    }
}

/// Runs the rows of a letter, and fails for each that came out otherwise or left the host in another state.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "told to the process that waits for it"
)]
pub(super) async fn run(letter: char, test: &str, rows: Vec<Row>) {
    if let Some(only) = std::env::var_os(ONLY) {
        let wanted = |row: &Row| *only == *key(row.case, &row.attack);
        let row = rows.into_iter().find(wanted).expect("a row of that name");
        let observed = (row.attempt)(Rc::new(Place::new())).await;
        // To the process that started this one.
        println!("\n{OBSERVED}{observed}");
        return;
    }
    let mut alive = Alive::before().await;
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    for row in rows {
        // A host that is not well would fail every row after this one, each with a long wait.
        if wrong.len() >= MAX_WRONG {
            wrong.push("and so on".into());
            break;
        }
        // Shown when one of them hangs.
        eprintln!("{}: {}", row.case, row.attack);
        let (line, healthy) = row.play(test, &mut alive).await;
        let elsewhere = line.observed.starts_with("on ");
        if line.observed != line.expected && !elsewhere {
            wrong.push(format!("{}: {}: {}", line.case, line.attack, line.observed));
        }
        if let Err(text) = healthy {
            wrong.push(format!("{}: {}: afterwards {text}", line.case, line.attack));
        }
        lines.push(line);
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    // The page is that of Linux; elsewhere rows run, and are not compared.
    if cfg!(target_os = "linux") {
        attacks::publish(letter, &lines).unwrap_or_else(|text| panic!("{text}"));
    }
}

fn key(case: u16, attack: &str) -> String {
    format!("{case} {attack}")
}

fn in_a_process_of_its_own(test: &str, case: u16, attack: &str) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(ONLY, key(case, attack));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let observed = said.lines().find_map(|line| line.strip_prefix(OBSERVED)).map(str::to_owned);
    observed.filter(|_| output.status.success()).unwrap_or_else(|| {
        format!("{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr))
    })
}
