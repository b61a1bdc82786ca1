//! E: artifacts, and the machine code that is made of them.
//!
//! What is about compiling too much (90 to 92) belongs to the process that compiles.

use std::{fs, time::Duration};

use wasi_sidecar::{
    ArtifactSource, Command, Component, Dir, Engine, EngineConfig, Limits, LoadOptions,
    ambient_authority,
};

use super::{
    place::Place,
    table::{On, Row, held, row},
    wasm::{self, ends_by_itself, load, refused, starting},
};
use crate::support::{engine, soon};

/// Changed copies of an artifact, and which of them are compiled and run as well.
const MUTATIONS: usize = 30_000;
const RUN: usize = 50;

const CACHE: &str = "runtime/src/cache/tests.rs";
const KILLED: &str = "cli/tests/cli/killed.rs";
const ISOLATED: &str = "runtime/tests/it/isolated.rs";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = what_is_none();
    rows.extend(broken());
    rows.extend(imports());
    rows.extend(compiled());
    rows.extend(cached());
    rows
}

fn what_is_none() -> Vec<Row> {
    let no = "refused: not WebAssembly";
    let rows: [(&str, &[u8], &str); 9] = [
        ("nothing", b"", no),
        ("text", b"hello\n", no),
        ("WebAssembly as text", b"(module)", no),
        ("a program of this system", b"\x7fELF\x02\x01\x01", no),
        ("a program of another system", b"MZ\x90\0", no),
        ("an archive", b"PK\x03\x04", no),
        ("a script", b"#!/bin/sh\n", no),
        ("machine code", b"\x7fELF\x02\x01\x01\xc9", no),
        ("a module that is no program", b"\0asm\x01\0\0\0", "refused: unsupported"),
    ];
    let row_of = |(what, bytes, expected): (&'static str, &'static [u8], &'static str)| {
        row(85, format!("{what} for an artifact"), expected, async move |_| loaded(bytes))
    };
    let mut rows: Vec<_> = rows.into_iter().map(row_of).collect();
    rows.push(row(85, "a directory for an artifact", no, async |place| from_file(&place, "other")));
    rows.push(row(85, "a file that is not there", "refused: not found", async |place| {
        from_file(&place, "missing.wasm")
    }));
    rows.push(
        row(
            85,
            "a link out of the folder of artifacts",
            "refused: input or output",
            async |place| from_file(&place, "straight"),
        )
        .on(On::Unix),
    );
    rows.push(row(85, "a file of 4 GiB", "refused: limit", async |place| {
        let file = fs::File::create(place.path("inside/large.wasm")).unwrap();
        file.set_len(4 << 30).unwrap();
        from_file(&place, "large.wasm")
    }));
    rows.push(held(
        85,
        "a FIFO for an artifact",
        "runtime/tests/it/loading.rs",
        "a_fifo_is_refused_without_waiting_for_a_writer",
    ));
    rows.push(row(
        85,
        "a name that leads out of the folder",
        "refused: input or output",
        async |place| from_file(&place, "../outside/secret"),
    ));
    rows
}

