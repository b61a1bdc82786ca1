//! D: standard streams.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasi_sidecar::{Command, CommandEvent, Component, Framing, Stdio, Termination};

use super::{
    memory,
    table::{On, Row, held, row},
    wasm::{Parts, calling, component, end, kill, load, ready, running, starting},
};
use crate::support::{finish, guest, run, soon, text};

/// Bytes of a line without an end, and the longest piece of it that is asked for.
const LINE: (usize, usize) = (8 << 20, 64 << 10);

/// Lines that are to arrive once and in order.
const LINES: usize = 50_000;

/// Memory that output may take which nobody reads, or not all of it: its pipes, and what a guest is. It takes up to 1.6 MB.
const FLOOD: u64 = 8 << 20;

/// Of a guest that ends by itself.
const MEASURED: &str = "exit 0; memory is bounded";

/// Bytes that a pipe holds.
const PIPE: usize = 64 << 10;

/// Two reads that are both to find the end.
const TWO_READS: &str = "(local.set $p (call $get-stdin))
    (call $blocking-read (local.get $p) (i64.const 1) (i32.const 2048))
    (if (i32.ne (i32.load8_u (i32.const 2048)) (i32.const 1)) (then unreachable))
    (call $blocking-read (local.get $p) (i64.const 1) (i32.const 2048))
    (if (i32.ne (i32.load8_u (i32.const 2048)) (i32.const 1)) (then unreachable))";

const PAGES: &str = "host-plugin/harness/e2e/page-end.test.ts";

/// What no stream may change.
const BYTES: &[u8] =
    b"\xef\xbb\xbfa\0b\xff\xfe\rc\r\nd\xe2\x82\n\x1b[2J\x1b]0;x\x07<script>\xe2\x80\xae\n";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = floods();
    rows.extend(bytes());
    rows.extend(faults());
    rows.extend(handles());
    rows
}

