//! Paths: whatever a guest names and does to it, nothing outside of its directory changes, and nothing of it is read.
//!
//! Paths are made of tokens, as cap-std's own fuzzing does it: random bytes would be the names of files that are not
//! there, and it is `..`, links and what is made of them in several steps that could lead out. The guest is `fs-probe`,
//! which takes a script of operations.
#![no_main]
#![expect(
    clippy::disallowed_methods,
    reason = "the place for the guest is prepared and looked at from outside"
)]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;
use wasi_sidecar::{
    Access, Command, Component, Engine, EngineConfig, Grants, LoadOptions, ambient_authority,
};

#[derive(Arbitrary, Debug)]
struct Script {
    read_only: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
struct Step {
    operation: Operation,
    path: Vec<Token>,
    second: Vec<Token>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Token {
    /// The granted directory, by the guest's name of it.
    Data,
    Slash,
    Dot,
    DotDot,
    /// A directory, a file and a name that is free, all inside.
    Directory,
    File,
    Free,
    /// Links out of the directory, by a relative and an absolute path; they were not made by the guest.
    LinkOut,
    LinkAbsolute,
    /// Names of what lies outside, and the absolute path of it on the host.
    Outside,
    Secret,
    HostPath,
    Proc,
    Backslash,
    Colon,
    Space,
    Unicode,
    Long,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Operation {
    Open,
    Read,
    List,
    Stat,
    Lstat,
    Readlink,
    Create,
    Write,
    Append,
    Overwrite,
    OpenWrite,
    Truncate,
    SetSize,
    SetTimes,
    Rename,
    Link,
    Copy,
    Symlink,
    Mkdir,
    CreateDirAll,
    Rmdir,
    Unlink,
    RemoveDirAll,
}

/// In the file outside, and nowhere else.
const SECRET: &str = "5ec7e7-0u751de";
/// A script is a few steps: each is a search of its own, and a long one would only hide which step it was.
const STEPS: usize = 12;
const TOKENS: usize = 12;
/// Far beyond what a script takes, so that it only tells slow from never.
const NEVER: Duration = Duration::from_secs(100);

struct Host {
    runtime: Runtime,
    probe: Component,
}

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let engine = Engine::new(&EngineConfig::new()).expect("an engine");
    let guest = wasi_sidecar_guests::component("fs-probe").unwrap_or_else(|e| panic!("{e}"));
    let probe = Component::load(&engine, fs::read(guest).expect("the guest"), LoadOptions::new())
        .expect("a component");
    Host { runtime: runtime.expect("a runtime"), probe }
});

fuzz_target!(|script: Script| {
    let place = place();
    let root = place.path();
    let before = snapshot(&root.join("outside"));
    let inside = snapshot(&root.join("granted"));
    let said = HOST.runtime.block_on(run(&script, root));
    assert!(!said.contains(SECRET), "the guest has read what lies outside:\n{said}");
    assert!(snapshot(&root.join("outside")) == before, "outside is not as it was:\n{said}");
    if script.read_only {
        assert!(
            snapshot(&root.join("granted")) == inside,
            "a read-only directory changed:\n{said}"
        );
    }
    let mut names: Vec<_> = fs::read_dir(root).expect("the place").flatten().collect();
    names.retain(|entry| !["granted", "outside"].iter().any(|name| entry.file_name() == *name));
    assert!(names.is_empty(), "there is something new beside the directory: {names:?}\n{said}");
});

/// A directory to grant, one beside it, and links from the first to the second.
fn place() -> TempDir {
    let make = || -> std::io::Result<TempDir> {
        let place = tempfile::tempdir()?;
        let (granted, outside) = (place.path().join("granted"), place.path().join("outside"));
        fs::create_dir_all(granted.join("directory"))?;
        fs::create_dir(&outside)?;
        fs::write(granted.join("file"), "inside")?;
        fs::write(outside.join("secret"), SECRET)?;
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../outside", granted.join("out"))?;
            std::os::unix::fs::symlink(&outside, granted.join("absolute"))?;
        }
        Ok(place)
    };
    make().expect("a place for the guest")
}

