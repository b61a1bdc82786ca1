//! The programs that time themselves for the benchmark: what they compute is the same in every way of running them.

use wasi_sidecar::{Access, Command, Program};

use crate::support::{guest, holding, module, native, run, temporary, text};

/// The first line, without the time on the second.
async fn result(program: impl Into<Program>, args: &[&str], place: Option<&str>) -> String {
    let mut command = Command::new(program);
    command.args(args);
    if let Some(host) = place {
        command.grants(holding(host.as_ref(), Access::ReadWrite));
    }
    let output = run(&command, b"").await;
    let said = text(&output.stdout);
    let lines: Vec<_> = said.lines().collect();
    let [result, time] = lines[..] else {
        panic!("not two lines: {said:?} {}", text(&output.stderr));
    };
    let _: u64 = time.parse().expect("nanoseconds");
    result.to_owned()
}

async fn computes(name: &str) {
    // Enough to try each, and no measurement.
    let args = [name, "2"];
    let expected = result(native("compute"), &args, None).await;
    assert!(expected.starts_with(name), "{expected}");
    assert_eq!(result(guest("compute"), &args, None).await, expected, "component");
    assert_eq!(result(module("compute"), &args, None).await, expected, "module");
}

macro_rules! computations {
    ($($name:ident)*) => { $(#[tokio::test]
    async fn $name() {
        computes(stringify!($name)).await;
    })* };
}
computations!(fib json matmul nbody qsort sha256);

#[tokio::test]
async fn an_unknown_computation_is_refused() {
    let output = run(Command::new(guest("compute")).arg("squares"), b"").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("usage"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn file_operations_count_the_same() {
    let place = temporary();
    for number in 0..40 {
        std::fs::write(place.path().join(format!("{number}")), vec![b'x'; number * 100]).unwrap();
    }
    let host = place.path().to_str().unwrap();
    let rows: [(&[&str], &str); 6] = [
        (&["list", "{data}"], "40"),
        (&["stat", "{data}"], "40"),
        (&["open-read", "{data}"], "78000"),
        (&["write", "{data}/made", "100000", "65536"], "100000"),
        (&["read", "{data}/made", "4096"], "100000"),
        (&["read", "{data}/made", "1000000"], "100000"),
    ];
    for (args, expected) in rows {
        // Each finds the files as they were.
        let _ = std::fs::remove_file(place.path().join("made"));
        if args[0] == "read" {
            std::fs::write(place.path().join("made"), vec![0; 100_000]).unwrap();
        }
        let named =
            |data: &str| args.iter().map(|arg| arg.replace("{data}", data)).collect::<Vec<_>>();
        let (there, here) = (named("/data"), named(host));
        let there: Vec<&str> = there.iter().map(String::as_str).collect();
        let here: Vec<&str> = here.iter().map(String::as_str).collect();
        assert_eq!(result(native("file-bench"), &here, None).await, expected, "{args:?}");
        assert_eq!(result(guest("file-bench"), &there, Some(host)).await, expected, "{args:?}");
        assert_eq!(result(module("file-bench"), &there, Some(host)).await, expected, "{args:?}");
    }
}