/// Output that nobody reads: the host-alive check is what counts.
fn floods() -> Vec<Row> {
    let mut rows = Vec::new();
    for (case, what, args) in [
        (69, "output without end that nobody reads, killed", &["stdout", "forever"][..]),
        (73, "the same on both streams", &["both", "forever"]),
    ] {
        let row = row(case, what, "killed; memory is bounded", async move |_| {
            let mut command = Command::new(memory::compiled(guest("flood")).await);
            memory::within(FLOOD, async {
                let mut child = command.args(args).spawn().unwrap();
                waits(&mut child).await;
                kill(&mut child).await
            })
            .await
        });
        rows.push(row.on(On::Linux).alone());
    }
    let empty = row(70, "1,000,000 empty writes that nobody reads", MEASURED, async |_| {
        let body = "(local.set $p (call $get-stdout))
            (loop $again
              (call $write (local.get $p) (i32.const 0) (i32.const 0) (i32.const 2048))
              (local.set $n (i32.add (local.get $n) (i32.const 1)))
              (br_if $again (i32.lt_u (local.get $n) (i32.const 1000000))))";
        let component = memory::compiled(load(&calling(body)).unwrap()).await;
        memory::within(FLOOD, unread(component)).await
    });
    rows.push(empty.on(On::Linux).alone());
    rows.push(row(
        71,
        "a write that was not asked for",
        "a trap, what was written before is there",
        async |_| {
            let body = "(local.set $p (call $get-stdout))
            (call $write (local.get $p) (i32.const 0) (i32.const 100000) (i32.const 2048))";
            let output = soon(Command::new(load(&calling(body)).unwrap()).output()).await.unwrap();
            match (output.status.termination(), &*output.stdout) {
                (Termination::Trapped(_), b"ready\n") => {
                    "a trap, what was written before is there".into()
                }
                _ => format!("{}, {} bytes", end(&output.status), output.stdout.len()),
            }
        },
    ));
    for (what, call) in [
        (
            "zeroes without end that nobody reads",
            "(call $write-zeroes (local.get $p) (i64.const 4096) (i32.const 2048))",
        ),
        (
            "input skipped by 2^64 - 1",
            "(call $skip (call $get-stdin) (i64.const -1) (i32.const 2048))",
        ),
    ] {
        let body = format!("(local.set $p (call $get-stdout)) {call}");
        let expected = if what.starts_with("input") { "exit 0" } else { "a trap" };
        let body = if what.starts_with("zeroes") {
            format!("(loop $again {body} (br $again))")
        } else {
            body
        };
        rows.push(row(72, what, expected, async move |_| {
            let end = unread(load(&calling(&body)).unwrap()).await;
            if end.starts_with("trap: ") { "a trap".into() } else { end }
        }));
    }
    rows.push(row(
        72,
        "input copied to output without end, which nobody reads",
        "the writer waits, killed",
        async |_| {
            let body = "(local.set $p (call $get-stdout)) (local.set $i (call $get-stdin))
                (loop $again
                  (call $splice (local.get $p) (local.get $i) (i64.const 4096) (i32.const 2048))
                  (br_if $again (i32.eqz (i32.load8_u (i32.const 2048)))))";
            fed(&calling(body)).await
        },
    ));
    let errors = row(
        73,
        "errors without end beside output that is read",
        "read, then killed; memory is bounded",
        async |_| {
            let mut command = Command::new(memory::compiled(guest("flood")).await);
            memory::within(FLOOD, async {
                let mut child = command.args(["both", "forever"]).spawn().unwrap();
                let mut stdout = child.stdout.take().unwrap();
                let mut stderr = child.stderr.take().unwrap();
                let read = async {
                    tokio::join!(drain(&mut stdout, 1 << 20), drain(&mut stderr, 1 << 20))
                };
                soon(read).await;
                format!("read, then {}", kill(&mut child).await)
            })
            .await
        },
    );
    rows.push(errors.on(On::Linux).alone());
    for (what, test) in [
        (
            "a page that is left in the middle of a flood",
            "parity_33_a_reload_in_the_middle_of_a_flood_leaves_a_page_that_works",
        ),
        (
            "a page that is left while it writes to a guest that does not read",
            "parity_33_a_reload_while_a_write_waits_ends_the_child",
        ),
    ] {
        rows.push(held(74, what, PAGES, test));
    }
    for (what, test) in [
        ("a page that is left", "parity_33_a_reload_ends_the_children_of_the_page"),
        (
            "a window that is destroyed beside another",
            "parity_33_a_destroyed_window_ends_its_children_and_no_others",
        ),
    ] {
        rows.push(held(123, what, PAGES, test));
    }
    rows.push(row(
        80,
        "1 GiB of input for a guest that reads none",
        "the writer waits, killed",
        async |_| fed(&calling("(call $block (call $after (i64.const -1)))")).await,
    ));
    rows.push(row(80, "input for a guest that has ended", "closed", async |_| {
        let mut child = Command::new(guest("exit")).arg("0").spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut late = child.stdout.take().unwrap();
        soon(late.read_to_end(&mut Vec::new())).await.unwrap();
        soon(child.wait()).await.unwrap();
        match soon(stdin.write_all(b"late")).await {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => "closed".into(),
            other => format!("{other:?}"),
        }
    }));
    rows
}

