//! Standard streams of a WASI 0.2 component.

use std::io;

use wasip2::{
    cli,
    io::streams::{InputStream, OutputStream, StreamError},
};

#[derive(Debug)]
pub(crate) struct Input {
    stream: InputStream,
    block: usize,
    /// The last bytes read, and how many of them were taken.
    held: Vec<u8>,
    taken: usize,
}

#[derive(Debug)]
pub(crate) struct Output {
    stream: OutputStream,
    /// The last write used all the room there was.
    full: bool,
}

impl Input {
    pub(crate) fn new(block: usize) -> Self {
        Self { stream: cli::stdin::get_stdin(), block, held: Vec::new(), taken: 0 }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let held = self.fill_buf()?;
        let length = held.len().min(buffer.len());
        buffer[..length].copy_from_slice(&held[..length]);
        self.consume(length);
        Ok(length)
    }

    pub(crate) fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.held.len() {
            // Frees the old bytes before the next ones are allocated.
            (self.held, self.taken) = (Vec::new(), 0);
            match self.stream.blocking_read(self.block as u64) {
                Ok(bytes) => self.held = bytes,
                Err(StreamError::Closed) => break,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(&self.held[self.taken..])
    }

    pub(crate) fn consume(&mut self, amount: usize) {
        self.taken = (self.taken + amount).min(self.held.len());
    }
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Self { stream: cli::stdout::get_stdout(), full: false }
    }

    pub(crate) fn stderr() -> Self {
        Self { stream: cli::stderr::get_stderr(), full: false }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        loop {
            if self.full {
                // Also waits for room.
                self.flush()?;
            }
            let room = usize::try_from(self.stream.check_write().map_err(failed)?);
            let length = room.map_or(bytes.len(), |room| room.min(bytes.len()));
            self.full = room == Ok(length);
            if length > 0 {
                self.stream.write(&bytes[..length]).map_err(failed)?;
                return Ok(length);
            }
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stream.blocking_flush().map_err(failed)?;
        self.full = false;
        Ok(())
    }
}

fn failed(error: StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(error.to_debug_string()),
    }
}

pub(crate) fn exit(code: u8) -> ! {
    // The standard library does the same.
    let _ = io::Write::flush(&mut io::stdout());
    cli::exit::exit_with_code(code);
    unreachable!("the host has ended this program")
}

pub(crate) fn initial_dir() -> Option<String> {
    cli::environment::initial_cwd()
}
