//! The system refuses something: each call in turn, by `strace`, or by a disk that is full. The program ends by itself, with the
//! right output or with an error that says what failed, and the next run finds everything in order.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    place::{CODE, KEYS, NUMBERS, Place},
    support::{Ran, args, component, finish, program_under},
};

/// Calls that fail, and how: all that open, make, write, name and remove files, and those that threads, processes and large
/// pieces of memory are made with. What the C library calls before `main` is left out.
const REFUSED: &[(&str, &str)] = &[
    ("openat", "EMFILE"),
    ("openat2", "EMFILE"),
    ("openat2", "ENOSPC"),
    ("openat2", "EIO"),
    ("mkdir", "ENOSPC"),
    ("mkdirat", "ENOSPC"),
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("fsync", "EIO"),
    ("fdatasync", "ENOSPC"),
    ("linkat", "ENOSPC"),
    ("unlinkat", "EIO"),
    ("getdents64", "EIO"),
    ("memfd_create", "EMFILE"),
    ("epoll_create1", "EMFILE"),
    ("eventfd2", "EMFILE"),
    ("socketpair", "EMFILE"),
    ("pipe2", "EMFILE"),
    ("clone3", "EAGAIN"),
];

/// Calls that the program is killed in, before they do anything.
const KILLED: &[&str] =
    &["openat2", "write", "fsync", "fdatasync", "linkat", "renameat", "unlinkat"];

/// Of calls that are made more often, the first so many fail, and the last.
const MOST: usize = 64;

/// What is wrong with how it ended, if anything is.
fn wrong(place: &Place, ran: &Ran) -> Option<&'static str> {
    let told = |line: &str| line.starts_with("error: ") && line.len() > 30;
    match ran.code {
        0 if ran.stdout != b"done\n" => Some("it says that it went well, and its output is lost"),
        0 if place.numbers() != NUMBERS as usize => {
            Some("it says that it went well, and the file is not whole")
        }
        0 => None,
        // The guest was told, and said so.
        3 => None,
        125 if !ran.stderr.lines().any(told) => Some("it does not say what failed"),
        125 => None,
        _ => Some("it should have ended otherwise"),
    }
}

/// Everything that a run keeps is gone, as before the first.
fn clear(place: &Place) {
    for kept in ["cache", "data", "granted/numbers"] {
        let kept = place.path(kept);
        let _ = if kept.is_dir() { fs::remove_dir_all(kept) } else { fs::remove_file(kept) };
    }
}

/// Runs it in a fresh place, and once more without a fault; collects what was wrong.
struct Faults {
    place: Place,
    artifact: PathBuf,
    count: usize,
    wrong: Vec<String>,
}

impl Faults {
    fn new() -> Self {
        let place = Place::new();
        let artifact = place.artifact(0);
        Self { place, artifact, count: 0, wrong: Vec::new() }
    }

    fn under(&self, other: &[&str], own: &[&str]) -> Command {
        self.place.command_under(other, own, &self.artifact)
    }

    /// Under `strace`, which looks at one call and does something to it.
    fn strace(&self, call: &str, inject: &str, own: &[&str]) -> Command {
        let (trace, log) = (format!("trace={call}"), self.log());
        let mut other = vec!["strace", "-f", "-qq", "-o", &log, "-e", &trace, "-e", inject];
        // Other calls then cost nothing; but a signal is not delivered.
        if inject.contains(":error=") {
            other.push("--seccomp-bpf");
        }
        self.under(&other, own)
    }

    fn log(&self) -> String {
        self.place.path("log").display().to_string()
    }

    /// Which calls of a name are made after `main` begins: by their number, of the thread that makes most of them.
    fn made(&self, own: &[&str]) -> BTreeMap<String, Vec<usize>> {
        let ran = finish(self.under(&["strace", "-f", "-qq", "-o", &self.log()], own), b"");
        assert_eq!(ran.ended(0).text(), "done\n");
        clear(&self.place);
        let log = fs::read_to_string(self.log()).unwrap();
        let mut threads: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        let mut before: BTreeMap<&str, usize> = BTreeMap::new();
        let (main, _) = log.split_once(' ').unwrap();
        let mut in_main = false;
        for line in log.lines() {
            let Some((thread, call)) = line.split_once(' ') else { continue };
            let Some((call, _)) = call.trim_start().split_once('(') else { continue };
            *threads.entry(thread).or_default().entry(call).or_default() += 1;
            // The first thing that Rust does is to see whether the standard streams are open.
            in_main |= thread == main && call == "poll";
            if thread == main && !in_main {
                *before.entry(call).or_default() += 1;
            }
        }
        let mut made: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (call, count) in threads.values().flatten() {
            let numbers = before.get(call).map_or(1, |before| before + 1)..=*count;
            let mut numbers: Vec<usize> =
                numbers.clone().take(MOST).chain(numbers.last()).collect();
            numbers.dedup();
            let most = made.entry((*call).to_owned()).or_default();
            if numbers.last() > most.last() {
                *most = numbers;
            }
        }
        made
    }

    fn with(&mut self, what: &str, command: Command) {
        let ran = finish(command, b"");
        if let Some(text) = wrong(&self.place, &ran) {
            self.wrong.push(format!("{what}: {text}: {ran:?}"));
        }
        self.afterwards(what);
    }

