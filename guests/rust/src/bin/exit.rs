//! Exits with the code it is told: `exit CODE [STDOUT [STDERR]]`.
//!
//! Arguments: a code from 0 to 255, then optionally texts that are written first, without a newline, to standard
//! output and to standard error. Exit code: CODE; 2 when it is missing or out of range; 1 when a stream fails.

use std::io::{self, Write};

fn main() {
    // Under WASI 0.2 the C library below std turns every code but 0 into 1.
    wasi_sidecar_guest::exit(run().unwrap_or(1));
}

fn run() -> io::Result<u8> {
    let mut arguments = std::env::args_os().skip(1);
    let code = arguments.next().and_then(|text| text.to_str()?.parse::<u8>().ok());
    let Some(code) = code else {
        writeln!(io::stderr(), "usage: exit CODE [STDOUT [STDERR]], with a code from 0 to 255")?;
        return Ok(2);
    };
    if let Some(text) = arguments.next() {
        let mut output = io::stdout().lock();
        output.write_all(text.as_encoded_bytes())?;
        output.flush()?;
    }
    if let Some(text) = arguments.next() {
        io::stderr().write_all(text.as_encoded_bytes())?;
    }
    Ok(code)
}
