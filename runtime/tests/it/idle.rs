//! While every guest is idle no thread of ours wakes.

#[cfg(target_os = "linux")]
#[tokio::test]
async fn idle_guests_wake_nobody() {
    use std::{collections::BTreeMap, fs, time::Duration};

    use tokio::io::AsyncReadExt;
    use wasi_sidecar::Command;

    use crate::support::{guest, soon};

    /// How often each thread of the library has gone to sleep, by its id and name.
    fn sleeps() -> BTreeMap<String, u64> {
        let mut sleeps = BTreeMap::new();
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let task = task.unwrap().path();
            let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
            if !name.starts_with("wasi-sidecar") {
                continue;
            }
            let status = fs::read_to_string(task.join("status")).unwrap();
            let line =
                status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
            let count = line.split_whitespace().last().unwrap().parse().unwrap();
            sleeps.insert(format!("{} {}", task.display(), name.trim()), count);
        }
        sleeps
    }

    let component = guest("sleep");
    let mut children: Vec<_> = (0..50)
        .map(|_| Command::new(component.clone()).arg("600000").kill_on_drop(true).spawn().unwrap())
        .collect();
    for child in &mut children {
        soon(child.stdout.as_mut().unwrap().read_exact(&mut [0; 9])).await.unwrap();
    }
    // The ticker parks after a whole tick without work. Until then, and until the workers have gone to sleep,
    // they may still count; from then on never again.
    let mut before = sleeps();
    assert!(before.len() >= 3, "workers and ticker: {before:?}");
    let quiet = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let after = sleeps();
            if after == before {
                break;
            }
            before = after;
        }
    };
    // A thread that woke at all regularly would never be quiet for half a second.
    soon(quiet).await;
}
