//! C: calls of the host.

use std::time::Duration;

use wasi_sidecar::{Command, Limits};

use super::{
    bare, filesystem,
    memory::ends_within,
    table::{On, Row, held, row},
    wasm::{
        self, Parts, calling, component, end, ends_by_itself, ends_with, kill, killed, load,
        running, starting,
    },
};
use crate::support::{guest, run, soon, text};

/// Kills at so many moments of a guest's life.
const MOMENTS: u64 = 200;

/// Memory of one call: the limit of its bytes, and 2 MiB for the guest itself. It takes up to 0.8 MB.
const ONE_CALL: u64 = (1 + 2) << 20;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = waits();
    rows.extend(amounts());
    rows.extend(garbage());
    rows.extend(handles());
    rows.extend(ends());
    rows
}

/// What does not end by itself is killed.
fn waits() -> Vec<Row> {
    let rows = [
        (54, "looking at the clock without end", "(loop $again (drop (call $now)) (br $again))"),
        (
            54,
            "polls that time out at once, without end",
            "(local.set $p (call $after (i64.const 0))) (i32.store (i32.const 0) (local.get $p))
             (loop $again (drop (call $ready (local.get $p)))
               (call $block (local.get $p)) (br $again))",
        ),
        (55, "a wait of 584 years", "(call $block (call $after (i64.const -1)))"),
        (
            55,
            "the same in a poll",
            "(i32.store (i32.const 0) (call $after (i64.const -1)))
             (call $poll (i32.const 0) (i32.const 1) (i32.const 2048))",
        ),
        (
            55,
            "reading input that nobody writes",
            "(call $blocking-read (call $get-stdin) (i64.const 1) (i32.const 2048))",
        ),
        (
            55,
            "waiting for input that nobody writes",
            "(call $block (call $await-in (call $get-stdin)))",
        ),
    ];
    let row_of = |(case, what, body): (u16, &'static str, &'static str)| {
        row(case, format!("{what}, killed"), "killed", async move |_| killed(calling(body)).await)
    };
    let mut rows: Vec<_> = rows.into_iter().map(row_of).collect();
    rows.push(row(55, "a wait of 584 years with a limit on its time", "out of time", async |_| {
        let limits = Limits::new().time(Duration::from_millis(50));
        ends_with(calling("(call $block (call $after (i64.const -1)))"), limits).await
    }));
    rows.push(row(
        65,
        format!("killed at {MOMENTS} moments of many calls"),
        "all killed",
        async |_| {
            let body = "(loop $again
            (call $random (i64.const 64) (i32.const 2048))
            (local.set $p (call $after (i64.const 1000)))
            (call $block (local.get $p)) (call $drop-pollable (local.get $p))
            (call $write-zeroes (call $get-stdout) (i64.const 0) (i32.const 2048))
            (br $again))";
            let command = Command::new(load(&calling(body)).unwrap());
            for moment in 0..MOMENTS {
                let mut child = command.spawn().unwrap();
                tokio::time::sleep(Duration::from_micros(moment * 37 % 1900)).await;
                let end = kill(&mut child).await;
                // It cannot have ended by itself but for the handles it has used up.
                if end != "killed" && end != "out of handles" {
                    return end;
                }
            }
            "all killed".into()
        },
    ));
    rows
}

