//! The contract: what a program does, and what is seen of it, whichever way it runs.
//!
//! Each row runs as WASI 0.2 component, as preview1 module and as native program, all built from the same
//! source, and has to give the expected transcript every time.

use wasi_sidecar::{Access, Command, Program};

use crate::support::{self, guest, holding, module, native, temporary};

/// A program, what it is given, and what it must do.
struct Row {
    guest: &'static str,
    args: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
    stdin: Vec<u8>,
    /// Files in the directory it holds, which stands for `{data}` in arguments and input.
    files: Vec<(&'static str, &'static str)>,
    stdout: Expected,
    stderr: Expected,
    code: Option<i32>,
    signal: Option<i32>,
}

enum Expected {
    Exactly(Vec<u8>),
    Containing(&'static str),
    /// Another text on each platform, such as a crash message.
    Anything,
}

fn row(guest: &'static str) -> Row {
    Row {
        guest,
        args: Vec::new(),
        env: Vec::new(),
        stdin: Vec::new(),
        files: Vec::new(),
        stdout: Expected::Exactly(Vec::new()),
        stderr: Expected::Exactly(Vec::new()),
        code: Some(0),
        signal: None,
    }
}

impl Row {
    fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }
    fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }
    fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }
    fn file(mut self, name: &'static str, content: &'static str) -> Self {
        self.files.push((name, content));
        self
    }
    fn stdout(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdout = Expected::Exactly(bytes.into());
        self
    }
    fn stdout_has(mut self, part: &'static str) -> Self {
        self.stdout = Expected::Containing(part);
        self
    }
    fn stderr(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stderr = Expected::Exactly(bytes.into());
        self
    }
    fn stderr_has(mut self, part: &'static str) -> Self {
        self.stderr = Expected::Containing(part);
        self
    }
    fn any_stderr(mut self) -> Self {
        self.stderr = Expected::Anything;
        self
    }
    fn code(mut self, code: i32) -> Self {
        self.code = Some(code);
        self
    }
    /// Aborts: a trap of a component, SIGABRT of a process.
    fn aborts(mut self) -> Self {
        (self.code, self.signal) = (None, Some(6));
        self
    }
}

async fn check(program: impl Into<Program>, row: Row) {
    let program = program.into();
    let is_native = matches!(program, Program::Native(_));
    let place = temporary();
    for (name, content) in &row.files {
        std::fs::write(place.path().join(name), content).unwrap();
    }
    let host = place.path().to_str().unwrap().to_owned();
    let data = if is_native { host.as_str() } else { "/data" };

    let mut command = Command::new(program);
    command.args(row.args.iter().map(|arg| arg.replace("{data}", data)));
    command.envs(row.env.iter().copied());
    if !row.files.is_empty() {
        command.capabilities(holding(place.path(), Access::ReadWrite));
    }
    let stdin = match std::str::from_utf8(&row.stdin) {
        Ok(text) if text.contains("{data}") => text.replace("{data}", data).into_bytes(),
        _ => row.stdin,
    };
    let output = support::run(&command, &stdin).await;

    let ended = (output.status.code(), output.status.signal());
    assert_eq!(
        ended,
        (row.code, row.signal),
        "{}, stderr: {}",
        output.status,
        support::text(&output.stderr)
    );
    for (name, found, expected) in
        [("stdout", output.stdout, row.stdout), ("stderr", output.stderr, row.stderr)]
    {
        let found = if is_native && !row.files.is_empty() {
            support::text(&found).replace(&host, "/data").into_bytes()
        } else {
            found
        };
        match expected {
            Expected::Exactly(expected) if expected.len() < 2000 => {
                assert_eq!(support::text(&found), support::text(&expected), "{name}");
            }
            Expected::Exactly(expected) => {
                assert!(
                    found == expected,
                    "{name}: {} bytes, expected {}",
                    found.len(),
                    expected.len()
                );
            }
            Expected::Containing(part) => {
                let text = support::text(&found);
                assert!(text.contains(part), "{name} does not contain {part:?}: {text:?}");
            }
            Expected::Anything => {}
        }
    }
}

