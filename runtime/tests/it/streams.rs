//! Streams: back-pressure, both ways, and what is left at the end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasi_sidecar::{Command, Program, Stdio};

use crate::support::{guest, module, native, run, soon};

/// All three ways to run a guest.
fn kinds(name: &str) -> [Program; 3] {
    [guest(name).into(), module(name).into(), native(name).into()]
}

#[tokio::test]
async fn an_unread_stream_stops_the_guest_and_not_the_host() {
    for program in kinds("flood") {
        let mut child = Command::new(program).args(["stdout", "forever", "4096"]).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut first = [0; 1000];
        soon(stdout.read_exact(&mut first)).await.unwrap();
        assert_eq!(&first[..3], b"abc");
        soon(child.kill()).await.unwrap();
        // What it had written when it was stopped is still there, and no more than a pipe holds.
        let mut rest = Vec::new();
        soon(stdout.read_to_end(&mut rest)).await.unwrap();
        assert!(rest.len() <= 2 * 65_536, "{} bytes were held", rest.len());
    }
}

#[tokio::test]
async fn a_guest_that_does_not_read_makes_the_writer_wait() {
    use std::{pin::Pin, task::Context};

    use tokio::io::AsyncWrite;

    for program in kinds("sleep") {
        // Windows buffers more for a process than a pipe holds.
        if cfg!(windows) && matches!(program, Program::Native(_)) {
            continue;
        }
        let mut child = Command::new(program).arg("600000").spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // What a pipe holds, of the system's as of ours; and then not one byte more.
        soon(stdin.write_all(&[0; 65_536])).await.unwrap();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut stdin).poll_write(&mut cx, &[0]).is_pending());
        soon(child.kill()).await.unwrap();
    }
}

#[tokio::test]
async fn writing_after_the_end_is_a_broken_pipe() {
    for program in kinds("exit") {
        let mut child = Command::new(program).arg("0").spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        soon(child.wait()).await.unwrap();
        let error = soon(async {
            loop {
                if let Err(error) = stdin.write_all(&[0; 4096]).await {
                    break error;
                }
            }
        })
        .await;
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
}

#[tokio::test]
async fn lines_go_back_and_forth() {
    for program in kinds("upper") {
        let mut child = Command::new(program).spawn().unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        for round in 0..200 {
            let line = format!("round {round}\n");
            stdin.write_all(line.as_bytes()).await.unwrap();
            let mut answer = vec![0; line.len()];
            soon(stdout.read_exact(&mut answer)).await.unwrap();
            assert_eq!(answer, line.to_uppercase().into_bytes());
        }
        stdin.shutdown().await.unwrap();
        assert!(soon(child.wait()).await.unwrap().success());
    }
}

#[tokio::test]
async fn waiting_closes_the_input() {
    for program in kinds("echo") {
        let mut child = Command::new(program).spawn().unwrap();
        assert!(soon(child.wait()).await.unwrap().success());
    }
}

#[tokio::test]
async fn a_stream_that_is_null_reads_nothing_and_keeps_nothing() {
    for program in kinds("echo") {
        let mut command = Command::new(program);
        let output = soon(command.stdin(Stdio::null()).output()).await.unwrap();
        assert!(output.status.success() && output.stdout.is_empty());
    }
    for program in kinds("flood") {
        let mut command = Command::new(program);
        command.args(["stdout", "1000000"]).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        assert!(child.stdout.is_none() && child.stderr.is_none());
        assert!(soon(child.wait_with_output()).await.unwrap().status.success());
    }
}

#[tokio::test]
async fn a_guest_whose_reader_is_gone_is_told_so() {
    for program in kinds("flood") {
        let mut child = Command::new(program).args(["stdout", "forever", "4096"]).spawn().unwrap();
        drop(child.stdout.take());
        let status = soon(child.wait()).await.unwrap();
        assert!(!status.success(), "{status}");
    }
    // And can tell it from an end by other means.
    for program in kinds("bulk") {
        let mut child =
            Command::new(program).args(["write", "1000000000", "65536"]).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(soon(child.wait()).await.unwrap().code(), Some(3));
    }
}

#[tokio::test]
async fn output_beyond_the_limit_is_an_error_and_kills() {
    for program in kinds("flood") {
        let mut command = Command::new(program);
        command.args(["stdout", "forever", "4096"]).max_output(100_000);
        let error = soon(command.output()).await.unwrap_err();
        assert_eq!(error.kind(), wasi_sidecar::ErrorKind::Limit, "{error}");
    }
}

#[tokio::test]
async fn both_streams_can_be_full_at_once() {
    for program in kinds("flood") {
        let output = run(Command::new(program).args(["both", "1000000"]), b"").await;
        assert_eq!(output.stdout.len() + output.stderr.len(), 2_000_000);
    }
}

#[tokio::test]
async fn chunks_come_as_they_were_written() {
    let mut child = Command::new(guest("flood")).args(["stdout", "40000", "8192"]).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut total = 0;
    while let Some(chunk) = soon(stdout.chunk()).await.unwrap() {
        assert!(!chunk.is_empty());
        total += chunk.len();
    }
    assert_eq!(total, 40_000);

    // By the streams of WASI 0.2 without the detour that cuts them to 4 KiB.
    let size = 65_536;
    let args = ["write".to_owned(), (16 * size).to_string(), size.to_string()];
    let mut child = Command::new(guest("bulk")).args(args).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    for _ in 0..16 {
        let chunk = soon(stdout.chunk()).await.unwrap();
        assert_eq!(chunk.map(|chunk| chunk.len()), Some(size));
    }
    assert_eq!(soon(stdout.chunk()).await.unwrap(), None);
}