fn broken() -> Vec<Row> {
    let echo = || fs::read(wasi_sidecar_guests::module("echo").unwrap()).unwrap();
    vec![
        row(86, "a good component, cut at every place", "a refusal each", async |_| {
            let whole = small();
            let pin = load(&whole).unwrap().artifact().digest();
            for length in 0..whole.len() {
                let cut = &whole[..length];
                let told = match judged(cut).as_str() {
                    // Without the names at its end it is a component still, and another one.
                    "valid" => {
                        match Component::load(engine(), cut.to_vec(), LoadOptions::new().pin(pin)) {
                            Ok(_) => "loaded".into(),
                            Err(error) => refused(&error),
                        }
                    }
                    told => told.to_owned(),
                };
                if !told.starts_with("refused: ") && told != "invalid" {
                    return format!("{length} bytes: {told}");
                }
            }
            "a refusal each".into()
        }),
        row(
            86,
            format!("{MUTATIONS} mutations of a good component, and every {RUN}th run"),
            "a refusal or an end each, no panic",
            async |_| {
                let whole = small();
                let mut random = Random(0x5eed);
                let (mut refused, mut invalid, mut valid) = (0, 0, 0);
                for n in 0..MUTATIONS {
                    let mutant = random.mutate(&whole);
                    match judged(&mutant).as_str() {
                        "valid" => valid += 1,
                        "invalid" => invalid += 1,
                        _ => refused += 1,
                    }
                    if n % RUN == 0 {
                        // A change can make an endless loop of it.
                        let limits = Limits::new().time(Duration::from_millis(200));
                        wasm::ends_with(mutant, limits).await;
                    }
                }
                // Each of them is much of what there is: the mutations are neither all noise nor all harmless.
                match [refused, invalid, valid].iter().all(|part| *part > MUTATIONS / 50) {
                    true => "a refusal or an end each, no panic".into(),
                    false => format!("{refused} refused, {invalid} invalid, {valid} valid"),
                }
            },
        ),
        row(
            87,
            "an artifact that is cut and still whole, with a pin",
            "refused: digest",
            async move |_| {
                let whole = echo();
                let pin = load(&whole).unwrap().artifact().digest();
                match Component::load(
                    engine(),
                    whole[..whole.len() - 1].to_vec(),
                    LoadOptions::new().pin(pin),
                ) {
                    Ok(_) => "loaded".into(),
                    Err(error) => refused(&error),
                }
            },
        ),
        row(
            89,
            "function names of 90 KB with what steers a terminal, in a trap",
            "a short text, escaped",
            async |_| {
                let name = format!("x\\1b[2J<b>\\e2\\80\\ae{}", "y".repeat(90_000));
                let text = format!(
                    r#"(module (memory (export "memory") 1) (func (@name "{name}") (export "_start") unreachable))"#
                );
                let command =
                    Command::new(load(&wat::parse_str(text).unwrap()).unwrap()).output().await;
                let said = command.unwrap().status.to_string();
                short_and_escaped(&said)
            },
        ),
        row(89, "an import with such a name, in a refusal", "a short text, escaped", async |_| {
            let name = format!("x\\1b[2J\\e2\\80\\ae{}", "y".repeat(90_000));
            let text = format!(
                r#"(module (import "{name}" "f" (func)) (memory (export "memory") 1) (func (export "_start")))"#
            );
            match load(&wat::parse_str(text).unwrap()) {
                Ok(_) => "loaded".into(),
                Err(error) => short_and_escaped(&error.chain()),
            }
        }),
        row(
            98,
            "a file that is exchanged after it was loaded",
            "what was loaded runs",
            async |place| {
                let path = place.path("inside/guest.wasm");
                fs::write(&path, starting("(call $exit (i32.const 7))")).unwrap();
                // An engine of its own: this one would otherwise know the folder for good.
                let engine = Engine::new(&EngineConfig::new()).unwrap();
                let folder = Dir::open_ambient_dir(place.inside(), ambient_authority()).unwrap();
                let component = Component::load(
                    &engine,
                    ArtifactSource::file(&folder, "guest.wasm"),
                    LoadOptions::new(),
                )
                .unwrap();
                fs::write(&path, starting("(call $exit (i32.const 8))")).unwrap();
                match wasm::ends(&Command::new(component)).await.as_str() {
                    "exit 7" => "what was loaded runs".into(),
                    other => other.to_owned(),
                }
            },
        ),
        row(99, "other bytes under a name that is pinned", "refused: digest", async |_| {
            let pin = load(&starting("")).unwrap().artifact().digest();
            match Component::load(engine(), starting("(call $say)"), LoadOptions::new().pin(pin)) {
                Ok(_) => "loaded".into(),
                Err(error) => refused(&error),
            }
        }),
        held(
            101,
            "damage where a native fallback stands by",
            "runtime/tests/it/sidecar.rs",
            "the_backend_is_chosen_as_the_table_says",
        ),
    ]
}

fn short_and_escaped(text: &str) -> String {
    let steers =
        |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
    match (text.len() <= 4096, text.chars().any(steers)) {
        (true, false) => "a short text, escaped".into(),
        (short, _) => format!("short: {short}, escaped: no"),
    }
}

/// A component that says "ready", without what tells a person its names.
fn small() -> Vec<u8> {
    wasm::calling("")
}

/// What loading says of it, and then what its own validation does, which is what compiling begins with.
fn judged(wasm: &[u8]) -> String {
    match load(wasm) {
        Err(error) => refused(&error),
        Ok(_) => match wasmparser::Validator::new().validate_all(wasm) {
            Ok(_) => "valid".into(),
            Err(_) => "invalid".into(),
        },
    }
}

/// The same numbers in each run.
struct Random(u64);

