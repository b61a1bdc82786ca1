//! The contract: what a program does, and what is seen of it, whichever way it runs.
//!
//! Each row runs as native program, as WASI 0.2 component and as preview1 module, all built from the same
//! source. The native program has to do what the row says, and the others what the native program does.

use wasi_sidecar::{Access, Command, Program};

use crate::support::{guest, holding, module, native, run, temporary, text};

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
    /// Another text of each kind of program, such as a crash message.
    Anything,
}

/// What is seen of a program that ran.
#[derive(PartialEq)]
struct Transcript {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    code: Option<i32>,
    signal: Option<i32>,
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
    /// Another text around it on each platform.
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

/// Runs the row's program in a directory of its own.
async fn transcript(program: impl Into<Program>, row: &Row) -> Transcript {
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
        command.grants(holding(place.path(), Access::ReadWrite));
    }
    let stdin = match std::str::from_utf8(&row.stdin) {
        Ok(text) if text.contains("{data}") => text.replace("{data}", data).into_bytes(),
        _ => row.stdin.clone(),
    };
    let output = run(&command, &stdin).await;
    // The two names of the directory, and what each system calls an error, are the only differences allowed.
    let plain = |bytes: Vec<u8>| match row.files.is_empty() {
        true => bytes,
        false => without_details(&text(&bytes).replace(&host, "/data")).into_bytes(),
    };
    Transcript {
        stdout: plain(output.stdout),
        stderr: plain(output.stderr),
        code: output.status.code(),
        signal: output.status.signal(),
    }
}

/// Takes the system's own text of an error out of what `fs-probe` says; its name stays.
fn without_details(said: &str) -> String {
    let line = |line: &str| match line.split_once(r#","detail":"#) {
        Some((before, _)) => format!("{before}}}\n"),
        None => line.to_owned(),
    };
    said.split_inclusive('\n').map(line).collect()
}

/// The native program does what the row says.
async fn check_native(row: Row) {
    let found = transcript(native(row.guest), &row).await;
    let ended = (found.code, found.signal);
    // Windows has no signals; a program that aborts has a code of the system's.
    if cfg!(windows) && row.signal.is_some() {
        assert!(found.code.is_some_and(|code| code != 0), "{ended:?}");
    } else {
        assert_eq!(ended, (row.code, row.signal), "stderr: {}", text(&found.stderr));
    }
    for (name, found, expected) in
        [("stdout", found.stdout, row.stdout), ("stderr", found.stderr, row.stderr)]
    {
        match expected {
            Expected::Exactly(expected) => same(name, &found, &expected),
            Expected::Containing(part) => {
                let text = text(&found);
                assert!(text.contains(part), "{name} does not contain {part:?}: {text:?}");
            }
            Expected::Anything => {}
        }
    }
}

/// The guest does what the native program does.
async fn check_guest(program: impl Into<Program>, row: Row) {
    let found = transcript(program, &row).await;
    let fallback = transcript(native(row.guest), &row).await;
    if cfg!(windows) && row.signal.is_some() {
        assert_eq!((found.code, found.signal), (row.code, row.signal));
    } else {
        let ended = (found.code, found.signal);
        assert_eq!(ended, (fallback.code, fallback.signal), "stderr: {}", text(&found.stderr));
    }
    same("stdout", &found.stdout, &fallback.stdout);
    match row.stderr {
        Expected::Exactly(_) => same("stderr", &found.stderr, &fallback.stderr),
        Expected::Containing(part) => assert!(text(&found.stderr).contains(part)),
        Expected::Anything => {}
    }
}

#[track_caller]
fn same(name: &str, found: &[u8], expected: &[u8]) {
    if found.len().max(expected.len()) < 2000 {
        assert_eq!(text(found), text(expected), "{name}");
    }
    let (length, wanted) = (found.len(), expected.len());
    assert!(found == expected, "{name}: {length} bytes, other than the expected {wanted}");
}

