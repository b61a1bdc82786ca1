//! H: what a hostile page tries. The part of `docs/attacks.md` that needs an app.

use std::path::Path;

use serde_json::{Value, json};
use tauri::ipc::InvokeBody;
use wasi_sidecar_guests::{
    attacks::{self, Line},
    component,
};

use crate::{
    pressure,
    support::{Mock, Page, app, try_app},
};

/// Longest name, and longest payload, that a page sends here.
const LARGE: usize = 1 << 20;

struct Row {
    case: u16,
    attack: &'static str,
    expected: &'static str,
    attempt: fn(&Mock) -> String,
}

/// A refusal in the words of the report.
fn refused(answer: Result<impl std::fmt::Debug, String>) -> String {
    match answer {
        Ok(value) => format!("allowed: {value:?}"),
        Err(text) if text.len() > 4096 => "a refusal that is too long".into(),
        Err(text) if text.starts_with("wasi-sidecar.") && text.contains(" not allowed") => {
            "denied by the permissions".into()
        }
        Err(text) if text.starts_with("no such child") => "no such child".into(),
        Err(_) => "refused".into(),
    }
}

fn start(mock: &Mock, program: &str, args: Value, options: Value) -> String {
    refused(Page::new(mock, "main").spawn(program, args, options))
}

fn other_page(mock: &Mock, command: &str, more: Value) -> String {
    let (one, other) = (Page::new(mock, "main"), Page::new(mock, "second"));
    let pid = one.spawn("guests/echo", json!([]), json!({})).expect("it starts");
    let mut message = json!({ "pid": pid });
    message.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let answer = refused(other.call(command, message));
    one.call("kill", json!({ "pid": pid })).expect("it is its own");
    mock.events(&one, pid);
    answer
}