impl Random {
    /// xorshift64.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn mutate(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 | 1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes[at] = self.below(256) as u8,
                3 => {
                    let end = (at + 1 + self.below(8)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let from = self.below(bytes.len());
                    let piece = bytes[from..(from + 1 + self.below(8)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

fn imports() -> Vec<Row> {
    let component = |text: &'static str| move || wat::parse_str(text).unwrap();
    let rows = [
        (
            "a component that imports what nobody has",
            Some("`evil:host/open`"),
            component(
                r#"(component (import "evil:host/open" (instance))
                (core module $m (func (export "run") (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func $run (result (result)) (canon lift (core func $i "run")))
                (instance $e (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $e)))"#,
            ),
        ),
        (
            "one that imports a version there is not",
            Some("`wasi:cli/stdin@9.0.0`"),
            component(
                r#"(component (import "wasi:cli/stdin@9.0.0" (instance))
                (core module $m (func (export "run") (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func $run (result (result)) (canon lift (core func $i "run")))
                (instance $e (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $e)))"#,
            ),
        ),
        ("one without a `run`", None, component("(component)")),
        (
            "one whose `run` is something else",
            None,
            component(
                r#"(component
                (core module $m (func (export "run") (param i32)))
                (core instance $i (instantiate $m))
                (func $run (param "x" u32) (canon lift (core func $i "run")))
                (instance $e (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $e)))"#,
            ),
        ),
        (
            "a module that imports what nobody has",
            Some("`env::system`"),
            component(
                r#"(module (import "env" "system" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
            ),
        ),
    ];
    let row_of = |what: &'static str, named: Option<&'static str>, wasm: Vec<u8>| match named {
        None => row(88, what, "refused: unsupported", async move |_| ends_by_itself(wasm).await),
        Some(name) => {
            let expected = format!("refused: unsupported, naming {name}");
            row(88, what, expected, async move |_| match load(&wasm) {
                Ok(_) => "loaded".into(),
                Err(error) => wasm::naming(&error, name),
            })
        }
    };
    rows.into_iter().map(|(what, named, wasm)| row_of(what, named, wasm())).collect()
}

fn compiled() -> Vec<Row> {
    let held = |case, what, test| held(case, what, ISOLATED, test);
    vec![
        held(
            90,
            "an artifact of 2 KB that takes gigabytes to compile",
            "a_bomb_of_memory_ends_in_its_own_process",
        ),
        held(
            90,
            "an artifact of 11 KB that takes minutes to compile",
            "a_bomb_of_time_ends_at_its_limit",
        ),
        held(
            90,
            "a signal ends the process that compiles",
            "a_child_that_dies_is_a_limit_and_harms_nobody",
        ),
        held(
            91,
            "a kill while it is compiled",
            "a_kill_while_compiling_returns_at_once_and_leaves_nothing",
        ),
        held(
            92,
            "a stranger's artifact that eight ask for at once",
            "eight_callers_share_one_child_that_holds_nothing_but_its_pipes",
        ),
    ]
}

fn cached() -> Vec<Row> {
    let held = |case, what, test| held(case, what, CACHE, test);
    vec![
        held(
            93,
            "machine code of another engine, machine or setting",
            "an_entry_under_another_name_is_no_entry",
        ),
        held(93, "machine code of another installation", "entries_of_another_key_are_rebuilt"),
        held(94, "an entry with one bit flipped, for each bit", "every_flipped_bit_is_noticed"),
        held(
            94,
            "an entry cut short, or longer than it was",
            "every_truncation_and_any_extension_is_noticed",
        ),
        held(
            94,
            "anything at all in the place of an entry",
            "whatever_lies_there_is_the_code_or_nothing",
        ),
        held(
            95,
            "a cache that cannot be written",
            "a_cache_that_cannot_be_written_only_costs_time",
        ),
        held(
            95,
            "a file where the cache should be",
            "a_file_where_the_directory_should_be_is_an_error_that_names_it",
        ),
        held(
            95,
            "a key that others can read",
            "a_key_that_others_can_read_or_that_is_cut_short_is_replaced",
        ),
        held(
            96,
            "eight owners who write and read at once",
            "racing_owners_read_whole_entries_or_none",
        ),
        super::table::held(
            96,
            "`kill -9` at 200 moments, while the cache and a guest's file are written",
            KILLED,
            "a_kill_at_any_moment_leaves_nothing_torn",
        ),
        super::table::held(
            96,
            "what killed processes have left half written",
            KILLED,
            "what_a_killed_process_has_not_finished_goes_with_the_time",
        ),
        held(97, "more entries than fit", "the_least_recently_used_entries_go_first"),
        row(
            92,
            "one artifact that eight ask for at once",
            "one compilation, eight guests",
            async |_| {
                let engine = Engine::new(&EngineConfig::new()).unwrap();
                let component =
                    Component::load(&engine, starting("(call $say)"), LoadOptions::new()).unwrap();
                let mut children: Vec<_> =
                    (0..8).map(|_| Command::new(component.clone()).spawn().unwrap()).collect();
                for child in &mut children {
                    if !soon(child.wait()).await.unwrap().success() {
                        return "one failed".into();
                    }
                }
                "one compilation, eight guests".into()
            },
        ),
    ]
}

fn loaded(bytes: &[u8]) -> String {
    match load(bytes) {
        Ok(_) => "loaded".into(),
        Err(error) => refused(&error),
    }
}

fn from_file(place: &Place, name: &str) -> String {
    let engine = Engine::new(&EngineConfig::new()).unwrap();
    let folder = Dir::open_ambient_dir(place.inside(), ambient_authority()).unwrap();
    match Component::load(&engine, ArtifactSource::file(&folder, name), LoadOptions::new()) {
        Ok(_) => "loaded".into(),
        Err(error) => refused(&error),
    }
}
