//! An initial directory moves relative paths, and never an absolute one.
//!
//! Every language runs the same operations with the same grants, and each path must reach what a rule of a few lines says: the
//! innermost grant whose name it begins with. A program that cannot tell the two kinds of path apart is refused.

use std::{fs, path::Path};

use serde_json::Value;
use wasi_sidecar::{Access, Command, Component, ErrorKind, Grants, ambient_authority};

use crate::support::{guest, holding, load, module, run, temporary, text};

use Access::{ReadOnly, ReadWrite};

/// What a program does about its initial directory.
#[derive(Clone, Copy, PartialEq)]
enum Follows {
    /// Nothing: its relative paths start in `/`.
    Nothing,
    /// It goes where `PWD` says.
    Pwd,
    /// It asks WASI.
    InitialCwd,
}

fn programs() -> Vec<(&'static str, Component, Follows)> {
    let other = |language: &str| {
        let path = wasi_sidecar_guests::language(language, "fs-probe");
        load(&path.unwrap_or_else(|error| panic!("{error}")))
    };
    vec![
        ("a component in Rust that asks", guest("fs-probe"), Follows::InitialCwd),
        ("a component in Rust", guest("word-count"), Follows::Nothing),
        ("a module in Rust", module("fs-probe"), Follows::Nothing),
        ("C", other("c"), Follows::Nothing),
        ("Go", other("go"), Follows::Pwd),
        ("JavaScript", other("js"), Follows::InitialCwd),
        ("Python", other("python"), Follows::InitialCwd),
    ]
}

/// Directories granted: on the host, as the guest has it, and how.
type Dirs = &'static [(&'static str, &'static str, Access)];

const CASES: &[(Dirs, &str)] = &[
    (&[("one", "/", ReadWrite)], "/"),
    (&[("one", "/", ReadOnly)], "/"),
    (&[("one", "/", ReadWrite)], "/sub"),
    (&[("one", "/d", ReadWrite)], "/d"),
    (&[("one", "/d", ReadOnly)], "/d"),
    (&[("one", "/d", ReadWrite)], "/d/sub"),
    (&[("one", "/", ReadOnly), ("two", "/data", ReadWrite)], "/data"),
    (&[("one", "/", ReadWrite), ("two", "/data", ReadOnly)], "/data/sub"),
    (&[("one", "/outer", ReadOnly), ("two", "/outer/inner", ReadWrite)], "/outer/inner"),
    (&[("one", "/outer", ReadWrite), ("two", "/outer/inner", ReadOnly)], "/outer"),
    // A relative path that begins like the name of another grant.
    (&[("one", "/d", ReadWrite), ("two", "/sub", ReadWrite)], "/d"),
];

const OPERATIONS: &[(&str, &str)] = &[
    ("read", "/f"),
    ("read", "f"),
    ("read", "./f"),
    ("read", "sub/f"),
    ("read", "/sub/f"),
    ("read", "/d/f"),
    ("read", "/data/f"),
    ("read", "/outer/inner/f"),
    ("write", "/new"),
    ("write", "fresh"),
    ("write", "/sub/new"),
    ("mkdir", "/made"),
    ("mkdir", "sub/made"),
    ("unlink", "/g"),
    ("unlink", "g"),
    ("unlink", "/sub/g"),
    ("unlink", "sub/h"),
    ("list", "/sub"),
    ("list", "sub"),
];

/// Two directories with the same names in them and other contents.
fn fill(place: &Path) {
    for directory in ["one", "one/sub", "two", "two/sub"] {
        fs::create_dir(place.join(directory)).unwrap();
    }
    for directory in ["one", "one/sub", "two", "two/sub"] {
        for name in ["f", "g", "h"] {
            fs::write(place.join(directory).join(name), format!("{directory}/{name}")).unwrap();
        }
    }
}

/// Where a path leads: on the host, and with which access.
fn reached(
    place: &Path,
    grants: Dirs,
    initial: &str,
    path: &str,
) -> Option<(std::path::PathBuf, Access)> {
    let path = Path::new(initial).join(path);
    let covers = grants.iter().filter(|(_, guest, _)| path.starts_with(guest));
    let (host, guest, access) = covers.max_by_key(|(_, guest, _)| guest.len())?;
    Some((place.join(host).join(path.strip_prefix(guest).unwrap()), *access))
}

/// Does by the rule what the guest is to do by itself; what it finds, or nothing if it is to fail.
fn done(place: &Path, grants: Dirs, initial: &str, operation: &str, path: &str) -> Option<Value> {
    let (path, access) = reached(place, grants, initial, path)?;
    if operation != "read" && operation != "list" && access == ReadOnly {
        return None;
    }
    match operation {
        "read" => fs::read_to_string(path).ok().map(Value::from),
        "write" => fs::write(path, "x").ok().map(|()| Value::from(1)),
        "mkdir" => fs::create_dir(path).ok().map(|()| Value::Null),
        "unlink" => fs::remove_file(path).ok().map(|()| Value::Null),
        "list" => {
            let names = fs::read_dir(path).ok()?;
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort();
            Some(names.into())
        }
        _ => unreachable!("{operation}"),
    }
}

