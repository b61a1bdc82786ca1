//! The program is killed at any moment, while it writes its cache and the guest a file; the next run finds nothing torn.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::support::{HANG, Ran, args, finish, program, wat};

/// How often it is killed.
const KILLS: u32 = 200;

/// Numbers that the guest writes, each of four bytes.
const NUMBERS: u32 = 1 << 17;

/// What the guest is made of beside its own code, so that there is something to compile and to keep.
const FUNCTIONS: u32 = 300;

/// Where the cache is, and its key.
const CODE: &str = "cache/wasi-sidecar/code";
const KEYS: &str = "data/wasi-sidecar/keys";

/// Artifacts, a cache of their own, and the directory that guests are granted.
struct Place {
    root: tempfile::TempDir,
    /// What the guest writes.
    all: Vec<u8>,
}

impl Place {
    fn new() -> Self {
        let all = (0..NUMBERS).flat_map(u32::to_le_bytes).collect();
        let place = Self { root: tempfile::tempdir().unwrap(), all };
        for folder in ["artifacts", "granted"] {
            fs::create_dir(place.path(folder)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// An artifact that no other run has compiled. It writes numbers to `/data/numbers`, 1 KiB at a time, and then "done".
    fn artifact(&self, number: u32) -> PathBuf {
        let more: String = (0..FUNCTIONS)
            .map(|n| {
                format!(
                    "(func (param i32) (result i32) (i32.div_u (local.get 0) (i32.mul (local.get 0) (i32.const {n}))))"
                )
            })
            .collect();
        let text = format!(
            r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\04\00\00" "\00\01\00\00\05\00\00\00")
  (data (i32.const 256) "done\n" "numbers")
  (global i32 (i32.const {number}))
  (func (export "_start") (local $n i32) (local $at i32) (local $file i32)
    ;; In the first directory there is; made, emptied, for writing.
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 261) (i32.const 7) (i32.const 9)
                    (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 512)) (then unreachable))
    (local.set $file (i32.load (i32.const 512)))
    (loop $blocks
      (local.set $at (i32.const 4096))
      (loop $block
        (i32.store (local.get $at) (local.get $n))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $block (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 5120))))
      (if (call $write (local.get $file) (i32.const 0) (i32.const 1) (i32.const 512)) (then unreachable))
      (if (i32.ne (i32.load (i32.const 512)) (i32.const 1024)) (then unreachable))
      (br_if $blocks (i32.lt_u (local.get $n) (i32.const {NUMBERS}))))
    (if (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 512)) (then unreachable)))
  {more})"#
        );
        wat(&self.path("artifacts"), &format!("{number}.wasm"), &text)
    }

    fn command(&self, artifact: &Path) -> Command {
        let granted = format!("{}::/data", self.path("granted").display());
        let mut command = program(args!["--verbose", "run", "--dir", granted, artifact]);
        command.env("XDG_CACHE_HOME", self.path("cache")).env("XDG_DATA_HOME", self.path("data"));
        command.env("HOME", self.root.path()).current_dir(self.root.path());
        command
    }

    /// A run that nothing is done to.
    #[track_caller]
    fn run(&self, artifact: &Path) -> Ran {
        let ran = finish(self.command(artifact), b"").ended(0);
        assert_eq!(ran.text(), "done\n");
        assert_eq!(self.numbers(), NUMBERS as usize);
        ran
    }

    /// How many numbers the guest's file has. What it holds is the beginning of what was to be written, or this fails.
    #[track_caller]
    fn numbers(&self) -> usize {
        let bytes = fs::read(self.path("granted/numbers")).unwrap_or_default();
        assert!(self.all.starts_with(&bytes), "the guest's file has what it never wrote");
        bytes.len() / 4
    }

    /// Unfinished files, of the cache and of its key.
    fn unfinished(&self) -> Vec<PathBuf> {
        let files =
            [CODE, KEYS].into_iter().flat_map(|folder| fs::read_dir(self.path(folder)).unwrap());
        let unfinished = |file: &PathBuf| file.extension().is_some_and(|end| end == "tmp");
        files.map(|file| file.unwrap().path()).filter(unfinished).collect()
    }

    /// Processes that were started here: each of ours, and what it has compile.
    #[cfg(target_os = "linux")]
    fn processes(&self) -> usize {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let places = processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok());
        places.filter(|place| place == self.root.path()).count()
    }

    #[cfg(not(target_os = "linux"))]
    fn processes(&self) -> usize {
        0
    }
}

#[test]
fn a_kill_at_any_moment_leaves_nothing_torn() {
    let place = Place::new();
    // The first makes what the others find.
    place.run(&place.artifact(KILLS));
    let begin = Instant::now();
    place.run(&place.artifact(KILLS + 1));
    let whole = begin.elapsed();
    let (mut before, mut writing) = (0, 0);
    for number in 0..KILLS {
        let artifact = place.artifact(number);
        fs::remove_file(place.path("granted/numbers")).unwrap();
        if number % 4 == 0 {
            // The key is then made as well.
            fs::remove_dir_all(place.path(KEYS)).unwrap();
        }
        let mut child = place.command(&artifact).spawn().unwrap();
        // Evenly over a whole run, in no order.
        thread::sleep(whole.mul_f64((f64::from(number) * 0.618).fract()));
        child.kill().unwrap();
        child.wait().unwrap();
        match place.numbers() {
            0 => before += 1,
            numbers => writing += usize::from(numbers < NUMBERS as usize),
        }
        let ran = place.run(&artifact);
        assert!(!ran.stderr.contains("not usable"), "a torn entry: {}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    }
    assert!(
        before > 0 && writing > 0,
        "killed {before} times before it wrote, {writing} meanwhile"
    );
    // What compiled for a process that is gone goes too.
    let since = Instant::now();
    while place.processes() > 0 {
        assert!(since.elapsed() < HANG, "{} processes are left", place.processes());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_a_killed_process_has_not_finished_goes_with_the_time() {
    let place = Place::new();
    let artifact = place.artifact(0);
    place.run(&artifact);
    let hours = |count: u64| Duration::from_secs(3600 * count);
    let now = SystemTime::now();
    for folder in [CODE, KEYS] {
        for (name, date) in [
            // Somebody may be writing it.
            ("now", now),
            ("old", now - hours(2)),
            // From before the clock was set back, or forth from where it began.
            ("later", now + hours(2)),
            ("nothing", SystemTime::UNIX_EPOCH),
            ("earlier", SystemTime::UNIX_EPOCH - hours(1)),
        ] {
            let path = place.path(folder).join(name).with_extension("code.1-0.tmp");
            fs::File::create(path).unwrap().set_modified(date).unwrap();
        }
    }
    place.run(&artifact);
    let left = [CODE, KEYS].map(|folder| place.path(folder).join("now.code.1-0.tmp"));
    assert_eq!(place.unfinished(), left);
}