fn amounts() -> Vec<Row> {
    let list = |count: u32| {
        format!(
            "(local.set $p (call $after (i64.const 0)))
             (loop $fill (i32.store (i32.add (i32.const 131072) (i32.shl (local.get $n) (i32.const 2))) (local.get $p))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $fill (i32.lt_u (local.get $n) (i32.const {count}))))
             (call $poll (i32.const 131072) (i32.const {count}) (i32.const 2048))"
        )
    };
    let again = |what: &str| format!("(loop $again (drop {what}) (br $again))");
    let mut rows = vec![
        row(56, "a poll of nothing", "trap: empty poll list", async |_| {
            ends_by_itself(calling("(call $poll (i32.const 0) (i32.const 0) (i32.const 2048))"))
                .await
        })
        .bare(|_| {
            bare::run(
                &calling("(call $poll (i32.const 0) (i32.const 0) (i32.const 2048))"),
                &[],
                None,
            )
            .1
        }),
        row(56, "a poll of what is no handle", "trap: unknown handle index 7777", async |_| {
            let body = "(i32.store (i32.const 0) (i32.const 7777))
                (call $poll (i32.const 0) (i32.const 1) (i32.const 2048))";
            ends_by_itself(calling(body)).await
        }),
    ];
    for (count, expected) in
        [(100, "exit 0"), (10_000, "out of handles"), (300_000, "out of bytes of one call")]
    {
        let body = list(count);
        rows.push(row(
            56,
            format!("a poll of one thing {count} times"),
            expected,
            async move |_| ends_by_itself(calling(&body)).await,
        ));
    }
    for (what, call) in [
        ("timers", "(call $after (i64.const 1))"),
        ("streams", "(call $get-stdout)"),
        ("networks", "(call $instance-network)"),
        ("waits for a stream", "(call $await-in (call $get-stdin))"),
    ] {
        let body = again(call);
        rows.push(row(
            57,
            format!("{what} without end, none given back"),
            "out of handles",
            async move |_| ends_by_itself(calling(&body)).await,
        ));
    }
    rows.push(row(
        58,
        "preview1: open files without end, none closed",
        "the open fails (errno 33), and the guest goes on",
        async |place| {
            let component = load(&starting(
                r#"(i32.store8 (i32.const 0) (i32.const 102)) (i32.store8 (i32.const 1) (i32.const 105))
                   (i32.store8 (i32.const 2) (i32.const 108)) (i32.store8 (i32.const 3) (i32.const 101))
                   (loop $again
                     (local.set $n (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4)
                       (i32.const 0) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 16)))
                     (br_if $again (i32.eqz (local.get $n))))
                   (call $exit (local.get $n))"#,
            ));
            let held = place.granted(wasi_sidecar::Access::ReadOnly);
            match wasm::ends(Command::new(component.unwrap()).grants(held)).await.as_str() {
                "exit 33" => "the open fails (errno 33), and the guest goes on".into(),
                other => other.into(),
            }
        },
    ));
    rows.push(row(
        58,
        "open files without end, none closed",
        "the open fails (insufficient-memory), and the guest goes on",
        async |place| {
            // The answer is at 2064: whether it failed, and after four bytes why.
            let component = load(&filesystem::component(
                &[filesystem::OPEN],
                r#"(i32.store8 (i32.const 512) (i32.const 102)) (i32.store8 (i32.const 513) (i32.const 105))
                   (i32.store8 (i32.const 514) (i32.const 108)) (i32.store8 (i32.const 515) (i32.const 101))
                   (loop $again
                     (call $open (local.get $p) (i32.const 0) (i32.const 512) (i32.const 4) (i32.const 0)
                       (i32.const 1) (i32.const 2064))
                     (br_if $again (i32.eqz (i32.load8_u (i32.const 2064)))))
                   (if (i32.ne (i32.load8_u (i32.const 2068)) (i32.const 22)) (then unreachable))
                   (call $exit (i32.const 1))"#,
            ));
            let held = place.granted(wasi_sidecar::Access::ReadOnly);
            match wasm::ends(Command::new(component.unwrap()).grants(held)).await.as_str() {
                "exit 1" => "the open fails (insufficient-memory), and the guest goes on".into(),
                other => other.into(),
            }
        },
    ));
    rows.push(row(57, "500 timers at once", "exit 0", async |_| {
        let body = "(loop $again (drop (call $after (i64.const 1)))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 500))))";
        ends_by_itself(calling(body)).await
    }));
    for (count, expected) in [(255, "exit 0"), (512, "exit 0"), (40_000, "out of handles")] {
        rows.push(row(
            56,
            format!("preview1: a poll of {count} clocks"),
            expected,
            async move |_| {
                let body = format!(
                    "(loop $fill
                       (i32.store (i32.add (i32.const 65552) (i32.mul (local.get $n) (i32.const 48))) (i32.const 1))
                       (local.set $n (i32.add (local.get $n) (i32.const 1)))
                       (br_if $fill (i32.lt_u (local.get $n) (i32.const {count}))))
                     (call $exit (call $poll (i32.const 65536) (i32.const 2097152) (i32.const {count}) (i32.const 16)))"
                );
                ends_by_itself(starting(&body)).await
            },
        ));
    }
    for (what, bytes) in [("64 MiB", "0x4000000"), ("2^64 - 1", "-1")] {
        let body = format!("(call $random (i64.const {bytes}) (i32.const 2048))");
        rows.push(row(
            59,
            format!("{what} random bytes"),
            "out of random bytes of one call",
            async move |_| ends_by_itself(calling(&body)).await,
        ));
    }
    for megabytes in [120_u32, 250] {
        let body = format!(
            "(call $write (call $get-stdout) (i32.const 0) (i32.const {}) (i32.const 2048))",
            megabytes << 20
        );
        let row = row(
            60,
            format!("an argument of {megabytes} MiB"),
            "out of bytes of one call; memory is bounded",
            async move |_| {
                let body = running(&body);
                let wasm = component(&Parts { body: &body, pages: 4080, ..Parts::default() });
                ends_within(ONE_CALL, wasm, Limits::new()).await
            },
        );
        rows.push(row.on(On::Linux).alone());
    }
    rows
}