/// Makes three tests of each row.
macro_rules! contract {
    ($($name:ident: $row:expr;)*) => {
        /// How many rows there are; the contract is not to shrink unnoticed.
        const ROWS: usize = [$(stringify!($name)),*].len();
        mod native_ {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                check_native($row).await;
            })*
        }
        mod component {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let row = $row;
                check_guest(guest(row.guest), row).await;
            })*
        }
        mod module_ {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                let row = $row;
                check_guest(module(row.guest), row).await;
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

/// What `lines` writes.
fn numbered(count: usize, width: usize) -> String {
    (1..=count).map(|n| format!("{:.<1$}\n", format!("line {n} "), width - 1)).collect()
}

/// What `interleave` writes to one of the two.
fn in_turn(stream: &str, count: usize) -> String {
    (1..=count).map(|n| format!("{stream} {n}\n")).collect()
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
    echo_in_large_blocks: row("echo").args(["65536"]).stdin(noise(1 << 20)).stdout(noise(1 << 20));
    echo_byte_by_byte: row("echo").args(["1"]).stdin("a\r\nb").stdout("a\r\nb");
    echo_in_no_blocks: row("echo").args(["0"]).code(1);
    copy_nothing: row("bulk").args(["copy"]);
    copy_a_line: row("bulk").args(["copy"]).stdin("hello\n").stdout("hello\n");
    copy_one_pipe_full: row("bulk").args(["copy"]).stdin(noise(65_536)).stdout(noise(65_536));
    copy_one_byte_more: row("bulk").args(["copy"]).stdin(noise(65_537)).stdout(noise(65_537));
    copy_a_megabyte: row("bulk").args(["copy"]).stdin(noise(1 << 20)).stdout(noise(1 << 20));
    write_in_large_pieces: row("bulk").args(["write", "1000000", "65536"]).stdout(alphabet(1_000_000));
    write_in_pieces_larger_than_a_pipe: row("bulk").args(["write", "1000000", "300000"]).stdout(alphabet(1_000_000));
    write_bytes: row("bulk").args(["write", "30", "1"]).stdout(alphabet(30));
    write_what_is_no_number: row("bulk").args(["write", "much", "1"]).stderr("usage: bulk write BYTES CHUNK | bulk copy\n").code(2);
    upper_lines: row("upper").stdin("one\ntwo\n").stdout("ONE\nTWO\n");
    upper_an_unfinished_line: row("upper").stdin("one\ntwo").stdout("ONE\nTWO");
    upper_leaves_other_letters: row("upper").stdin("straße ΑΒΓ é\n").stdout("STRAßE ΑΒΓ é\n");
    upper_nothing: row("upper");
    count_nothing: row("stdin-count").stdout("bytes=0 lines=0\n");
    count_lines: row("stdin-count").stdin("a\nb\nc").stdout("bytes=5 lines=2\n");
    count_a_megabyte: row("stdin-count").stdin(vec![b'\n'; 1 << 20]).stdout("bytes=1048576 lines=1048576\n");
    read_slowly: row("slow-reader").args(["4", "1"]).stdin("0123456789").stdout("read 10\n");
    read_slowly_more_than_a_pipe: row("slow-reader").args(["50000", "1"]).stdin(noise(200_000)).stdout("read 200000\n");

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
    flood_both: row("flood").args(["both", "300000"]).stdout(alphabet(300_000)).stderr(alphabet(300_000));
    lines_none: row("lines").args(["0"]);
    lines_one: row("lines").args(["1", "20"]).stdout(numbered(1, 20));
    lines_each_by_itself: row("lines").args(["100", "20", "--each"]).stdout(numbered(100, 20));
    lines_on_stderr: row("lines").args(["10", "20", "stderr"]).stderr(numbered(10, 20));
    a_big_line: row("big-line").args(["300000"]).stdout("x".repeat(300_000));
    a_big_line_with_its_end: row("big-line").args(["300000", "--newline"]).stdout(format!("{}\n", "x".repeat(300_000)));
    both_streams_in_turn: row("interleave").args(["100"]).stdout(in_turn("out", 100)).stderr(in_turn("err", 100));
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
    stat_a_file: row("fs-probe").file("a", "12345").args(["stat", "{data}/a"]).stdout_has(r#""value":{"kind":"file","size":5}"#);
    list_a_directory: row("fs-probe").file("b", "").file("a", "").args(["list", "{data}"]).stdout_has(r#""value":["a","b"]"#);
    write_and_read_back: row("fs-probe").file("a", "").stdin("write\t{data}/new\thello\nread\t{data}/new\n").stdout_has("hello");
    append_to_a_file: row("fs-probe").file("a", "one").stdin("append\t{data}/a\ttwo\nread\t{data}/a\n").stdout_has("onetwo");
    rename_a_file: row("fs-probe").file("a", "x").stdin("rename\t{data}/a\t{data}/b\nread\t{data}/b\nread\t{data}/a\n").stdout_has("not-found");
    make_a_directory: row("fs-probe").file("a", "").stdin("mkdir\t{data}/d\nlist\t{data}\n").stdout_has(r#""value":["a","d"]"#);
    make_a_directory_twice: row("fs-probe").file("a", "").stdin("mkdir\t{data}/d\nmkdir\t{data}/d\n").stdout_has("already-exists");
    remove_a_file: row("fs-probe").file("a", "").stdin("unlink\t{data}/a\nstat\t{data}/a\n").stdout_has("not-found");
    remove_a_full_directory: row("fs-probe").file("a", "").stdin("mkdir\t{data}/d\ncreate\t{data}/d/f\nrmdir\t{data}/d\n").stdout_has("directory-not-empty");
    link_a_file: row("fs-probe").file("a", "same").stdin("link\t{data}/a\t{data}/b\nread\t{data}/b\n").stdout_has("same");
    link_by_name: row("fs-probe").file("a", "same").stdin("symlink\t{data}/s\ta\nread\t{data}/s\n").stdout_has("same");

    // Real ones.
    markdown_from_input: row("markdown").stdin("# Title\n\nsome *text*\n").stdout("<h1>Title</h1>\n<p>some <em>text</em></p>\n");
    markdown_of_nothing: row("markdown");
    markdown_of_a_directory: row("markdown").file("a.md", "*a*").file("b.md", "b").args(["{data}"]).stdout_has("<p><em>a</em></p>");
    ask_a_database: row("sqlite").stdout("67 rows, 225589, number 98, 50.25\n");
    name_a_database: row("sqlite").args(["--hello"]).stdout_has("3.");
    count_words: row("word-count").file("a.txt", "one two\nthree").args(["{data}"]).stdout_has(r#""words":3"#);
    count_words_of_two_files: row("word-count").file("a", "one").file("b", "two three").args(["{data}"]).stdout_has(
        r#"{"total":{"files":2,"words":3,"lines":2,"bytes":12,"skipped":0}}"#,
    );
}
