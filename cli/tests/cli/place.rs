//! A code cache and a directory of a test's own, and a guest that writes a file there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Ran, args, finish, program_under, wat};

/// Numbers that the guest writes, each of four bytes.
pub(crate) const NUMBERS: u32 = 1 << 17;

/// What the guest is made of beside its own code, so that there is something to compile and to keep.
const FUNCTIONS: u32 = 300;

/// Where the cache is, and its key.
pub(crate) const CODE: &str = "cache/wasi-sidecar/code";
pub(crate) const KEYS: &str = "data/wasi-sidecar/keys";

/// Artifacts, a cache of their own, and the directory that guests are granted.
pub(crate) struct Place {
    root: tempfile::TempDir,
    /// What the guest writes.
    all: Vec<u8>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let all = (0..NUMBERS).flat_map(u32::to_le_bytes).collect();
        let place = Self { root: tempfile::tempdir().unwrap(), all };
        for folder in ["artifacts", "granted"] {
            fs::create_dir(place.path(folder)).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// An artifact that no other run has compiled. It writes numbers to `/data/numbers`, 1 KiB at a time, and then "done".
    /// When it is told that something failed it exits with 3.
    pub(crate) fn artifact(&self, number: u32) -> PathBuf {
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
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\04\00\00" "\00\01\00\00\05\00\00\00")
  (data (i32.const 256) "done\n" "numbers")
  (global i32 (i32.const {number}))
  (func (export "_start") (local $n i32) (local $at i32) (local $file i32)
    ;; In the first directory there is; made, emptied, for writing.
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 261) (i32.const 7) (i32.const 9)
                    (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 512)) (then (call $exit (i32.const 3))))
    (local.set $file (i32.load (i32.const 512)))
    (loop $blocks
      (local.set $at (i32.const 4096))
      (loop $block
        (i32.store (local.get $at) (local.get $n))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $block (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 5120))))
      (if (call $write (local.get $file) (i32.const 0) (i32.const 1) (i32.const 512)) (then (call $exit (i32.const 3))))
      (if (i32.ne (i32.load (i32.const 512)) (i32.const 1024)) (then (call $exit (i32.const 3))))
      (br_if $blocks (i32.lt_u (local.get $n) (i32.const {NUMBERS}))))
    (if (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 512)) (then (call $exit (i32.const 3)))))
  {more})"#
        );
        wat(&self.path("artifacts"), &format!("{number}.wasm"), &text)
    }

    pub(crate) fn command(&self, artifact: &Path) -> Command {
        self.command_under(&[], &[], artifact)
    }

    /// The program as the last arguments of another one, which starts it, and with options of its own.
    pub(crate) fn command_under(&self, other: &[&str], own: &[&str], artifact: &Path) -> Command {
        let granted = format!("{}::/data", self.path("granted").display());
        let mut command =
            program_under(other, args!["--verbose", "run", "--dir", granted, artifact]);
        command.args(own);
        command.env("XDG_CACHE_HOME", self.path("cache")).env("XDG_DATA_HOME", self.path("data"));
        command.env("HOME", self.root.path()).current_dir(self.root.path());
        command
    }

    /// A run that nothing is done to.
    #[track_caller]
    pub(crate) fn run(&self, artifact: &Path) -> Ran {
        let ran = finish(self.command(artifact), b"").ended(0);
        assert_eq!(ran.text(), "done\n");
        assert_eq!(self.numbers(), NUMBERS as usize);
        ran
    }

    /// How many numbers the guest's file has. What it holds is the beginning of what was to be written, or this fails.
    #[track_caller]
    pub(crate) fn numbers(&self) -> usize {
        let bytes = fs::read(self.path("granted/numbers")).unwrap_or_default();
        assert!(self.all.starts_with(&bytes), "the guest's file has what it never wrote");
        bytes.len() / 4
    }

    /// Unfinished files, of the cache and of its key.
    pub(crate) fn unfinished(&self) -> Vec<PathBuf> {
        let files =
            [CODE, KEYS].into_iter().flat_map(|folder| fs::read_dir(self.path(folder)).unwrap());
        let unfinished = |file: &PathBuf| file.extension().is_some_and(|end| end == "tmp");
        files.map(|file| file.unwrap().path()).filter(unfinished).collect()
    }

    /// Processes that were started here: each of ours, and what it has compile.
    #[cfg(target_os = "linux")]
    pub(crate) fn processes(&self) -> usize {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let places = processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok());
        places.filter(|place| place == self.root.path()).count()
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn processes(&self) -> usize {
        0
    }
}