    fn afterwards(&mut self, what: &str) {
        self.count += 1;
        let next = self.place.run(&self.artifact);
        if next.stderr.contains("not usable") {
            self.wrong.push(format!("{what}: a torn entry was left: {}", next.stderr));
        }
        clear(&self.place);
    }

    #[track_caller]
    fn none_wrong(self, at_least: usize) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert!(self.count >= at_least, "only {} faults", self.count);
    }
}

#[test]
fn each_call_that_the_system_refuses_is_an_error_or_no_matter() {
    let mut faults = Faults::new();
    let made = faults.made(&[]);
    for (call, error) in REFUSED {
        for number in &made[*call] {
            let inject = format!("inject={call}:error={error}:when={number}");
            let command = faults.strace(call, &inject, &[]);
            faults.with(&inject, command);
        }
    }
    faults.none_wrong(90);
}

#[test]
fn a_key_and_an_entry_that_cannot_be_written_and_named_cost_the_cache_only() {
    let mut faults = Faults::new();
    let (log, code) = (faults.log(), faults.place.path(CODE).display().to_string());
    for error in ["ENOSPC", "EIO"] {
        // Threads wake each other by writes, so only the first thread is looked at. The first that it writes is the key.
        let write = format!("inject=write:error={error}:when=1");
        // How `/proc` is looked at for what is mounted over it includes renaming, so only this directory is.
        let rename = format!("inject=renameat:error={error}");
        let key = ["-e", "trace=write", "-e", &write];
        let entry = ["-f", "-P", &code, "-e", "trace=renameat", "-e", &rename];
        for (inject, options, file, text) in [
            (&write, &key[..], KEYS, "warning: no code cache, so every run compiles"),
            (&rename, &entry[..], CODE, "compiled code could not be cached"),
        ] {
            let mut other = vec!["strace", "-y", "-qq", "-o", &log];
            other.extend(options);
            let command = faults.under(&other, &[]);
            let ran = finish(command, b"").ended(0).said(text);
            if let Some(text) = wrong(&faults.place, &ran) {
                faults.wrong.push(format!("{inject}: {text}: {ran:?}"));
            }
            let log = fs::read_to_string(faults.log()).unwrap();
            let refused: Vec<_> = log.lines().filter(|line| line.ends_with("(INJECTED)")).collect();
            assert!(refused.len() == 1 && refused[0].contains(file), "{refused:?}");
            assert_eq!(faults.place.unfinished(), [] as [PathBuf; 0], "{inject}");
            faults.afterwards(inject);
        }
    }
    faults.none_wrong(4);
}

#[test]
fn a_full_disk_loses_nothing_without_a_word() {
    let mut faults = Faults::new();
    // No file can grow beyond so many half KiB: writes are cut short, and the next one fails.
    for size in [0, 1, 2, 8, 32, 64, 96, 128, 160, 192, 256, 512, 1023] {
        let script = format!("trap '' XFSZ; ulimit -f {size}; exec \"$@\"");
        let command = faults.under(&["/bin/sh", "-c", &script, "sh"], &[]);
        faults.with(&script, command);
    }
    let script = "exec \"$@\" >/dev/full";
    let ran = finish(faults.under(&["/bin/sh", "-c", script, "sh"], &[]), b"").ended(125);
    ran.said("error: failed to write standard output").said("No space left");
    faults.afterwards(script);
    faults.none_wrong(14);
}

#[test]
fn a_kill_in_any_call_that_writes_leaves_nothing_torn() {
    let mut faults = Faults::new();
    // Compiled in the same process, since the other one would be killed before this one writes.
    let made = faults.made(&["--trust"]);
    for call in KILLED {
        for number in &made[*call] {
            let inject = format!("inject={call}:signal=KILL:when={number}");
            let mut command = faults.strace(call, &inject, &["--trust"]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let status = command.status().unwrap();
            // Threads wake each other by a call as well, sometimes one less than before: the last number is then never reached.
            if status.success() {
                clear(&faults.place);
                continue;
            }
            assert_eq!(status.signal(), Some(9), "{inject}: {status:?}");
            // Checks that it is a beginning of what was to be written.
            faults.place.numbers();
            faults.afterwards(&inject);
        }
    }
    faults.none_wrong(15);
}

#[test]
fn limits_on_time_hold_while_the_thread_that_interrupts_guests_is_stopped() {
    // In each of its sleeps it is held for longer than the limit and all else together.
    let stopped = "inject=clock_nanosleep:delay_enter=10s";
    let under =
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=clock_nanosleep", "-e", stopped];
    for option in ["--time", "--cpu-time"] {
        let args = args!["--verbose", "run", "--stats=json", option, "300ms", component("spin")];
        let ran = finish(program_under(&under, args), b"").ended(124);
        let ran = ran.said("the thread that interrupts computing guests does not run");
        let stats = ran.stderr.lines().find(|line| line.starts_with('{')).unwrap();
        let stats: serde_json::Value = serde_json::from_str(stats).unwrap();
        assert!(stats["run_seconds"].as_f64().unwrap() < 9.0, "{option}: {stats}");
    }
}