fn snapshot(directory: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().into();
        if path.is_dir() {
            let inner = snapshot(&path).into_iter();
            found.extend(inner.map(|(inner, content)| (Path::new(&name).join(inner), content)));
            found.push((name, String::new()));
        } else {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn granted(place: &Path, grants: Dirs) -> Grants {
    grants.iter().fold(Grants::new(), |held, (host, guest, access)| {
        held.dir(place.join(host), *guest, *access, ambient_authority()).unwrap()
    })
}

#[tokio::test]
async fn each_path_reaches_what_it_names_in_every_language() {
    let mut ran = 0;
    for (language, program, follows) in programs() {
        program.compile().await.unwrap();
        for (grants, initial) in CASES {
            let what = format!("{language}, {grants:?}, starting in {initial}");
            let place = temporary();
            fill(place.path());
            let mut command = Command::new(program.clone());
            command.grants(granted(place.path(), grants)).current_dir(initial);
            let whole = grants.iter().any(|(_, guest, _)| *guest == "/");
            let refused = match follows {
                _ if *initial == "/" => None,
                Follows::Nothing => Some("grant the directory it should start in as `/`"),
                Follows::InitialCwd if whole => {
                    Some("grant that directory under a name of its own")
                }
                Follows::Pwd | Follows::InitialCwd => None,
            };
            if let Some(remedy) = refused {
                let error = command.spawn().expect_err(&what);
                assert_eq!(error.kind(), ErrorKind::Grant, "{what}: {error}");
                assert!(error.to_string().contains(remedy), "{what}: {error}");
                continue;
            }
            // No file operations of this kind.
            if language == "a component in Rust" {
                continue;
            }
            let script =
                OPERATIONS.iter().map(|(operation, path)| format!("{operation}\t{path}\tx\n"));
            let output = run(&command, script.collect::<String>().as_bytes()).await;
            let said = text(&output.stdout);
            let lines: Vec<Value> =
                said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines.len(), OPERATIONS.len(), "{what}: {said}{}", text(&output.stderr));

            let expected = temporary();
            fill(expected.path());
            for ((operation, path), line) in OPERATIONS.iter().zip(lines) {
                let due = done(expected.path(), grants, initial, operation, path);
                let found = (line["ok"] == true).then(|| line["value"].clone());
                assert_eq!(found, due, "{what}: {operation} {path}: {line}");
            }
            assert_eq!(snapshot(place.path()), snapshot(expected.path()), "{what}");
            ran += 1;
        }
    }
    // Two that start in `/` for each of the six, all others for Go, and those without `/` for the three that ask.
    assert_eq!(ran, 6 * 2 + 9 + 3 * 6);
}

/// What deleted files before: absolute paths that lie in no grant, with an initial directory that has these names.
#[tokio::test]
async fn an_absolute_path_outside_of_all_grants_reaches_nothing() {
    let place = temporary();
    fill(place.path());
    let mut command = Command::new(guest("fs-probe"));
    command.grants(granted(place.path(), &[("one", "/d", ReadWrite)])).current_dir("/d");
    let script = "remove-dir-all\t/sub\nrename\t/f\t/d/moved\nrename\t/d/f\t/moved\nlink\t/f\t/d/linked\n\
                  symlink\t/there\tf\ncopy\t/f\t/d/copied\ntruncate\t/f\nset-times\t/f\t1\nlist\t/\nstat\t//f\n\
                  stat\t/./f\nstat\t/d/../f\n";
    let before = snapshot(place.path());
    let said = text(&run(&command, script.as_bytes()).await.stdout);
    assert_eq!(said.lines().count(), 12, "{said}");
    assert!(!said.contains(r#""ok":true"#), "{said}");
    assert_eq!(snapshot(place.path()), before);
}

#[tokio::test]
async fn an_initial_directory_is_spelled_in_one_way() {
    let place = temporary();
    fs::create_dir(place.path().join("sub")).unwrap();
    fs::write(place.path().join("sub/inside"), "").unwrap();
    for spelled in ["/data/sub", "/data/sub/", "//data//sub", "/data/./sub"] {
        let mut command = Command::new(guest("cwd"));
        command.grants(holding(place.path(), ReadOnly)).current_dir(spelled);
        let said = text(&run(&command, b"").await.stdout);
        assert_eq!(said, "/data/sub\ninside\n", "{spelled}");
    }
    for spelled in ["/data/sub/../sub", "data/sub", "./data/sub", "", "/data\0", "/data/sub/inside"]
    {
        let mut command = Command::new(guest("cwd"));
        command.grants(holding(place.path(), ReadOnly)).current_dir(spelled);
        assert_eq!(command.spawn().expect_err(spelled).kind(), ErrorKind::Grant, "{spelled:?}");
    }
}

#[tokio::test]
async fn pwd_is_the_initial_directory_and_nothing_else() {
    let place = temporary();
    fs::create_dir(place.path().join("sub")).unwrap();
    let path = wasi_sidecar_guests::language("go", "fs-probe").unwrap();
    let mut command = Command::new(load(&path));
    // The host's own is another directory.
    let held = holding(place.path(), ReadWrite).env("PWD").unwrap();
    command.args(["write", "f", "x"]).grants(held).current_dir("/data/sub");
    assert!(text(&run(&command, b"").await.stdout).contains(r#""ok":true"#));
    assert!(place.path().join("sub/f").exists());

    command.env("PWD", "/data/sub").spawn().expect("they agree");
    let error = command.env("PWD", "/data").spawn().expect_err("they do not");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("leave out one of them"), "{error}");
}

/// What cannot be told an initial directory can be told by the entry that it looks for.
#[tokio::test]
async fn a_module_goes_where_pwd_says_if_it_looks() {
    let place = temporary();
    fs::create_dir(place.path().join("sub")).unwrap();
    fs::write(place.path().join("sub/inside"), "").unwrap();
    let mut command = Command::new(module("cwd"));
    command.grants(holding(place.path(), ReadOnly)).env("PWD", "/data/sub");
    assert_eq!(text(&run(&command, b"").await.stdout), "/data/sub\ninside\n");
}
