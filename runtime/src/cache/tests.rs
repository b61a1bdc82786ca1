//! Damages entries in every way and lets two owners race; a read returns what was written, or nothing.

#![allow(clippy::disallowed_methods, reason = "tests prepare and inspect the host's own files")]

use std::{collections::HashSet, path::PathBuf, thread};

use cap_std::ambient_authority;
use proptest::prelude::*;

use super::*;

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a temporary directory") }
    }

    fn open(&self) -> CodeCache {
        CodeCache::open(&self.code(), &self.root.path().join("keys"), ambient_authority())
            .expect("can be opened")
    }

    fn code(&self) -> PathBuf {
        self.root.path().join("code")
    }

    /// Files in the cache directory: entries and others.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(self.code())
            .expect("listed")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
    }
}

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

#[test]
fn what_was_kept_is_found_again_by_another_process() {
    let place = Place::new();
    place.open().put(&digest("a"), &digest("engine"), b"code");
    assert_eq!(place.open().get(&digest("a"), &digest("engine")).as_deref(), Some(&b"code"[..]));
    assert_eq!(place.open().get(&digest("b"), &digest("engine")), None, "another artifact");
    assert_eq!(place.open().get(&digest("a"), &digest("newer")), None, "another engine");
}

#[test]
fn every_flipped_bit_is_noticed() {
    let place = Place::new();
    let cache = place.open();
    cache.put(&digest("a"), &digest("e"), b"some machine code");
    let file = place.files().remove(0);
    let good = std::fs::read(&file).expect("read");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, &bad).expect("written");
        assert_eq!(cache.get(&digest("a"), &digest("e")), None, "bit {bit}");
    }
    std::fs::write(&file, &good).expect("written");
    assert!(cache.get(&digest("a"), &digest("e")).is_some(), "undamaged again");
}

#[test]
fn every_truncation_and_any_extension_is_noticed() {
    let place = Place::new();
    let cache = place.open();
    cache.put(&digest("a"), &digest("e"), b"some machine code");
    let file = place.files().remove(0);
    let good = std::fs::read(&file).expect("read");
    for length in 0..good.len() {
        std::fs::write(&file, &good[..length]).expect("written");
        assert_eq!(cache.get(&digest("a"), &digest("e")), None, "{length} bytes");
    }
    std::fs::write(&file, [&good[..], b"\0"].concat()).expect("written");
    assert_eq!(cache.get(&digest("a"), &digest("e")), None, "one byte more");
}

#[test]
fn an_entry_under_another_name_is_no_entry() {
    let place = Place::new();
    let cache = place.open();
    cache.put(&digest("trusted"), &digest("e"), b"trusted code");
    let trusted = place.files().remove(0);
    cache.put(&digest("stranger"), &digest("e"), b"a stranger's code");
    let stranger = place.files().into_iter().find(|file| *file != trusted).expect("two files");
    // The host itself compiled the untrusted artifact, so the seal is genuine. Only the name is wrong.
    std::fs::copy(stranger, &trusted).expect("swapped");
    assert_eq!(cache.get(&digest("trusted"), &digest("e")), None);
}

#[test]
fn entries_of_another_key_are_rebuilt() {
    let place = Place::new();
    place.open().put(&digest("a"), &digest("e"), b"code");
    std::fs::remove_file(place.root.path().join("keys/code-cache.key")).expect("removed");
    let cache = place.open();
    assert_eq!(cache.get(&digest("a"), &digest("e")), None);
    cache.put(&digest("a"), &digest("e"), b"code");
    assert!(cache.get(&digest("a"), &digest("e")).is_some());
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_or_that_is_cut_short_is_replaced() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let key = place.root.path().join("keys/code-cache.key");
    place.open().put(&digest("a"), &digest("e"), b"code");
    let first = std::fs::read(&key).expect("read");
    assert_eq!(std::fs::metadata(&key).expect("there").permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(place.open().get(&digest("a"), &digest("e")), None, "an exposed key is worthless");
    let second = std::fs::read(&key).expect("read");
    assert_ne!(first, second);
    std::fs::write(&key, &second[..7]).expect("written");
    place.open();
    assert_eq!(std::fs::read(&key).expect("read").len(), 32);
}

#[cfg(unix)]
#[test]
fn only_this_user_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    place.open().put(&digest("a"), &digest("e"), b"code");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&place.code()), 0o700);
    assert_eq!(mode(&place.files()[0]), 0o600);
}

