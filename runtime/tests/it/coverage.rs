//! Every guest is run by a test: the file that is named here mentions it.

use crate::tree::{code, sources};

/// Where each Rust guest is run: a file or folder of these tests.
const USED_IN: &[(&str, &str)] = &[
    ("args", "contract"),
    ("attack-network", "attacks"),
    ("big-line", "contract"),
    ("bulk", "contract"),
    ("clock-random", "contract"),
    ("compute", "measured"),
    ("cwd", "initial_dir"),
    ("echo", "contract"),
    ("env", "contract"),
    ("exit", "contract"),
    ("file-bench", "measured"),
    ("flood", "streams"),
    ("fs-probe", "files"),
    ("interleave", "events"),
    ("lines", "events"),
    ("markdown", "contract"),
    ("memory-hog", "limits"),
    ("net-probe", "network"),
    ("sleep", "ending"),
    ("slow-reader", "contract"),
    ("spin", "ending"),
    ("sqlite", "contract"),
    ("stdin-count", "contract"),
    ("stdio-close", "contract"),
    ("trap", "events"),
    ("upper", "streams"),
    ("word-count", "contract"),
];

#[test]
fn every_guest_is_run_by_a_test() {
    let mut guests = Vec::new();
    macro_rules! add {
        ($guest:ident) => {
            guests.push(stringify!($guest).replace('_', "-"));
        };
    }
    wasi_sidecar_guests::foreach_guest!(add);
    let files = sources("tests/it");
    for guest in &guests {
        let place = USED_IN.iter().find(|(name, _)| name == guest);
        let (_, place) =
            place.unwrap_or_else(|| panic!("`{guest}` has no test; add it to `USED_IN`"));
        let starts = [format!("{place}.rs"), format!("{place}/")];
        let runs = files
            .iter()
            .filter(|(name, _)| starts.iter().any(|start| name.starts_with(start)))
            .any(|(_, text)| code(text).contains(&format!("\"{guest}\"")));
        assert!(runs, "`{guest}` is not mentioned in `{place}`");
    }
    assert_eq!(USED_IN.len(), guests.len(), "a guest in `USED_IN` is no more");
}
