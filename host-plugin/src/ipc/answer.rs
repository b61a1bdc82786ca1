//! Encodes the answer of `execute`.

use std::io;

use serde::Serialize;
use tauri::ipc::{InvokeResponseBody, Response};
use wasi_sidecar::units;

use super::collect::CollectedOutput;
use crate::{
    Error, Result,
    page::delivery::{OutputEncoding, Payload},
    terminated::reason,
};

/// Longest answer as JSON, in bytes. JSON needs little more than the bytes of a text, but six bytes for a control character, and
/// up to four for a byte in a list of numbers.
const MAX_JSON: usize = 256 << 20;

/// Output that is encoded concurrently with others. It takes a few milliseconds and less than ten times its memory.
const SMALL_OUTPUT: usize = 1 << 20;

/// The answer of the shell plugin with our addition `reason`.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    code: Option<i32>,
    signal: Option<i32>,
    reason: Option<String>,
    stdout: Payload<'a>,
    stderr: Payload<'a>,
}

/// The header of a raw answer, which consists of the length of the header, the header as JSON, and the output.
#[derive(Debug, Serialize)]
struct RawHeader {
    code: Option<i32>,
    signal: Option<i32>,
    reason: Option<String>,
    /// Bytes of standard output. Standard error follows.
    stdout: usize,
}

impl RawHeader {
    fn with_output(&self, stdout: &[u8], stderr: &[u8]) -> serde_json::Result<Vec<u8>> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).unwrap_or_default().to_le_bytes();
        Ok([&length, json.as_slice(), stdout, stderr].concat())
    }
}

impl CollectedOutput {
    /// Whether it may be encoded concurrently with others.
    pub(super) fn is_small(&self) -> bool {
        self.stdout.len() + self.stderr.len() <= SMALL_OUTPUT
    }

    /// Encodes the answer to the page. Blocks the thread while it decodes up to twice 64 MiB and encodes them as JSON.
    pub(super) fn into_answer(self, encoding: OutputEncoding, batch: bool) -> Result<Response> {
        let (code, signal) = (self.status.code(), self.status.signal());
        let reason = reason(Some(self.status.termination()));
        let body = match encoding {
            OutputEncoding::Raw if batch => {
                let stdout = self.stdout.len();
                InvokeResponseBody::Raw(
                    RawHeader { code, signal, reason, stdout }
                        .with_output(&self.stdout, &self.stderr)?,
                )
            }
            OutputEncoding::Raw => {
                let (stdout, stderr) = (Payload::Raw(&self.stdout), Payload::Raw(&self.stderr));
                json(&Answer { code, signal, reason, stdout, stderr }, &self.sidecar, MAX_JSON)?
            }
            OutputEncoding::Utf8 | OutputEncoding::Label(_) => {
                let (stdout, stderr) = (encoding.text(self.stdout)?, encoding.text(self.stderr)?);
                let (stdout, stderr) = (Payload::Text(&stdout), Payload::Text(&stderr));
                json(&Answer { code, signal, reason, stdout, stderr }, &self.sidecar, MAX_JSON)?
            }
        };
        Ok(Response::new(body))
    }
}

fn json(value: &Answer<'_>, sidecar: &str, limit: usize) -> Result<InvokeResponseBody> {
    let mut written = CappedWriter { bytes: Vec::new(), limit, is_full: false };
    let result = serde_json::to_writer(&mut written, value);
    if written.is_full {
        let limit = units::size(limit as u64);
        return Err(Error::AnswerTooLong { sidecar: sidecar.to_owned(), limit });
    }
    result?;
    // serde_json writes valid UTF-8.
    Ok(InvokeResponseBody::Json(String::from_utf8(written.bytes)?))
}

/// Fails once `limit` bytes are written.
struct CappedWriter {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl io::Write for CappedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit - self.bytes.len() {
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

    #[test]
    fn an_answer_is_written_whole_or_refused() {
        let answer = |limit| {
            let (stdout, stderr) = (Payload::Text("\u{1}\u{1}"), Payload::Raw(&[255]));
            let value = Answer { code: Some(0), signal: None, reason: None, stdout, stderr };
            json(&value, "flood", limit)
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
