//! What a child of `execute` writes: collected within what pages may hold, and made one answer.
//!
//! The output of all such children is counted together, since each of many pages can have many of them. It is counted until the answer
//! has been made. Answers to much output are made one after the other, so that what making one takes is taken once.

use std::io;

use tauri::ipc::{InvokeResponseBody, Response};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use wasi_sidecar::{Child, ExitStatus, units};

use crate::{
    Error, Result,
    encoding::Encoding,
    js::{Executed, RawOutput, Text},
    process::reason,
    shares::{Most, Share, Shares},
};

/// Bytes of each stream that are collected. It all becomes one message, which the page has to hold as well.
const STREAM: usize = 64 << 20;

/// What is taken for a stream before anything has come of it. Then as much again, whenever that is full.
const FIRST: usize = 4 << 10;

/// Bytes of an answer in JSON. A text takes hardly more than its bytes, but a control character is written as six, and a byte in a list of
/// numbers as up to four.
const ANSWER: usize = 256 << 20;

/// Output whose answer is made whatever else is being made. It takes a few milliseconds and less than ten times the memory.
const SMALL: usize = 1 << 20;

/// Where output is counted, and for whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room<'a> {
    pub(super) shares: &'a Shares,
    pub(super) most: Most,
    pub(super) webview: &'a str,
    pub(super) sidecar: &'a str,
}

/// All that a child has written, and how it ended.
#[derive(Debug)]
pub(super) struct Collected {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    sidecar: String,
    _held: [Share; 2],
}

/// Closes a child's input, collects what it writes, and waits for it. A child that writes more than may be collected is killed.
pub(super) async fn collect(child: &mut Child, room: Room<'_>) -> Result<Collected> {
    child.stdin = None;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    match tokio::try_join!(stream(stdout, room), stream(stderr, room)) {
        Ok(((stdout, one), (stderr, other))) => {
            let (status, sidecar) = (child.wait().await?, room.sidecar.to_owned());
            Ok(Collected { status, stdout, stderr, sidecar, _held: [one, other] })
        }
        Err(error) => {
            child.start_kill()?;
            Err(error)
        }
    }
}

async fn stream(from: Option<impl AsyncRead + Unpin>, room: Room<'_>) -> Result<(Vec<u8>, Share)> {
    let (mut bytes, mut held) = (Vec::new(), room.take(0)?);
    let Some(mut from) = from else { return Ok((bytes, held)) };
    loop {
        // What is full may still be at its end.
        if bytes.len() >= STREAM {
            let more = from.read(&mut [0]).await?;
            return if more == 0 && bytes.len() == STREAM {
                Ok((bytes, held))
            } else {
                Err(Error::TooMuchOutput {
                    sidecar: room.sidecar.to_owned(),
                    limit: units::size(STREAM as u64),
                })
            };
        }
        if bytes.len() == bytes.capacity() {
            let more = bytes.capacity().max(FIRST).min(STREAM - bytes.len());
            room.grow(&mut held, more)?;
            bytes.try_reserve_exact(more).map_err(io::Error::from)?;
        }
        if from.read_buf(&mut bytes).await? == 0 {
            return Ok((bytes, held));
        }
    }
}

impl Room<'_> {
    fn take(&self, bytes: usize) -> Result<Share> {
        self.shares.take(self.webview, bytes, self.most).ok_or_else(|| self.full())
    }

    fn grow(&self, share: &mut Share, more: usize) -> Result<()> {
        if share.grow(more, self.most) { Ok(()) } else { Err(self.full()) }
    }

    fn full(&self) -> Error {
        Error::OutputFull {
            sidecar: self.sidecar.to_owned(),
            webview: self.webview.to_owned(),
            each: units::size(self.most.each as u64),
            all: units::size(self.most.all as u64),
        }
    }
}

impl Collected {
    /// Whether the answer may be made beside others.
    pub(super) fn is_small(&self) -> bool {
        self.stdout.len() + self.stderr.len() <= SMALL
    }