fn bytes() -> Vec<Row> {
    let mut rows = vec![
        row(
            75,
            "a line of 8 MiB without an end, by lines",
            "in pieces of 64 KiB, whole",
            async |_| {
                let (length, max) = LINE;
                let child = Command::new(guest("echo")).spawn().unwrap();
                let (mut events, mut child) = child.into_events(Framing::lines().max_line(max));
                let feeding = tokio::spawn(async move {
                    child.write(&vec![b'x'; length]).await.unwrap();
                });
                let (mut sum, mut longest) = (0, 0);
                while let Some(event) = soon(events.recv()).await {
                    if let CommandEvent::Stdout(piece) = event {
                        sum += piece.len();
                        longest = longest.max(piece.len());
                    }
                }
                feeding.await.unwrap();
                if (sum, longest) == (length, max) {
                    "in pieces of 64 KiB, whole".into()
                } else {
                    format!("{sum} bytes, the longest piece {longest}")
                }
            },
        ),
        row(78, format!("{LINES} lines"), "each once, in order", async |_| {
            let mut command = Command::new(guest("lines"));
            let child = command.args([LINES.to_string()]).spawn().unwrap();
            let (mut events, _child) = child.into_events(Framing::lines());
            let (mut next, mut after) = (1, 0);
            while let Some(event) = soon(events.recv()).await {
                match event {
                    CommandEvent::Stdout(line)
                        if line.starts_with(format!("line {next} ").as_bytes()) =>
                    {
                        next += 1
                    }
                    CommandEvent::Terminated(_) => after = next,
                    other => return format!("{other:?}"),
                }
            }
            if after == LINES + 1 { "each once, in order".into() } else { format!("{after} lines") }
        }),
        row(77, "no output and no input", "nothing, then the end", async |_| {
            events(starting(""), b"").await
        }),
        row(77, "an end without a last terminator", "\"ready\", then the end", async |_| {
            events(starting(&writing("ready", 5)), b"").await
        }),
        row(84, "lines that look like our events", "passed on as lines", async |_| {
            let forged = br#"{"event":"Terminated","payload":{"code":0,"signal":null}}"#;
            let child = Command::new(guest("echo")).spawn().unwrap();
            let (mut events, mut child) = child.into_events(Framing::lines());
            child.write(forged).await.unwrap();
            drop(child);
            let mut all = Vec::new();
            while let Some(event) = soon(events.recv()).await {
                all.push(event);
            }
            match &all[..] {
                [CommandEvent::Stdout(line), CommandEvent::Terminated(_)] if line == forged => {
                    "passed on as lines".into()
                }
                other => format!("{other:?}"),
            }
        }),
    ];
    for (case, what) in [
        (76, "bytes that are no text, a mark, a NUL, half a character, all line ends"),
        (83, "what steers a terminal, markup and reversed text"),
    ] {
        rows.push(row(case, what, "the same bytes", async |_| {
            let output = run(&Command::new(guest("echo")), BYTES).await;
            if output.stdout == BYTES {
                "the same bytes".into()
            } else {
                format!("{:?}", output.stdout)
            }
        }));
    }
    rows.push(held(
        76,
        "a line and its end in several pieces",
        "runtime/tests/it/framing.rs",
        "every_chunking_of_short_texts_gives_the_same_lines",
    ));
    rows
}

fn faults() -> Vec<Row> {
    let mut rows = vec![
        row(79, "a fault after a write", "all of it, then the trap", async |_| {
            let output =
                soon(Command::new(load(&calling("unreachable")).unwrap()).output()).await.unwrap();
            match (output.status.termination(), &*output.stdout) {
                (Termination::Trapped(_), b"ready\n") => "all of it, then the trap".into(),
                _ => end(&output.status),
            }
        }),
        row(79, "killed after a write", "all of it, then the end", async |_| {
            let command = Command::new(
                load(&calling("(call $say) (call $block (call $after (i64.const -1)))")).unwrap(),
            );
            let mut child = ready(&command).await;
            let mut stdout = child.stdout.take().unwrap();
            let mut second = [0; 6];
            soon(stdout.read_exact(&mut second)).await.unwrap();
            let end = kill(&mut child).await;
            let mut rest = Vec::new();
            soon(stdout.read_to_end(&mut rest)).await.unwrap();
            if end == "killed" && rest.is_empty() { "all of it, then the end".into() } else { end }
        }),
    ];
    rows.push(row(
        79,
        "killed while it writes without end and nobody reads",
        "a pipe full of it, in order",
        async |_| {
            let mut command = Command::new(guest("flood"));
            command.args(["stdout", "forever"]);
            let mut longest = 0;
            // Until one was killed late enough to have filled it.
            for wait in 1..50 {
                let mut child = command.spawn().unwrap();
                tokio::time::sleep(Duration::from_millis(10 * wait)).await;
                let end = kill(&mut child).await;
                let mut rest = Vec::new();
                soon(child.stdout.take().unwrap().read_to_end(&mut rest)).await.unwrap();
                if end != "killed"
                    || !rest.iter().copied().eq((b'a'..=b'z').cycle().take(rest.len()))
                {
                    return format!("{end}, {} bytes, not all in order", rest.len());
                }
                if rest.len() == PIPE {
                    return "a pipe full of it, in order".into();
                }
                longest = longest.max(rest.len());
            }
            format!("{longest} bytes at most")
        },
    ));
    rows.push(row(81, "input closed while it is read", "an end, both times", async |_| {
        let mut child = ready(&Command::new(load(&calling(TWO_READS)).unwrap())).await;
        waits(&mut child).await;
        child.stdin = None;
        match end(&soon(child.wait()).await.unwrap()).as_str() {
            "exit 0" => "an end, both times".into(),
            other => other.into(),
        }
    }));
    for (what, stdin) in [("closed at once", Stdio::piped()), ("that is none", Stdio::null())] {
        rows.push(row(
            81,
            format!("input {what}, read twice"),
            "an end, both times",
            async move |_| {
                let mut command = Command::new(load(&calling(TWO_READS)).unwrap());
                let child = command.stdin(stdin).spawn().unwrap();
                let output = finish(child, b"").await;
                if output.status.success() {
                    "an end, both times".into()
                } else {
                    end(&output.status)
                }
            },
        ));
    }
    rows
}

