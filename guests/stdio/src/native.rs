//! Standard streams of native programs and preview1 modules, from the standard library.

use std::io::{self, BufRead, BufReader, Read, StdinLock, Write};

#[derive(Debug)]
pub(crate) struct Input(BufReader<StdinLock<'static>>);

impl Input {
    pub(crate) fn new(block: usize) -> Self {
        Self(BufReader::with_capacity(block, io::stdin().lock()))
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    pub(crate) fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    pub(crate) fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

/// Unbuffered where possible: the standard library searches each write for a line end.
#[derive(Debug)]
pub(crate) enum Output {
    #[cfg(unix)]
    File(std::fs::File),
    Stdout(io::Stdout),
    Stderr(io::Stderr),
}

impl Output {
    pub(crate) fn stdout() -> Self {
        #[cfg(unix)]
        if let Ok(file) = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned() {
            return Self::File(file.into());
        }
        Self::Stdout(io::stdout())
    }

    pub(crate) fn stderr() -> Self {
        Self::Stderr(io::stderr())
    }

    fn stream(&mut self) -> &mut dyn Write {
        match self {
            #[cfg(unix)]
            Self::File(file) => file,
            Self::Stdout(stdout) => stdout,
            Self::Stderr(stderr) => stderr,
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream().write(bytes)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stream().flush()
    }
}

pub(crate) fn exit(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

/// Preview1 has no call for it, so modules read `PWD`.
pub(crate) fn initial_dir() -> Option<std::ffi::OsString> {
    #[cfg(target_os = "wasi")]
    #[expect(clippy::disallowed_methods, reason = "an ordinary program's environment")]
    return std::env::var_os("PWD");
    #[cfg(not(target_os = "wasi"))]
    None
}