/// Makes three tests of each row.
macro_rules! contract {
    ($($name:ident: $row:expr;)*) => {
        /// How many rows there are; the contract is not to shrink unnoticed.
        const ROWS: usize = [$(stringify!($name)),*].len();
        mod component {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let row = $row;
                check(guest(row.guest), row).await;
            })*
        }
        mod module_ {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let row = $row;
                check(module(row.guest), row).await;
            })*
        }
        mod native_ {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let row = $row;
                check(native(row.guest), row).await;
            })*
        }
    };
}

/// It does not compile with fewer.
const _: () = assert!(ROWS >= 90);

/// Bytes without a pattern that a lost or repeated chunk could hide in.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(length)
    .collect()
}

/// What `flood` writes.
fn alphabet(length: usize) -> Vec<u8> {
    (0..length).map(|i| b'a' + (i % 26) as u8).collect()
}

contract! {
    // Input to output.
    echo_nothing: row("echo");
    echo_a_line: row("echo").stdin("hello\n").stdout("hello\n");
    echo_without_a_newline: row("echo").stdin("hello").stdout("hello");
    echo_only_newlines: row("echo").stdin("\n\n\n").stdout("\n\n\n");
    echo_carriage_returns: row("echo").stdin("a\r\nb\rc").stdout("a\r\nb\rc");
    echo_a_nul: row("echo").stdin("a\0b\0").stdout("a\0b\0");
    echo_all_bytes: row("echo").stdin((0..=255).collect::<Vec<u8>>()).stdout((0..=255).collect::<Vec<u8>>());
    echo_what_is_not_utf8: row("echo").stdin(*b"\xff\xfe\x80").stdout(*b"\xff\xfe\x80");
    echo_one_pipe_full: row("echo").stdin(noise(65_536)).stdout(noise(65_536));
    echo_one_byte_more: row("echo").stdin(noise(65_537)).stdout(noise(65_537));
    echo_a_megabyte: row("echo").stdin(noise(1 << 20)).stdout(noise(1 << 20));
    upper_lines: row("upper").stdin("one\ntwo\n").stdout("ONE\nTWO\n");
    upper_an_unfinished_line: row("upper").stdin("one\ntwo").stdout("ONE\nTWO");
    upper_leaves_other_letters: row("upper").stdin("straße ΑΒΓ é\n").stdout("STRAßE ΑΒΓ é\n");
    upper_nothing: row("upper");
    count_nothing: row("stdin-count").stdout("bytes=0 lines=0\n");
    count_lines: row("stdin-count").stdin("a\nb\nc").stdout("bytes=5 lines=2\n");
    count_a_megabyte: row("stdin-count").stdin(vec![b'\n'; 1 << 20]).stdout("bytes=1048576 lines=1048576\n");
    read_slowly: row("slow-reader").args(["4", "1"]).stdin("0123456789").stdout_has("10");
    read_slowly_more_than_a_pipe: row("slow-reader").args(["50000", "1"]).stdin(noise(200_000)).stdout_has("200000");

    // Arguments.
    args_none: row("args");
    args_one: row("args").args(["one"]).stdout("one\n");
    args_in_order: row("args").args(["c", "a", "b"]).stdout("c\na\nb\n");
    args_empty: row("args").args(["", "x", ""]).stdout("\nx\n\n");
    args_with_spaces: row("args").args(["a b", " ", "\t"]).stdout("a b\n \n\t\n");
    args_with_quotes: row("args").args(["\"a\"", "'b'", "\\", "$HOME", "%PATH%"]).stdout("\"a\"\n'b'\n\\\n$HOME\n%PATH%\n");
    args_that_look_like_options: row("args").args(["--help", "-v", "--"]).stdout("--help\n-v\n--\n");
    args_in_unicode: row("args").args(["grüße", "日本", "🦀"]).stdout("grüße\n日本\n🦀\n");
    args_with_a_newline: row("args").args(["a\nb"]).stdout("a\nb\n");
    args_many: row("args").args((0..1000).map(|n| n.to_string())).stdout((0..1000).map(|n| format!("{n}\n")).collect::<String>());
    args_long: row("args").args(["x".repeat(100_000)]).stdout(format!("{}\n", "x".repeat(100_000)));

    // Environment.
    env_is_empty: row("env");
    env_one: row("env").env("NAME", "value").stdout("NAME=value\n");
    env_sorted: row("env").env("B", "2").env("A", "1").stdout("A=1\nB=2\n");
    env_empty_value: row("env").env("EMPTY", "").stdout("EMPTY=\n");
    env_value_with_equals: row("env").env("EXPR", "a=b=c").stdout("EXPR=a=b=c\n");
    env_in_unicode: row("env").env("GRUSS", "schöne Grüße").stdout("GRUSS=schöne Grüße\n");
    env_set_twice: row("env").env("A", "first").env("A", "second").stdout("A=second\n");
    env_by_name: row("env").args(["A", "MISSING"]).env("A", "1").env("B", "2").stdout("A=1\nMISSING is not set\n");
    env_does_not_leak: row("env").args(["PATH", "HOME", "USER"]).stdout("PATH is not set\nHOME is not set\nUSER is not set\n");

    // Exit codes.
    exit_0: row("exit").args(["0"]);
    exit_1: row("exit").args(["1"]).code(1);
    exit_2: row("exit").args(["2"]).code(2);
    exit_42: row("exit").args(["42"]).code(42);
    exit_125: row("exit").args(["125"]).code(125);
    exit_126: row("exit").args(["126"]).code(126);
    exit_127: row("exit").args(["127"]).code(127);
    exit_128: row("exit").args(["128"]).code(128);
    exit_254: row("exit").args(["254"]).code(254);
    exit_255: row("exit").args(["255"]).code(255);
    exit_after_output: row("exit").args(["3", "out", "err"]).stdout("out").stderr("err").code(3);
    exit_0_after_output: row("exit").args(["0", "out", "err"]).stdout("out").stderr("err");

    // Faults.
    abort: row("trap").aborts().any_stderr();
    abort_after_output: row("trap").args(["said before"]).stdout("said before").aborts().any_stderr();
    panic: row("trap").args(["--panic", "a message"]).aborts().stderr_has("a message");
    endless_recursion: row("trap").args(["--recursion"]).aborts().any_stderr();

    // Output.
    flood_nothing: row("flood").args(["stdout", "0"]);
    flood_a_byte: row("flood").args(["stdout", "1"]).stdout("a");
    flood_a_page: row("flood").args(["stdout", "4096"]).stdout(alphabet(4096));
    flood_one_pipe_full: row("flood").args(["stdout", "65536"]).stdout(alphabet(65_536));
    flood_a_million: row("flood").args(["stdout", "1000000"]).stdout(alphabet(1_000_000));
    flood_byte_by_byte: row("flood").args(["stdout", "5000", "1"]).stdout(alphabet(5000));
    flood_in_large_writes: row("flood").args(["stdout", "1000000", "300000"]).stdout(alphabet(1_000_000));
    flood_stderr: row("flood").args(["stderr", "300000"]).stderr(alphabet(300_000));
    flood_both: row("flood").args(["both", "300000"]).any_stderr().stdout_has("abcdef");
    lines_none: row("lines").args(["0"]);
    lines_one: row("lines").args(["1", "20"]).stdout_has("1");
    lines_each_by_itself: row("lines").args(["100", "20", "--each"]).stdout_has("\n");
    lines_on_stderr: row("lines").args(["10", "20", "stderr"]).stderr_has("\n");
    a_big_line: row("big-line").args(["300000"]).stdout_has("");
    a_big_line_with_its_end: row("big-line").args(["300000", "--newline"]).stdout_has("\n");
    both_streams_in_turn: row("interleave").args(["100"]).stdout_has("\n").stderr_has("\n");
    stdout_closed_early: row("stdio-close").stdin("x").stdout("a\n").stderr("b\n").code(3);

    // Time and chance.
    sleep_not_at_all: row("sleep").args(["0"]).stdout("sleeping\nawake\n");
    sleep_a_little: row("sleep").args(["30"]).stdout("sleeping\nawake\n");
    clocks_and_random_numbers: row("clock-random").stdout("monotonic ok\nwall ok\nrandom ok\n");
    memory_within_the_limit: row("memory-hog").args(["3"]).stdout("held 1 MiB\nheld 2 MiB\nheld 3 MiB\n");

    // Files.
    read_a_file: row("fs-probe").file("a.txt", "content").args(["read", "{data}/a.txt"]).stdout_has(r#""ok":true"#);
    read_what_is_there: row("fs-probe").file("a.txt", "content").args(["read", "{data}/a.txt"]).stdout_has("content");
    read_a_missing_file: row("fs-probe").file("a", "").args(["read", "{data}/b"]).stdout_has("not-found");
    open_a_file: row("fs-probe").file("a", "").args(["open", "{data}/a"]).stdout_has(r#""ok":true"#);
    stat_a_file: row("fs-probe").file("a", "12345").args(["stat", "{data}/a"]).stdout_has("5");
    list_a_directory: row("fs-probe").file("b", "").file("a", "").args(["list", "{data}"]).stdout_has("a");
    write_and_read_back: row("fs-probe").file("a", "").stdin("write\t{data}/new\thello\nread\t{data}/new\n").stdout_has("hello");
    append_to_a_file: row("fs-probe").file("a", "one").stdin("append\t{data}/a\ttwo\nread\t{data}/a\n").stdout_has("onetwo");
    rename_a_file: row("fs-probe").file("a", "x").stdin("rename\t{data}/a\t{data}/b\nread\t{data}/b\nread\t{data}/a\n").stdout_has("not-found");
    make_a_directory: row("fs-probe").file("a", "").stdin("mkdir\t{data}/d\nlist\t{data}\n").stdout_has("d");
    make_a_directory_twice: row("fs-probe").file("a", "").stdin("mkdir\t{data}/d\nmkdir\t{data}/d\n").stdout_has("already-exists");
    remove_a_file: row("fs-probe").file("a", "").stdin("unlink\t{data}/a\nstat\t{data}/a\n").stdout_has("not-found");
    remove_a_full_directory: row("fs-probe").file("a", "").stdin("mkdir\t{data}/d\ncreate\t{data}/d/f\nrmdir\t{data}/d\n").stdout_has("directory-not-empty");
    link_a_file: row("fs-probe").file("a", "same").stdin("link\t{data}/a\t{data}/b\nread\t{data}/b\n").stdout_has("same");
    link_by_name: row("fs-probe").file("a", "same").stdin("symlink\t{data}/s\ta\nread\t{data}/s\n").stdout_has("same");

    // Real ones.
    markdown_from_input: row("markdown").stdin("# Title\n\nsome *text*\n").stdout("<h1>Title</h1>\n<p>some <em>text</em></p>\n");
    markdown_of_nothing: row("markdown");
    markdown_of_a_directory: row("markdown").file("a.md", "*a*").file("b.md", "b").args(["{data}"]).stdout_has("<p><em>a</em></p>");
    count_words: row("word-count").file("a.txt", "one two\nthree").args(["{data}"]).stdout_has(r#""words":3"#);
    count_words_of_two_files: row("word-count").file("a", "one").file("b", "two three").args(["{data}"]).stdout_has(r#""total""#);
}