/// Strings that are none, and places that are nowhere.
fn garbage() -> Vec<Row> {
    let resolve = |at: &str, length: &str| {
        format!("(call $resolve (call $instance-network) {at} {length} (i32.const 2048))")
    };
    let (utf8, utf16) = ("string-encoding=utf8", "string-encoding=utf16");
    let rows = [
        (
            61,
            "a string that is no UTF-8",
            utf8,
            format!(
                "(i32.store (i32.const 0) (i32.const -1)) {}",
                resolve("(i32.const 0)", "(i32.const 2)")
            ),
        ),
        (
            61,
            "half of a surrogate pair",
            utf16,
            format!(
                "(i32.store16 (i32.const 0) (i32.const 0xd800)) {}",
                resolve("(i32.const 0)", "(i32.const 1)")
            ),
        ),
        (61, "UTF-16 at an odd address", utf16, resolve("(i32.const 1)", "(i32.const 1)")),
        (62, "a string beyond the memory", utf8, resolve("(i32.const -16)", "(i32.const 8)")),
        (62, "a string whose end overflows", utf8, resolve("(i32.const -1)", "(i32.const -1)")),
        (
            62,
            "a list beyond the memory",
            utf8,
            "(call $write (call $get-stdout) (i32.const -16) (i32.const 8) (i32.const 2048))"
                .into(),
        ),
        (
            62,
            "a result beyond the memory",
            utf8,
            "(call $check-write (call $get-stdout) (i32.const -8))".into(),
        ),
        (
            62,
            "a result at an odd address",
            utf8,
            "(call $check-write (call $get-stdout) (i32.const 2049))".into(),
        ),
    ];
    let row_of = |(case, what, encoding, body): (u16, &'static str, &'static str, String)| {
        row(case, what, "a trap", async move |_| {
            let body = running(&body);
            trapped(component(&Parts { body: &body, encoding, ..Parts::default() })).await
        })
    };
    let mut rows: Vec<_> = rows.into_iter().map(row_of).collect();
    let bytes = "(call $random (i64.const 8) (i32.const 2048))";
    // Its answer is a list of numbers.
    let numbers = "(i32.store (i32.const 0) (call $after (i64.const 0)))
        (call $poll (i32.const 0) (i32.const 1) (i32.const 2048))";
    for (case, what, does, body, expected) in [
        (62, "an allocator that answers beyond the memory", "(i32.const -8)", bytes, "a trap"),
        (62, "an allocator that answers with what is taken", "(i32.const 2048)", bytes, "exit 0"),
        (62, "an allocator that answers with 0", "(i32.const 0)", bytes, "exit 0"),
        (
            62,
            "an allocator that answers with an odd address",
            "(i32.const 4097)",
            numbers,
            "a trap",
        ),
        (
            64,
            "an allocator that calls the host",
            "(drop (call $now)) (i32.const 65536)",
            bytes,
            "a trap",
        ),
    ] {
        rows.push(row(case, what, expected, async move |_| {
            let realloc =
                format!(r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) {does})"#);
            let body = running(body);
            trapped(component(&Parts { body: &body, realloc: &realloc, ..Parts::default() })).await
        }));
    }
    rows.push(row(64, "calling the host after a return", "a trap", async |_| {
        let body =
            format!(r#"{} (func (export "after") (param i32) (drop (call $now)))"#, running(""));
        let lift = r#"(post-return (core func $guest "after"))"#;
        trapped(component(&Parts { body: &body, lift, ..Parts::default() })).await
    }));
    for (what, call) in [
        (
            "reading into memory it does not have",
            "(call $read (i32.const 0) (i32.const -8) (i32.const 1) (i32.const 16))",
        ),
        (
            "random bytes into memory it does not have",
            "(call $random (i32.const -8) (i32.const 64))",
        ),
        (
            "writing more parts than there are",
            "(call $write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 16))",
        ),
    ] {
        let expected =
            if what.starts_with("writing") { "out of bytes of one call" } else { "a trap" };
        rows.push(row(68, format!("preview1: {what}"), expected, async move |_| {
            trapped(starting(&format!("(call $exit {call})"))).await
        }));
    }
    rows.push(row(68, "preview1: a poll of nothing", "exit 28", async |_| {
        let call = "(call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))";
        ends_by_itself(starting(&format!("(call $exit {call})"))).await
    }));
    rows
}