/// Runs the script in a guest, and returns what it says.
async fn run(script: &Script, root: &Path) -> String {
    let access = if script.read_only { Access::ReadOnly } else { Access::ReadWrite };
    let held = Grants::new().dir(root.join("granted"), "/data", access, ambient_authority());
    let mut command = Command::new(HOST.probe.clone());
    command.grants(held.expect("a grant"));
    let mut child = command.spawn().expect("a guest");
    let mut input = String::new();
    for step in script.steps.iter().take(STEPS) {
        let (path, second) = (spelled(&step.path, root), spelled(&step.second, root));
        // Numbers, where an operation wants one.
        let second = match step.operation {
            Operation::SetSize | Operation::SetTimes => step.second.len().to_string(),
            _ => second,
        };
        input += &format!("{}\t{path}\t{second}\n", name(step.operation));
    }
    let mut stdin = child.stdin.take().expect("a pipe");
    let feed = async {
        // A guest that traps does not read to the end.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
    };
    let both = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(NEVER, both).await.expect("the guest ends").expect("output");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

fn spelled(tokens: &[Token], root: &Path) -> String {
    let host = root.join("outside").to_string_lossy().into_owned();
    let long = "l".repeat(300);
    let spell = |token: &Token| match token {
        Token::Data => "/data",
        Token::Slash => "/",
        Token::Dot => ".",
        Token::DotDot => "..",
        Token::Directory => "directory",
        Token::File => "file",
        Token::Free => "free",
        Token::LinkOut => "out",
        Token::LinkAbsolute => "absolute",
        Token::Outside => "outside",
        Token::Secret => "secret",
        Token::HostPath => &host,
        Token::Proc => "/proc/self/root",
        Token::Backslash => "\\",
        Token::Colon => ":",
        Token::Space => " ",
        Token::Unicode => "ü\u{2215}\u{202e}",
        Token::Long => &long,
    };
    tokens.iter().take(TOKENS).map(spell).collect()
}

fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Open => "open",
        Operation::Read => "read",
        Operation::List => "list",
        Operation::Stat => "stat",
        Operation::Lstat => "lstat",
        Operation::Readlink => "readlink",
        Operation::Create => "create",
        Operation::Write => "write",
        Operation::Append => "append",
        Operation::Overwrite => "overwrite",
        Operation::OpenWrite => "open-write",
        Operation::Truncate => "truncate",
        Operation::SetSize => "set-size",
        Operation::SetTimes => "set-times",
        Operation::Rename => "rename",
        Operation::Link => "link",
        Operation::Copy => "copy",
        Operation::Symlink => "symlink",
        Operation::Mkdir => "mkdir",
        Operation::CreateDirAll => "create-dir-all",
        Operation::Rmdir => "rmdir",
        Operation::Unlink => "unlink",
        Operation::RemoveDirAll => "remove-dir-all",
    }
}

/// Names, contents and times of everything below a directory; links as what they say.
fn snapshot(directory: &Path) -> Vec<(String, Vec<u8>, SystemTime)> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let metadata = fs::symlink_metadata(&folder).expect("a folder");
        found.push((
            folder.to_string_lossy().into_owned(),
            Vec::new(),
            metadata.modified().expect("a time"),
        ));
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let metadata = fs::symlink_metadata(&path).expect("an entry");
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            let content = match metadata.is_symlink() {
                true => fs::read_link(&path)
                    .expect("a link")
                    .to_string_lossy()
                    .into_owned()
                    .into_bytes(),
                false => fs::read(&path).expect("a file"),
            };
            found.push((
                path.to_string_lossy().into_owned(),
                content,
                metadata.modified().expect("a time"),
            ));
        }
    }
    found.sort();
    found
}
