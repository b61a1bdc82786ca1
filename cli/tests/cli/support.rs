//! Starting the program, and small artifacts to give it.

use std::{
    ffi::OsStr,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Nothing here takes long; what takes this long hangs.
pub(crate) const HANG: Duration = Duration::from_secs(120);

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Checks the exit code, showing what was said when it is another.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", String::from_utf8_lossy(&self.stdout), self.stderr);
        self
    }

    /// Checks that standard error says something.
    #[track_caller]
    pub(crate) fn said(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        self
    }
}

/// The program, with a code cache that all tests share and an environment that is no developer's own.
pub(crate) fn program(args: &[impl AsRef<OsStr>]) -> Command {
    program_under(&[], args)
}

/// The same as the last arguments of another program, which starts it.
pub(crate) fn program_under(other: &[&str], args: &[impl AsRef<OsStr>]) -> Command {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home");
    let mut words = other.to_vec();
    words.push(env!("CARGO_BIN_EXE_wasi-sidecar"));
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR"] {
        command.env_remove(name);
    }
    command.env("XDG_CACHE_HOME", home.join("cache"));
    command.env("XDG_DATA_HOME", home.join("data"));
    command.env("HOME", home);
    command
}

/// Runs it with these arguments and nothing on standard input.
#[track_caller]
pub(crate) fn cli(args: &[impl AsRef<OsStr>]) -> Ran {
    finish(program(args), b"")
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A guest that does not read its input closes the pipe, which is its right.
    thread::spawn(move || drop(stdin.write_all(&input)));
    collect(child)
}

/// Reads what is left of the output, and waits.
#[track_caller]
pub(crate) fn collect(mut child: Child) -> Ran {
    let stdout = read(child.stdout.take());
    let stderr = read(child.stderr.take());
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(HANG), stderr.recv_timeout(HANG)) else {
        child.kill().unwrap();
        panic!("the program hangs");
    };
    let status = child.wait().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    let code = status.code().unwrap_or_else(|| panic!("{status}: {stderr}"));
    Ran { code, stdout, stderr }
}

fn read(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).unwrap();
        }
        // The test may have given up.
        let _ = sender.send(bytes);
    });
    receiver
}

/// A Rust guest as a component.
pub(crate) fn component(name: &str) -> PathBuf {
    wasi_sidecar_guests::component(name).unwrap_or_else(|error| panic!("{error}"))
}

/// A Rust guest as a preview1 module.
pub(crate) fn module(name: &str) -> PathBuf {
    wasi_sidecar_guests::module(name).unwrap_or_else(|error| panic!("{error}"))
}

/// A file made from the text form of WebAssembly.
pub(crate) fn wat(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

/// Arguments of different types as one list.
macro_rules! args {
    ($($arg:expr),* $(,)?) => {
        &[$(std::ffi::OsString::from(&$arg)),*] as &[std::ffi::OsString]
    };
}
pub(crate) use args;