async fn trapped(wasm: Vec<u8>) -> String {
    let end = ends_by_itself(wasm).await;
    if end.starts_with("trap: ") { "a trap".into() } else { end }
}

fn handles() -> Vec<Row> {
    let rows = [
        ("handle 0", "(drop (call $ready (i32.const 0)))"),
        ("handle 2^32 - 1", "(drop (call $ready (i32.const -1)))"),
        ("a handle of another type", "(drop (call $ready (call $get-stdout)))"),
        (
            "a handle that was given back",
            "(local.set $p (call $after (i64.const 0))) (call $drop-pollable (local.get $p))
             (call $block (local.get $p))",
        ),
        (
            "a handle given back twice",
            "(local.set $p (call $after (i64.const 0))) (call $drop-pollable (local.get $p))
             (call $drop-pollable (local.get $p))",
        ),
        (
            "a stream given back before the wait for it",
            "(local.set $p (call $get-stdin)) (drop (call $await-in (local.get $p))) (call $drop-in (local.get $p))",
        ),
    ];
    let row_of = |(what, body): (&'static str, &'static str)| {
        row(63, what, "a trap", async move |_| trapped(calling(body)).await)
    };
    let mut rows: Vec<_> = rows.into_iter().map(row_of).collect();
    rows.push(row(37, "every handle from 0 to 9,999, a guest each", "a trap each", async |_| {
        // Whatever is behind a number, it is given back: nothing is.
        let body = "(call $blocking-read (call $get-stdin) (i64.const 4) (i32.const 2048))
            (call $drop-pollable (i32.load (i32.load (i32.const 2052))))";
        let command = Command::new(load(&calling(body)).unwrap());
        for handle in 0..10_000_u32 {
            let output = run(&command, &handle.to_le_bytes()).await;
            let end = end(&output.status);
            if !end.starts_with("trap: ") {
                return format!("{handle}: {end}");
            }
        }
        "a trap each".into()
    }));
    rows
}

fn ends() -> Vec<Row> {
    let mut rows = vec![
        row(66, "an exit with output that nobody has read", "exit 1, and all of it", async |_| {
            let command = Command::new(load(&calling("(call $exit (i32.const 1))")).unwrap());
            let output = soon(command.output()).await.unwrap();
            match text(&output.stdout).as_str() {
                "ready\n" => format!("{}, and all of it", end(&output.status)),
                other => format!("{other:?}"),
            }
        }),
        row(66, "an exit from within the allocator", "a trap", async |_| {
            let realloc = r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (call $exit (i32.const 0)) unreachable)"#;
            let body = running("(call $random (i64.const 8) (i32.const 2048))");
            trapped(component(&Parts { body: &body, realloc, ..Parts::default() })).await
        }),
        row(67, "`run` gives an error", "exit 1", async |_| {
            let body = r#"(func (export "run") (result i32) (i32.const 1))"#;
            ends_by_itself(component(&Parts { body, ..Parts::default() })).await
        }),
        row(67, "`exit` with success", "exit 0", async |_| {
            ends_by_itself(calling("(call $exit (i32.const 0)) unreachable")).await
        }),
        row(67, "a fault", "trap: wasm `unreachable` instruction executed", async |_| {
            ends_by_itself(calling("unreachable")).await
        }),
        row(
            67,
            "a guest of Rust that aborts",
            "trap: wasm `unreachable` instruction executed",
            async |_| wasm::ends(&Command::new(guest("trap"))).await,
        ),
    ];
    for code in [0, 1, 42, 126, 255, 256] {
        let expected = format!("exit {}", code & 0xff);
        rows.push(row(67, format!("`proc_exit` with {code}"), expected, async move |_| {
            ends_by_itself(starting(&format!("(call $exit (i32.const {code}))"))).await
        }));
    }
    rows.push(held(
        67,
        "each code of a module, from 0 to 255",
        "runtime/tests/it/ending.rs",
        "every_exit_code_of_a_module_survives",
    ));
    rows.push(held(
        67,
        "a limit on time, told from a trap and a kill",
        "runtime/tests/it/limits.rs",
        "time_ends_a_guest_in_any_state",
    ));
    rows
}