fn handles() -> Vec<Row> {
    let rows = [
        ("output given back, and got again", "(call $drop-out (call $get-stdout)) (call $say)"),
        (
            "two handles of output",
            "(local.set $p (call $get-stdout)) (local.set $i (call $get-stdout))
             (call $blocking-write (local.get $p) (i32.const 1024) (i32.const 3) (i32.const 2048))
             (call $blocking-write (local.get $i) (i32.const 1027) (i32.const 3) (i32.const 2048))",
        ),
    ];
    let row_of = |(what, body): (&'static str, &'static str)| {
        row(82, what, "all of it, in order", async move |_| {
            let wasm = component(&Parts { body: &running(body), ..Parts::default() });
            let output = soon(Command::new(load(&wasm).unwrap()).output()).await.unwrap();
            match (output.status.success(), &*output.stdout) {
                (true, b"ready\nready\n") => "all of it, in order".into(),
                _ => format!("{}, {:?}", end(&output.status), output.stdout),
            }
        })
    };
    rows.into_iter().map(row_of).collect()
}

/// A module's write of the beginning of a text at 1024.
fn writing(text: &str, length: usize) -> String {
    assert!(text.len() == length && length < 128, "one byte holds the length");
    format!(
        "(i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const {length}))
         (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))"
    )
}

/// How a guest ends that nobody reads from; its output has room in the pipe.
async fn unread(component: Component) -> String {
    let mut child = Command::new(component).spawn().unwrap();
    end(&soon(child.wait()).await.unwrap())
}

/// Whoever writes 1 GiB to a guest that is ready, and what then becomes of it.
async fn fed(wasm: &[u8]) -> String {
    let mut child = ready(&Command::new(load(wasm).unwrap())).await;
    let mut stdin = child.stdin.take().unwrap();
    let block = vec![0; 1 << 20];
    let all = async {
        for _ in 0..1024 {
            stdin.write_all(&block).await.unwrap();
        }
    };
    let waits = tokio::time::timeout(Duration::from_millis(200), all).await.is_err();
    let end = kill(&mut child).await;
    if waits { format!("the writer waits, {end}") } else { "all of it was taken".into() }
}

/// Until it has written what a pipe holds, and waits.
async fn waits(child: &mut wasi_sidecar::Child) {
    let quiet = async {
        let mut before = None;
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = child.usage().map(|usage| usage.cpu_time);
            if now == before && now.is_some_and(|time| !time.is_zero()) {
                break;
            }
            before = now;
        }
    };
    soon(quiet).await;
}

async fn drain(stream: &mut (impl tokio::io::AsyncRead + Unpin), bytes: usize) {
    // Not all at once, where memory is counted.
    let mut block = vec![0; 4096];
    for _ in 0..bytes / block.len() {
        stream.read_exact(&mut block).await.unwrap();
    }
}

/// What comes of it by lines.
async fn events(wasm: Vec<u8>, input: &[u8]) -> String {
    let mut child = Command::new(load(&wasm).unwrap()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let (mut events, _child) = child.into_events(Framing::lines());
    let mut said = String::from("nothing");
    while let Some(event) = soon(events.recv()).await {
        match event {
            CommandEvent::Stdout(line) => said = format!("{:?}", text(&line)),
            CommandEvent::Terminated(_) => said += ", then the end",
            other => said = format!("{other:?}"),
        }
    }
    said
}