    /// What the page gets. It decodes up to twice 64 MiB and writes them as JSON, so it is not for a thread that others wait for.
    pub(super) fn answer(self, encoding: Encoding, batch: bool) -> Result<Response> {
        let (code, signal) = (self.status.code(), self.status.signal());
        let reason = reason(Some(self.status.termination()));
        let body = match encoding {
            Encoding::Raw if batch => {
                let stdout = self.stdout.len();
                InvokeResponseBody::Raw(
                    RawOutput { code, signal, reason, stdout }.with(&self.stdout, &self.stderr)?,
                )
            }
            Encoding::Raw => {
                let (stdout, stderr) = (Text::Raw(&self.stdout), Text::Raw(&self.stderr));
                json(&Executed { code, signal, reason, stdout, stderr }, &self.sidecar, ANSWER)?
            }
            Encoding::Utf8 | Encoding::Label(_) => {
                let (stdout, stderr) = (encoding.text(self.stdout)?, encoding.text(self.stderr)?);
                let (stdout, stderr) = (Text::Text(&stdout), Text::Text(&stderr));
                json(&Executed { code, signal, reason, stdout, stderr }, &self.sidecar, ANSWER)?
            }
        };
        Ok(Response::new(body))
    }
}

fn json(value: &Executed<'_>, sidecar: &str, most: usize) -> Result<InvokeResponseBody> {
    let mut written = Capped { bytes: Vec::new(), most, is_full: false };
    let result = serde_json::to_writer(&mut written, value);
    if written.is_full {
        let limit = units::size(most as u64);
        return Err(Error::AnswerTooLong { sidecar: sidecar.to_owned(), limit });
    }
    result?;
    // serde_json writes UTF-8.
    Ok(InvokeResponseBody::Json(String::from_utf8(written.bytes)?))
}

/// Takes so many bytes, and fails then.
struct Capped {
    bytes: Vec<u8>,
    most: usize,
    is_full: bool,
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.most - self.bytes.len() {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.try_reserve(bytes.len()).map_err(io::Error::from)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::wait_here;

    fn room(shares: &Shares, each: usize, all: usize) -> Room<'_> {
        Room { shares, most: Most { each, all }, webview: "main", sidecar: "flood" }
    }

    fn read(from: impl AsyncRead + Unpin, room: Room<'_>) -> Result<(Vec<u8>, Share)> {
        wait_here(stream(Some(from), room))
    }

    #[test]
    fn a_stream_is_collected_whole_or_refused_by_name_and_key() {
        let shares = Shares::default();
        let large = || tokio::io::repeat(b'x');
        let (bytes, held) = read(large().take(STREAM as u64), room(&shares, STREAM, STREAM))
            .expect("as much as is collected");
        assert!(bytes.len() == STREAM && bytes.iter().all(|byte| *byte == b'x'));
        // It holds all of it, and nobody else gets any.
        for full in [room(&shares, STREAM, STREAM), room(&shares, usize::MAX, STREAM)] {
            let text = read(large(), full).map(drop).expect_err("there is no room").to_string();
            for part in ["`flood`", "`main`", "64.0 MiB", "`webviews.maxOutput`"] {
                assert!(text.contains(part), "{text}");
            }
        }
        drop((bytes, held));
        let text = read(large().take(STREAM as u64 + 1), room(&shares, usize::MAX, usize::MAX));
        let text = text.map(drop).expect_err("a byte too many").to_string();
        assert!(text.contains("`flood`") && text.contains("64.0 MiB"), "{text}");
        read(&b""[..], room(&shares, FIRST, FIRST)).expect("all was given back");
    }

    #[test]
    fn an_answer_is_written_whole_or_refused() {
        let answer = |most| {
            let (stdout, stderr) = (Text::Text("\u{1}\u{1}"), Text::Raw(&[255]));
            let value = Executed { code: Some(0), signal: None, reason: None, stdout, stderr };
            json(&value, "flood", most)
        };
        let expected =
            r#"{"code":0,"signal":null,"reason":null,"stdout":"\u0001\u0001","stderr":[255]}"#;
        match answer(expected.len()) {
            Ok(InvokeResponseBody::Json(found)) => assert_eq!(found, expected),
            other => panic!("{other:?}"),
        }
        let text = answer(expected.len() - 1).map(drop).expect_err("a byte too many").to_string();
        assert!(text.contains("`flood`") && text.contains("as JSON"), "{text}");
    }
}