const TRIED: &[Row] = &[
    Row {
        case: 117,
        attack: "a window without permission starts a sidecar",
        expected: "denied by the permissions",
        attempt: |mock| {
            refused(Page::new(mock, "unknown").spawn("guests/echo", json!([]), json!({})))
        },
    },
    Row {
        case: 117,
        attack: "a window without permission kills",
        expected: "denied by the permissions",
        attempt: |mock| refused(Page::new(mock, "unknown").call("kill", json!({ "pid": 1 }))),
    },
    Row {
        case: 117,
        attack: "a window without permission writes",
        expected: "denied by the permissions",
        attempt: |mock| {
            let message = json!({ "pid": 1, "buffer": "x" });
            refused(Page::new(mock, "unknown").call("stdin_write", message))
        },
    },
    Row {
        case: 118,
        attack: "a page kills another page's child",
        expected: "no such child",
        attempt: |mock| other_page(mock, "kill", json!({})),
    },
    Row {
        case: 118,
        attack: "a page writes to another page's child",
        expected: "no such child",
        attempt: |mock| other_page(mock, "stdin_write", json!({ "buffer": "x" })),
    },
    Row {
        case: 118,
        attack: "a page guesses 10,000 children",
        expected: "no such child",
        attempt: |mock| {
            let page = Page::new(mock, "main");
            let guess = |pid: u32| refused(page.call("kill", json!({ "pid": pid })));
            let mut answers: Vec<_> = (0x9000_0000..0x9000_2710).map(guess).collect();
            answers.dedup();
            answers.join(", ")
        },
    },
    Row {
        case: 119,
        attack: "a page sends an environment entry that nobody grants",
        expected: "refused",
        attempt: |mock| {
            start(mock, "guests/env", json!([]), json!({ "env": { "LD_PRELOAD": "x" } }))
        },
    },
    Row {
        case: 119,
        attack: "a page sends a directory of the host",
        expected: "refused",
        attempt: |mock| start(mock, "guests/echo", json!([]), json!({ "cwd": "/etc" })),
    },
    Row {
        case: 119,
        attack: "a page sends grants, limits, a fallback and another artifact",
        expected: "none of them is looked at",
        attempt: |mock| {
            let options = json!({
                "dirs": [{ "host": "/", "guest": "/all" }], "limits": { "memory": "4 GiB" },
                "native": true, "component": "/tmp/evil.wasm",
            });
            let page = Page::new(mock, "main");
            match page.execute("guests/fs-probe", json!(["list", "/all"]), options) {
                Ok(done)
                    if done["stdout"]
                        .as_str()
                        .is_some_and(|said| said.contains(r#""ok":false"#)) =>
                {
                    "none of them is looked at".into()
                }
                Ok(done) => format!("allowed: {done}"),
                Err(_) => "none of them is looked at".into(),
            }
        },
    },
    Row {
        case: 120,
        attack: "a program with `..` in its name",
        expected: "refused",
        attempt: |mock| start(mock, "guests/../../bin/sh", json!([]), json!({})),
    },
    Row {
        case: 120,
        attack: "a program by its absolute path",
        expected: "refused",
        attempt: |mock| start(mock, "/bin/sh", json!([]), json!({})),
    },
    Row {
        case: 120,
        attack: "a program that is no sidecar",
        expected: "refused",
        attempt: |mock| start(mock, "guests/echo", json!([]), json!({ "sidecar": false })),
    },
    Row {
        case: 120,
        attack: "an address for a program",
        expected: "refused",
        attempt: |mock| start(mock, "https://example.com/guests/echo", json!([]), json!({})),
    },
    Row {
        case: 120,
        attack: "a configured name in other letters",
        expected: "refused",
        attempt: |mock| start(mock, "Guests/Echo", json!([]), json!({})),
    },
    Row {
        case: 120,
        attack: "a NUL in a program's name",
        expected: "refused",
        attempt: |mock| start(mock, "guests/echo\0", json!([]), json!({})),
    },
    Row {
        case: 120,
        attack: "a program's name of 1 MB",
        expected: "refused",
        attempt: |mock| start(mock, &"x".repeat(LARGE), json!([]), json!({})),
    },
    Row {
        case: 122,
        attack: "a page starts more than may run at once",
        expected: "refused",
        attempt: |_| {
            let echo = component("echo").expect("built");
            let config = json!({
                "codeCache": false, "engine": { "maxGuests": 4 },
                "sidecars": { "guests/echo": { "component": echo } },
            });
            let mock = try_app(config).unwrap_or_else(|error| panic!("{error}"));
            let page = Page::new(&mock, "main");
            let answers: Vec<_> =
                (0..5).map(|_| page.spawn("guests/echo", json!([]), json!({}))).collect();
            match answers.iter().filter(|answer| answer.is_ok()).count() {
                4 => refused(answers.into_iter().nth(4).expect("five")),
                started => format!("{started} started"),
            }
        },
    },
    Row {
        case: 122,
        attack: "a page starts 10,000 children at once, which never end",
        expected: "64 run, the others are refused by name and limit; another page's runs",
        attempt: pressure::ten_thousand_starts,
    },
    Row {
        case: 80,
        attack: "a page writes 1 GB in 10,000 calls at once to a child that never reads",
        expected: "16 MiB wait, the others are refused by name and limit; after the end none is taken",
        attempt: pressure::ten_thousand_writes,
    },
    Row {
        case: 80,
        attack: "a page makes 100,000 writes of a byte to a child that never reads",
        expected: "16 MiB wait, the others are refused by name and limit; after the end none is taken",
        attempt: pressure::many_small_writes,
    },
    Row {
        case: 124,
        attack: "a number where a text is wanted",
        expected: "refused",
        attempt: |mock| refused(Page::new(mock, "main").call("spawn", json!({ "program": 7 }))),
    },
    Row {
        case: 124,
        attack: "a child beyond all numbers",
        expected: "refused",
        attempt: |mock| refused(Page::new(mock, "main").call("kill", json!({ "pid": 1e300 }))),
    },
    Row {
        case: 124,
        attack: "a write whose header is no number",
        expected: "refused",
        attempt: |mock| {
            let body = InvokeBody::Raw(vec![0; LARGE]);
            let answer = Page::new(mock, "main").answer("stdin_write", body, &[("pid", "nobody")]);
            refused(answer.map(|_| ()))
        },
    },
    Row {
        case: 124,
        attack: "options nested 100 deep",
        expected: "refused",
        attempt: |mock| {
            let deep = (0..100).fold(json!("x"), |inner, _| json!({ "env": inner }));
            start(mock, "guests/echo", json!([]), deep)
        },
    },
    Row {
        case: 125,
        attack: "an address that looks like the app's own (before Tauri 2.11.1)",
        expected: "built with a later one",
        attempt: |_| {
            let mut parts = tauri::VERSION.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
            let version = [(); 3].map(|()| parts.next().unwrap_or(0));
            if version >= [2, 11, 1] {
                "built with a later one".into()
            } else {
                tauri::VERSION.into()
            }
        },
    },
];

/// Rows that a test elsewhere runs: the case, the attack, the file, the test in it.
const HELD: &[(u16, &str, &str, &str)] = &[
    (
        121,
        "a validator whose expression matches only a part",
        "host-plugin/src/scope/tests.rs",
        "parity_38_a_validator_has_to_match_the_whole_argument",
    ),
    (
        121,
        "a validator that loses its anchors between other text, and eighteen whose alternatives or flags might",
        "host-plugin/src/scope/tests.rs",
        "an_expression_is_compiled_alone_and_means_the_same_whole",
    ),
    (
        121,
        "a validator that is too large or too deep, and one that backtracks elsewhere",
        "host-plugin/src/scope/tests.rs",
        "an_expression_is_bounded_in_size_and_depth",
    ),
    (
        121,
        "arguments that are too many, too few or others",
        "host-plugin/src/scope/tests.rs",
        "parity_39_a_mismatch_is_refused_and_shows_position_expected_and_given",
    ),
    (
        123,
        "a page that is left while its child starts",
        "host-plugin/src/children/tests.rs",
        "parity_33_a_child_whose_page_is_left_while_it_starts_ends",
    ),
    (
        123,
        "an app that ends with children running",
        "host-plugin/harness/tests/plugin/start.rs",
        "parity_21_all_children_end_with_the_app",
    ),
    (
        122,
        "a page whose guests hang in a FIFO when they are killed, and that starts more",
        "host-plugin/harness/tests/plugin/pressure.rs",
        "a_guest_that_hangs_counts_until_it_is_gone",
    ),
    (
        122,
        "a page runs sidecars that write without end, and has their output collected",
        "host-plugin/harness/tests/plugin/pressure.rs",
        "what_execute_holds_of_all_output_is_bounded",
    ),
    (
        122,
        "a page makes calls that wait, and then wants to kill",
        "host-plugin/harness/tests/plugin/pressure.rs",
        "calls_that_wait_are_bounded_and_none_keeps_a_page_from_killing",
    ),
    (
        122,
        "a page kills, and waits, without end",
        "host-plugin/src/children/tests.rs",
        "kills_that_wait_are_counted_apart_and_are_no_more_than_may_wait",
    ),
    (
        80,
        "a page writes more than may wait, and then reads on",
        "host-plugin/harness/tests/plugin/pressure.rs",
        "what_was_accepted_arrives_whole_and_once",
    ),
    (
        74,
        "a page that never acknowledges what it was sent",
        "host-plugin/src/page/credits.rs",
        "parity_32_what_is_not_acknowledged_is_bounded",
    ),
];

#[test]
fn attacks_h_pages() {
    let mock = app();
    let mut lines = Vec::new();
    for Row { case, attack, expected, attempt } in TRIED {
        let observed = attempt(&mock);
        // The app is well: another page's sidecar does its work.
        let page = Page::new(&mock, "main");
        let done = page.execute("guests/args", json!(["x"]), json!({})).expect("it runs");
        assert_eq!(done["code"], 0, "after {attack}");
        lines.push(line(*case, attack, expected, observed));
    }
    for (case, attack, file, test) in HELD {
        let expected = format!("as `{test}` in `{file}` has it");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let source = std::fs::read_to_string(root.join(file)).expect("a source");
        let there = source.contains(&format!("fn {test}("));
        let observed = if there { expected.clone() } else { "no such test".into() };
        lines.push(line(*case, attack, &expected, observed));
    }
    // What an example app shows of a guest is text, and never markup.
    let rendered = rendered_as_text();
    lines.push(line(126, "markup in what the example app shows", "shown as text", rendered));
    let wrong: Vec<_> = lines.iter().filter(|line| line.expected != line.observed).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    if cfg!(target_os = "linux") {
        attacks::publish('H', &lines).unwrap_or_else(|text| panic!("{text}"));
    }
}

fn line(case: u16, attack: &str, expected: &str, observed: String) -> Line {
    Line {
        case,
        attack: attack.to_owned(),
        expected: expected.to_owned(),
        observed,
        bare: String::new(),
    }
}

/// The page of the example app makes no markup of texts, and its policy would not run a script in one.
fn rendered_as_text() -> String {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/app");
    let config = std::fs::read_to_string(app.join("src-tauri/tauri.conf.json")).expect("a file");
    let mut sources = vec![app.join("src")];
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder").flatten();
            sources.extend(entries.map(|entry| entry.path()));
        } else if path.extension().is_some_and(|extension| extension == "ts") {
            let text = std::fs::read_to_string(&path).expect("a source");
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"] {
                if text.contains(word) {
                    return format!("`{word}` in {}", path.display());
                }
            }
        }
    }
    if config.contains("default-src 'self'") && !config.contains("unsafe-inline") {
        "shown as text".into()
    } else {
        "its policy allows scripts".into()
    }
}