#[test]
fn the_key_may_not_lie_with_what_it_seals() {
    let place = Place::new();
    let error = CodeCache::open(&place.code(), &place.code().join("keys"), ambient_authority())
        .expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_cache_that_cannot_be_written_only_costs_time() {
    let place = Place::new();
    let cache = place.open();
    std::fs::remove_dir(place.code()).expect("removed");
    cache.put(&digest("a"), &digest("e"), b"code");
    assert_eq!(cache.get(&digest("a"), &digest("e")), None);
}

#[test]
fn a_file_where_the_directory_should_be_is_an_error_that_names_it() {
    let place = Place::new();
    std::fs::write(place.code(), "").expect("written");
    let error =
        CodeCache::open(&place.code(), &place.root.path().join("keys"), ambient_authority())
            .expect_err("refused");
    assert!(error.chain().contains("code"), "{}", error.chain());
}

#[test]
fn racing_owners_read_whole_entries_or_none() {
    let place = Place::new();
    let codes: Vec<Vec<u8>> = (0..4u8).map(|n| vec![n; 100_000 + usize::from(n)]).collect();
    thread::scope(|scope| {
        for code in &codes {
            // Each thread opens the cache itself, as another process would. They also race for the key.
            let cache = place.open();
            scope.spawn(move || {
                for _ in 0..50 {
                    cache.put(&digest("a"), &digest("e"), code);
                    if let Some(read) = cache.get(&digest("a"), &digest("e")) {
                        assert!(
                            read.iter().all(|byte| *byte == read[0]),
                            "two writers in one entry"
                        );
                        assert_eq!(read.len(), 100_000 + usize::from(read[0]));
                    }
                }
            });
        }
    });
    assert!(place.open().get(&digest("a"), &digest("e")).is_some());
    assert_eq!(place.files().len(), 1, "nothing is left aside");
}

#[test]
fn racing_first_starts_agree_on_one_key() {
    for _ in 0..20 {
        let place = Place::new();
        let caches: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| place.open())).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        caches[0].put(&digest("a"), &digest("e"), b"code");
        for cache in caches {
            assert!(cache.get(&digest("a"), &digest("e")).is_some());
        }
    }
}

#[test]
fn the_least_recently_used_entries_go_first() {
    let place = Place::new();
    let cache = place.open().max_bytes(3 * 1100);
    let names = ["a", "b", "c"];
    for name in names {
        cache.put(&digest(name), &digest("e"), &[0; 1000]);
        age(&place);
    }
    assert!(cache.get(&digest("a"), &digest("e")).is_some(), "used again");
    cache.put(&digest("d"), &digest("e"), &[0; 1000]);
    let left: HashSet<_> = ["a", "b", "c", "d"]
        .into_iter()
        .filter(|name| cache.get(&digest(name), &digest("e")).is_some())
        .collect();
    assert_eq!(left, HashSet::from(["a", "c", "d"]));
}

/// Makes all entries an hour older, so that the next use has a later date on every file system.
fn age(place: &Place) {
    for path in place.files() {
        let file = std::fs::File::options().write(true).open(path).expect("open");
        let modified = file.metadata().and_then(|metadata| metadata.modified()).expect("a time");
        file.set_modified(modified - std::time::Duration::from_secs(3600)).expect("set");
    }
}

#[test]
fn a_clock_that_was_set_wrong_keeps_no_entry_for_ever_and_loses_none() {
    use std::time::{Duration, SystemTime};

    let epoch = SystemTime::UNIX_EPOCH;
    let dates = [
        ("today", SystemTime::now()),
        ("tomorrow", SystemTime::now() + Duration::from_secs(24 * 3600)),
        ("in a thousand years", epoch + Duration::from_secs(1000 * 365 * 24 * 3600)),
        ("as time began", epoch),
        ("before that", epoch - Duration::from_secs(10 * 365 * 24 * 3600)),
    ];
    let place = Place::new();
    let cache = place.open();
    let set = || {
        for (name, date) in dates {
            cache.put(&digest(name), &digest("e"), &[0; 1000]);
            let fingerprint = &digest("e").to_string()[..16];
            let path = place.code().join(format!("{}-{fingerprint}.code", digest(name)));
            let file = std::fs::File::options().write(true).open(path).expect("open");
            file.set_modified(date).expect("set");
        }
    };
    let left = || {
        let there = |name: &str| cache.get(&digest(name), &digest("e")).is_some();
        dates.map(|(name, _)| name).into_iter().filter(|name| there(name)).collect::<Vec<_>>()
    };
    set();
    assert_eq!(left(), dates.map(|(name, _)| name), "whatever its date, an entry is one");
    set();
    let small = cache.clone().max_bytes(2 * 1100);
    small.put(&digest("new"), &digest("e"), &[0; 1000]);
    assert_eq!(left(), ["today"], "no other date is one of use");
    assert!(cache.get(&digest("new"), &digest("e")).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_lies_there_is_the_code_or_nothing(garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
        let place = Place::new();
        let cache = place.open();
        cache.put(&digest("a"), &digest("e"), b"code");
        std::fs::write(&place.files()[0], &garbage).expect("written");
        prop_assert_eq!(cache.get(&digest("a"), &digest("e")), None);
    }
}
