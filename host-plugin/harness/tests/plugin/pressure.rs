//! A page that asks for too much: children without end, and input that nobody reads.

use std::{
    fs,
    sync::mpsc::{self, Receiver},
};

use serde_json::{Value, json};
use tauri::ipc::InvokeBody;
use wasi_sidecar_guests::component;

use crate::support::{Mock, NEVER, Page, joined, try_app};

/// How often a page asks.
const TIMES: usize = 10_000;

/// Memory that may be added while a page writes what nobody reads. The limit lets 16 MiB wait. Beside them are the messages that are
/// being refused, the calls that wait, the answers that the test collects, and what the system's allocator keeps of all that:
/// 35 to 110 MB together, as was seen. Without the limit 10,000 such writes added 1.04 GB.
const SLACK: u64 = 256 << 20;

/// Bytes of memory this process holds.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

pub(crate) fn ten_thousand_starts(mock: &Mock) -> String {
    let (page, other) = (Page::new(mock, "main"), Page::new(mock, "second"));
    let message = json!({
        "program": "guests/sleep", "args": ["3600000"], "onEvent": "__CHANNEL__:7",
        "options": { "sidecar": true, "batch": true },
    });
    let (sender, answers) = mpsc::channel();
    for _ in 0..TIMES {
        let sender = sender.clone();
        page.ask("spawn", InvokeBody::Json(message.clone()), &[], move |answer| {
            drop(sender.send(answer.map(drop)));
        });
    }
    let answers: Vec<_> = (0..TIMES).map(|_| answers.recv_timeout(NEVER)).collect();
    let answers: Result<Vec<_>, _> = answers.into_iter().collect();
    // The page's other calls are answered, and another page has children of its own.
    let children = page.call("list", json!({})).expect("it is answered");
    let others = other.execute("guests/args", json!(["x"]), json!({}));
    let running = children.as_array().map_or(0, Vec::len);
    let pids = children.as_array().into_iter().flatten().map(|child| child["pid"].clone());
    for pid in pids {
        page.call("kill", json!({ "pid": pid })).expect("it is its own");
        mock.events(&page, u32::try_from(pid.as_u64().expect("a number")).expect("one of ours"));
    }
    // There is room again.
    let again = page.execute("guests/args", json!(["x"]), json!({}));
    let Ok(answers) = answers else { return "calls that are not answered".into() };
    let (started, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let by_name = refused.into_iter().filter_map(Result::err).all(|text| {
        let parts = ["`guests/sleep`", "`main`", "64 children", "`webviews.maxChildren`"];
        parts.iter().all(|part| text.contains(part))
    });
    match (started.len(), running, by_name, others, again) {
        (64, 64, true, Ok(_), Ok(_)) => {
            "64 run, the others are refused by name and limit; another page's runs".into()
        }
        other => format!("{other:?}"),
    }
}

pub(crate) fn ten_thousand_writes(mock: &Mock) -> String {
    unread_writes(mock, TIMES, &vec![0; 100_000])
}

pub(crate) fn many_small_writes(mock: &Mock) -> String {
    unread_writes(mock, 10 * TIMES, &[0])
}

/// Writes to a child that never reads, without waiting, and then kills it.
fn unread_writes(mock: &Mock, times: usize, bytes: &[u8]) -> String {
    let page = Page::new(mock, "main");
    let pid = page.spawn("guests/sleep", json!(["3600000"]), json!({})).expect("it starts");
    // What its pipe holds; nothing that comes after it is taken.
    page.write(pid, &"x".repeat(64 << 10)).expect("there is room");
    let (before, mut most) = (memory(), 0);
    let answers = write_all(&page, pid, (0..times).map(|_| bytes.to_vec()), |time| {
        if time % 100 == 0 {
            most = most.max(memory());
        }
    });
    // What it waits with is the limit, and 1 KiB for each call.
    let fits = (16 << 20) / (bytes.len() + 1024);
    let refused = answers.iter().take(times - fits);
    let refused = refused.filter(|(_, answer)| answer.as_ref().is_err_and(|text| is_full(text)));
    let refused = refused.count();
    // Nothing else waits for it.
    page.execute("guests/args", json!(["x"]), json!({})).expect("it runs");
    let grown = most.max(memory()).saturating_sub(before);
    page.call("kill", json!({ "pid": pid })).expect("it is its own");
    mock.events(&page, pid);
    let broken = answers.iter().filter(|(_, answer)| *answer == Err("Broken pipe".into())).count();
    let after = page.write(pid, "x");
    let ended = after.is_err_and(|text| text == "Broken pipe" || text.starts_with("no such child"));
    if refused == times - fits && broken == fits && grown < SLACK && ended {
        return "16 MiB wait, the others are refused by name and limit; after the end none is taken"
            .into();
    }
    format!("{refused} refused, {broken} waited, {grown} bytes more, {ended}")
}

fn is_full(text: &str) -> bool {
    text.contains("the sidecar `guests/") && text.contains("`webviews.maxInput`")
}

/// Writes without waiting, and calls `each` after each call. The answers come with the number of the call.
fn write_all(
    page: &Page,
    pid: u32,
    all: impl Iterator<Item = Vec<u8>>,
    mut each: impl FnMut(usize),
) -> Receiver<(usize, Result<(), String>)> {
    let (sender, answers) = mpsc::channel();
    let pid = pid.to_string();
    for (time, bytes) in all.enumerate() {
        let sender = sender.clone();
        let headers = [("wasi-sidecar-pid", pid.as_str())];
        page.ask("stdin_write", InvokeBody::Raw(bytes), &headers, move |answer| {
            drop(sender.send((time, answer.map(drop))));
        });
        each(time);
    }
    answers
}

#[test]
fn what_was_accepted_arrives_whole_and_once() {
    let echo = component("echo").expect("built");
    let mock = try_app(json!({
        "codeCache": false, "webviews": { "maxInput": "2 MiB" },
        "sidecars": { "guests/echo": { "component": echo } },
    }));
    let mock = mock.unwrap_or_else(|error| panic!("{error}"));
    let page = Page::new(&mock, "main");
    let pid = page.spawn("guests/echo", json!([]), json!({})).expect("it starts");
    // Nobody reads what the child answers, so it stops reading, and what is written comes to wait.
    let line = |time: usize| format!("{time} {}\n", "x".repeat(20_000)).into_bytes();
    let answers = write_all(&page, pid, (0..1000).map(line), |_| {});
    let read = std::thread::scope(|scope| {
        let (mock, page) = (&mock, &page);
        // The writes that wait go on when the answers are read; then the input ends.
        let closing = scope.spawn(move || {
            let answers: Vec<_> = (0..1000).map(|_| answers.recv_timeout(NEVER)).collect();
            page.call("close_stdin", json!({ "pid": pid })).expect("it is open");
            answers
        });
        let events = mock.events(page, pid);
        (joined(&events, "Stdout"), closing.join().expect("no panic"))
    });
    let (text, answers) = read;
    let (mut taken, mut refused) = (Vec::new(), 0);
    for answer in answers {
        match answer.expect("each call is answered") {
            (time, Ok(())) => taken.push(time),
            (_, Err(text)) => {
                assert!(is_full(&text), "{text}");
                refused += 1;
            }
        }
    }
    assert!(taken.len() > 100 && refused > 100, "{} taken, {refused} refused", taken.len());
    let mut arrived: Vec<usize> = Vec::new();
    for found in text.lines() {
        let time = found.split(' ').next().and_then(|number| number.parse().ok());
        let time = time.expect("a line begins with its number");
        assert_eq!(format!("{found}\n").as_bytes(), line(time), "line {time} is whole");
        arrived.push(time);
    }
    taken.sort_unstable();
    arrived.sort_unstable();
    assert_eq!(arrived, taken);
}

/// An app in which pages may have as little as can be set.
fn app_of(webviews: Value) -> Mock {
    let config = json!({
        "codeCache": false, "webviews": webviews, "sidecars": webview_harness::sidecars(),
    });
    try_app(config).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn calls_that_wait_are_bounded_and_none_keeps_a_page_from_killing() {
    let mock = app_of(json!({ "maxCalls": 100 }));
    let (page, other) = (Page::new(&mock, "main"), Page::new(&mock, "second"));
    let pid = page.spawn("guests/sleep", json!(["3600000"]), json!({})).expect("it starts");
    // What its pipe holds; nothing that comes after it is taken.
    page.write(pid, &"x".repeat(64 << 10)).expect("there is room");
    let answers = write_all(&page, pid, (0..150).map(|_| vec![0]), |_| {});
    let is_over = |text: &str| text.contains("`main`") && text.contains("`webviews.maxCalls`");
    for _ in 0..50 {
        let (_, answer) = answers.recv_timeout(NEVER).expect("what is over is refused at once");
        let text = answer.expect_err("nothing reads");
        assert!(is_over(&text), "{text}");
    }
    // Whatever waits is counted, whichever command it is.
    let close = page.call("close_stdin", json!({ "pid": pid })).expect_err("it would wait");
    let execute = page.execute("guests/args", json!([]), json!({})).expect_err("likewise");
    assert!(is_over(&close) && is_over(&execute), "{close}\n{execute}");
    // What does not wait is answered, and so are other pages.
    assert_eq!(page.call("list", json!({})).expect("a list").as_array().map(Vec::len), Some(1));
    other.execute("guests/args", json!([]), json!({})).expect("it has calls of its own");
    page.call("kill", json!({ "pid": pid })).expect("a page can always kill");
    for _ in 0..100 {
        let (_, answer) = answers.recv_timeout(NEVER).expect("each call is answered");
        assert_eq!(answer, Err("Broken pipe".into()));
    }
    mock.events(&page, pid);
    page.execute("guests/args", json!([]), json!({})).expect("there is room again");
}

#[test]
fn what_execute_holds_of_all_output_is_bounded() {
    let mock = app_of(json!({ "maxOutput": "2 MiB" }));
    let page = Page::new(&mock, "main");
    let message = |args: Value| {
        let options = json!({ "sidecar": true });
        InvokeBody::Json(json!({ "program": "guests/flood", "args": args, "options": options }))
    };
    let (sender, answers) = mpsc::channel();
    for stream in ["stdout", "stderr", "both", "stdout"] {
        let sender = sender.clone();
        let args = json!([stream, "forever"]);
        page.ask("execute", message(args), &[], move |answer| drop(sender.send(answer.map(drop))));
    }
    for _ in 0..4 {
        let answer = answers.recv_timeout(NEVER).expect("each call is answered");
        let text = answer.expect_err("there is no end of it");
        for part in ["`guests/flood`", "1.0 MiB", "`main`", "2.0 MiB", "`webviews.maxOutput`"] {
            assert!(text.contains(part), "{text}");
        }
    }
    // All that was held is given back, and what was killed makes room.
    let done = page.execute("guests/flood", json!(["stdout", "500000"]), json!({}));
    let done = done.expect("it fits");
    assert_eq!(done["stdout"].as_str().map(str::len), Some(500_000));
    assert_eq!(page.call("list", json!({})), Ok(json!([])));
}

#[test]
fn execute_collects_64_mib_of_a_stream() {
    let mock = app_of(json!({ "maxOutput": "1 GiB" }));
    let page = Page::new(&mock, "main");
    let error = page.execute("guests/flood", json!(["stdout", "forever"]), json!({}));
    let error = error.expect_err("there is no end of it");
    assert!(error.contains("`guests/flood`") && error.contains("64.0 MiB"), "{error}");
}

/// Ended, and not gone.
#[cfg(target_os = "linux")]
#[test]
fn a_guest_that_hangs_counts_until_it_is_gone() {
    use std::{os::unix::fs::OpenOptionsExt, process::Command, time::Instant};

    const O_NONBLOCK: i32 = 0o4000;
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("coreutils");
    assert!(made.success());
    let probe = component("fs-probe").expect("built");
    let mock = try_app(json!({
        "codeCache": false, "webviews": { "maxChildren": 2 },
        "sidecars": {
            "guests/fs-probe": {
                "component": probe, "grants": { "dirs": [{ "host": folder.path(), "guest": "/data" }] },
            },
            "guests/args": { "component": component("args").expect("built") },
        },
    }));
    let mock = mock.unwrap_or_else(|error| panic!("{error}"));
    let (page, other) = (Page::new(&mock, "main"), Page::new(&mock, "second"));
    let start = || page.spawn("guests/fs-probe", json!(["read", "/data/fifo"]), json!({}));
    // One that is killed before it has come to the FIFO is gone, so each gets more time than the one before.
    let refused = (1..=40).find_map(|time| {
        let pid = match start() {
            Ok(pid) => pid,
            Err(text) => return Some(text),
        };
        std::thread::sleep(std::time::Duration::from_millis(10 * time));
        page.call("kill", json!({ "pid": pid })).expect("it is its own");
        let events = mock.events(&page, pid);
        assert_eq!(events.last().expect("the end")["payload"]["reason"], "killed");
        None
    });
    let refused = refused.expect("two hang by now, and no third is started");
    assert!(refused.contains("`webviews.maxChildren`"), "{refused}");
    assert_eq!(page.call("list", json!({})), Ok(json!([])), "they have ended");
    other.execute("guests/args", json!([]), json!({})).expect("another page has its own");
    // Somebody writes, so their calls return.
    let mut writer = fs::OpenOptions::new();
    writer.write(true).custom_flags(O_NONBLOCK).open(&fifo).expect("somebody reads it");
    let begun = Instant::now();
    while let Err(text) = page.execute("guests/args", json!([]), json!({})) {
        assert!(text.contains("`webviews.maxChildren`") && begun.elapsed() < NEVER, "{text}");
        std::thread::yield_now();
    }
}
