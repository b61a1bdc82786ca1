//! Collects the output of a child of `execute`.
//!
//! One quota bounds the output of all such children, since each of many pages can have many of them. It counts the output
//! until its answer is encoded.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use wasi_sidecar::{Child, ExitStatus, units};

use crate::{
    Error, Result,
    page::{Quota, QuotaLimits, Reservation},
};

/// Most bytes of each stream. They become one message, which the page has to hold as well.
const MAX_STREAM: usize = 64 << 20;

/// Bytes that are reserved for a stream at first. A full buffer doubles.
const INITIAL_CAPACITY: usize = 4 << 10;

/// Where output is reserved, and for which call.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutputRoom<'a> {
    pub(super) quota: &'a Quota,
    pub(super) limits: QuotaLimits,
    pub(super) webview: &'a str,
    pub(super) sidecar: &'a str,
}

/// The output and the exit status of a child.
#[derive(Debug)]
pub(super) struct CollectedOutput {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) sidecar: String,
    _reservations: [Reservation; 2],
}

/// Closes a child's standard input, collects its output, and waits for its end. Kills a child that exceeds a limit.
pub(super) async fn collect(child: &mut Child, room: OutputRoom<'_>) -> Result<CollectedOutput> {
    child.stdin = None;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    match tokio::try_join!(collect_stream(stdout, room), collect_stream(stderr, room)) {
        Ok(((stdout, reserved), (stderr, also_reserved))) => {
            let (status, sidecar) = (child.wait().await?, room.sidecar.to_owned());
            let _reservations = [reserved, also_reserved];
            Ok(CollectedOutput { status, stdout, stderr, sidecar, _reservations })
        }
        Err(error) => {
            child.start_kill()?;
            Err(error)
        }
    }
}

async fn collect_stream(
    stream: Option<impl AsyncRead + Unpin>,
    room: OutputRoom<'_>,
) -> Result<(Vec<u8>, Reservation)> {
    let (mut bytes, mut reservation) = (Vec::new(), room.reserve(0)?);
    let Some(mut stream) = stream else { return Ok((bytes, reservation)) };
    loop {
        // At the limit, the stream may be at its end.
        if bytes.len() >= MAX_STREAM {
            let more = stream.read(&mut [0]).await?;
            return if more == 0 && bytes.len() == MAX_STREAM {
                Ok((bytes, reservation))
            } else {
                Err(Error::TooMuchOutput {
                    sidecar: room.sidecar.to_owned(),
                    limit: units::size(MAX_STREAM as u64),
                })
            };
        }
        if bytes.len() == bytes.capacity() {
            let more = bytes.capacity().max(INITIAL_CAPACITY).min(MAX_STREAM - bytes.len());
            room.grow(&mut reservation, more)?;
            bytes.try_reserve_exact(more).map_err(io::Error::from)?;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok((bytes, reservation));
        }
    }
}

impl OutputRoom<'_> {
    fn reserve(&self, bytes: usize) -> Result<Reservation> {
        self.quota.reserve(self.webview, bytes, self.limits).ok_or_else(|| self.full())
    }

    fn grow(&self, reservation: &mut Reservation, more: usize) -> Result<()> {
        if reservation.grow(more, self.limits) { Ok(()) } else { Err(self.full()) }
    }

    fn full(&self) -> Error {
        Error::OutputFull {
            sidecar: self.sidecar.to_owned(),
            webview: self.webview.to_owned(),
            each: units::size(self.limits.per_webview as u64),
            all: units::size(self.limits.total as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block_on::block_on;

    fn room(quota: &Quota, per_webview: usize, total: usize) -> OutputRoom<'_> {
        let limits = QuotaLimits { per_webview, total };
        OutputRoom { quota, limits, webview: "main", sidecar: "flood" }
    }

    fn read(
        stream: impl AsyncRead + Unpin,
        room: OutputRoom<'_>,
    ) -> Result<(Vec<u8>, Reservation)> {
        block_on(collect_stream(Some(stream), room))
    }

    #[test]
    fn a_stream_is_collected_whole_or_refused_by_name_and_key() {
        let quota = Quota::default();
        let large = || tokio::io::repeat(b'x');
        let (bytes, reservation) =
            read(large().take(MAX_STREAM as u64), room(&quota, MAX_STREAM, MAX_STREAM))
                .expect("as much as is collected");
        assert!(bytes.len() == MAX_STREAM && bytes.iter().all(|byte| *byte == b'x'));
        // It holds all of it, and nobody else gets any.
        for full in [room(&quota, MAX_STREAM, MAX_STREAM), room(&quota, usize::MAX, MAX_STREAM)] {
            let text = read(large(), full).map(drop).expect_err("there is no room").to_string();
            for part in ["`flood`", "`main`", "64.0 MiB", "`webviews.maxOutput`"] {
                assert!(text.contains(part), "{text}");
            }
        }
        drop((bytes, reservation));
        let text = read(large().take(MAX_STREAM as u64 + 1), room(&quota, usize::MAX, usize::MAX));
        let text = text.map(drop).expect_err("a byte too many").to_string();
        assert!(text.contains("`flood`") && text.contains("64.0 MiB"), "{text}");
        read(&b""[..], room(&quota, INITIAL_CAPACITY, INITIAL_CAPACITY))
            .expect("all was given back");
    }
}
