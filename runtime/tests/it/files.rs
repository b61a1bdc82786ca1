//! Files: a read-only directory refuses every change, from inside a guest, and nothing outside changes.

use std::{fs, path::Path, time::SystemTime};

use wasi_sidecar::{Access, Command};

use crate::support::{guest, holding, module, run, temporary, text};

/// Every operation that changes something, with a target that exists where it needs one.
const MUTATIONS: &[&str] = &[
    "create\t/data/new",
    "write\t/data/file\tother",
    "append\t/data/file\tmore",
    "truncate\t/data/file",
    "set-size\t/data/file\t1",
    "rename\t/data/file\t/data/renamed",
    "rename\t/data/dir\t/data/moved",
    "link\t/data/file\t/data/linked",
    "symlink\t/data/symlinked\tfile",
    "mkdir\t/data/made",
    "create-dir-all\t/data/a/b",
    "rmdir\t/data/dir",
    "unlink\t/data/file",
    "set-times\t/data/file\t1",
    "copy\t/data/file\t/data/copied",
    "remove-dir-all\t/data/dir",
];

/// Names, contents and times of everything below a directory.
fn snapshot(directory: &Path) -> Vec<(String, Vec<u8>, SystemTime)> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let name = path.to_str().unwrap().to_owned();
        if metadata.is_dir() {
            entries.push((name, Vec::new(), metadata.modified().unwrap()));
            entries.extend(snapshot(&path));
        } else {
            entries.push((name, fs::read(&path).unwrap(), metadata.modified().unwrap()));
        }
    }
    entries.sort();
    entries
}

#[tokio::test]
async fn a_read_only_directory_refuses_every_change() {
    assert!(MUTATIONS.len() >= 16);
    for component in [guest("fs-probe"), module("fs-probe")] {
        let place = temporary();
        fs::create_dir(place.path().join("dir")).unwrap();
        fs::write(place.path().join("file"), "content").unwrap();
        let before = snapshot(place.path());

        let mut command = Command::new(component.clone());
        command.grants(holding(place.path(), Access::ReadOnly));
        let script = MUTATIONS.join("\n") + "\nread\t/data/file\nlist\t/data\n";
        let said = text(&run(&command, script.as_bytes()).await.stdout);
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), MUTATIONS.len() + 2, "{said}");
        for (line, operation) in lines.iter().zip(MUTATIONS) {
            assert!(line.contains(r#""ok":false"#), "{operation}: {line}");
        }
        assert!(lines[MUTATIONS.len()].contains("content"), "reading works: {said}");
        assert_eq!(snapshot(place.path()), before, "nothing changed");
    }
}

#[tokio::test]
async fn the_same_changes_work_where_they_are_granted() {
    // Otherwise the test above would pass for a guest that does nothing.
    for operation in MUTATIONS {
        let place = temporary();
        fs::create_dir(place.path().join("dir")).unwrap();
        fs::write(place.path().join("file"), "content").unwrap();
        let mut command = Command::new(guest("fs-probe"));
        command.grants(holding(place.path(), Access::ReadWrite));
        let said = text(&run(&command, operation.as_bytes()).await.stdout);
        assert!(said.contains(r#""ok":true"#), "{operation}: {said}");
    }
}

/// Ways out of a directory, each tried with each operation.
#[cfg(unix)]
#[tokio::test]
async fn no_path_leads_out_of_a_granted_directory() {
    let place = temporary();
    let inside = place.path().join("inside");
    fs::create_dir_all(inside.join("dir")).unwrap();
    fs::create_dir(place.path().join("outside")).unwrap();
    fs::write(place.path().join("outside/secret"), "s").unwrap();
    for (target, link) in [
        ("..", "up"),
        ("../outside", "beside"),
        ("../outside/secret", "straight"),
        ("/", "root"),
        ("loop", "loop"),
        ("/proc/self/root", "proc"),
    ] {
        std::os::unix::fs::symlink(target, inside.join(link)).unwrap();
    }
    let absolute = place.path().join("outside/secret");
    std::os::unix::fs::symlink(&absolute, inside.join("absolute")).unwrap();
    let before = snapshot(&place.path().join("outside"));

    let tricks = [
        "/data/../outside/secret".to_owned(),
        "/data/dir/../../outside/secret".into(),
        "/data/up/outside/secret".into(),
        "/data/up/".into(),
        "/data/up/.".into(),
        "/data/beside/secret".into(),
        "/data/beside/".into(),
        "/data/straight".into(),
        "/data/root/etc/passwd".into(),
        "/data/proc/etc/passwd".into(),
        "/data/absolute".into(),
        "/data/loop".into(),
        "/etc/passwd".into(),
        "//etc/passwd".into(),
        absolute.to_str().unwrap().to_owned(),
    ];
    let operations = ["open", "read", "write", "append", "truncate", "list", "create"];
    let mut script = String::new();
    for trick in &tricks {
        for operation in operations {
            script += &format!("{operation}\t{trick}\tx\n");
        }
    }
    for component in [guest("fs-probe"), module("fs-probe")] {
        let mut command = Command::new(component);
        command.grants(holding(&inside, Access::ReadWrite));
        let said = text(&run(&command, script.as_bytes()).await.stdout);
        assert_eq!(said.lines().count(), tricks.len() * operations.len(), "{said}");
        let escaped: Vec<_> = said.lines().filter(|line| line.contains(r#""ok":true"#)).collect();
        assert!(escaped.is_empty(), "{escaped:#?}");
        assert_eq!(snapshot(&place.path().join("outside")), before, "nothing outside changed");
    }
}

#[tokio::test]
async fn a_large_file_goes_through() {
    let place = temporary();
    let content: String = (0..200_000).map(|n| format!("line {n}\n")).collect();
    fs::write(place.path().join("large.txt"), &content).unwrap();
    let words = content.split_whitespace().count();
    for component in [guest("word-count"), module("word-count")] {
        let mut command = Command::new(component);
        command.arg("/data").grants(holding(place.path(), Access::ReadOnly));
        let said = text(&run(&command, b"").await.stdout);
        let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(last["total"]["words"], words, "{said}");
        assert_eq!(last["total"]["bytes"], content.len(), "{said}");
    }
}
