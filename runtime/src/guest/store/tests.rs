//! Checks that our functions return what wasmtime's do, for a directory with every kind of entry.
//!
//! C libraries of guests were written against wasmtime, and trap at unknown results.

#![expect(clippy::disallowed_methods, reason = "tests make the files that are looked at")]

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    sync::Arc,
};

use cap_tempfile::TempDir;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use wasmtime::component::Resource;
use wasmtime_wasi::{
    FsPerms, WasiCtxBuilder, WasiView,
    filesystem::{Descriptor, Dir, OpenMode, WasiFilesystemView},
    p1::{WasiP1Ctx, wasi_snapshot_preview1 as engine},
    p2::bindings::filesystem::types::{
        DirectoryEntry, HostDescriptor, HostDirectoryEntryStream, PathFlags,
    },
};
use wiggle::GuestMemory;

use super::{
    State, handles::Handles, limiter::Limiter, listing, metadata, network::Network, preview1,
};
use crate::{
    Grants, Limits,
    exec::{
        control::Control,
        resolver::{NameSource, Resolver},
    },
};

/// Size of a guest's memory in tests, in bytes.
const MEMORY: usize = 1 << 17;

/// A module's descriptor of the first granted directory.
const GRANTED: i32 = 3;

pub(super) fn state(mut wasi: WasiP1Ctx, limits: &Limits) -> State {
    let control = Arc::new(Control::new(None));
    let handles = Handles::new(limits, "guest");
    wasi.ctx().table.set_max_capacity(handles.entries(true));
    State {
        wasi,
        limiter: Limiter::new(limits, 0, Arc::clone(&control)),
        control,
        handles,
        directories: preview1::Directories::default(),
        names: listing::Names::default(),
        network: Network::new(
            &Grants::new(),
            limits,
            "guest",
            Resolver::new(NameSource::system()).for_guest(),
        ),
        turn: super::interrupt::Turn::new(&super::Interrupts::default()),
        seen: None,
    }
}

/// A guest's state, and its handle of the directory.
pub(super) fn holding(place: &TempDir) -> (State, Resource<Descriptor>) {
    let mut state = state(WasiCtxBuilder::new().build_p1(), &Limits::new());
    let directory = place.try_clone().expect("a descriptor").into_std_file();
    let directory = Dir::new(directory, FsPerms::ReadWrite, OpenMode::READ, true);
    let handle = state.ctx().table.push(Descriptor::Dir(directory)).expect("a handle");
    (state, handle)
}

/// The state of a module that was granted the directory.
fn granted(place: &tempfile::TempDir) -> State {
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_blocking_current_thread(true);
    wasi.preopened_dir(place.path(), "/data", FsPerms::ReadWrite).expect("it is there");
    let mut state = state(wasi.build_p1(), &Limits::new());
    state.know_preopens();
    state
}

/// A directory with one entry of every kind that this system can make, and the number of names.
fn everything() -> (tempfile::TempDir, usize) {
    let place = tempfile::tempdir().expect("a place");
    let path = |name: &str| place.path().join(name);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, path(name)).expect("a link");
    let long = "n".repeat(255);
    for name in ["file", "-", " ", "a\nb\tc", "\u{202e}fdp.exe", "日本", "\\", "..a", long.as_str()]
    {
        fs::write(path(name), name).expect("a file");
    }
    fs::create_dir(path("dir")).expect("a directory");
    fs::write(path("dir/inside"), "").expect("a file");
    fs::create_dir(path("unreadable")).expect("a directory");
    fs::set_permissions(path("unreadable"), fs::Permissions::from_mode(0o000)).expect("ours");
    fs::write(path("secret"), "").expect("a file");
    fs::set_permissions(path("secret"), fs::Permissions::from_mode(0o000)).expect("ours");
    for (to, name) in
        [("file", "link"), ("dir", "way"), ("nothing", "dangling"), ("loop", "loop"), ("/", "out")]
    {
        link(to, name);
    }
    fs::hard_link(path("file"), path("second-name")).expect("a link");
    drop(UnixListener::bind(path("socket")).expect("a socket"));
    let node =
        |name: &str, kind, device| mknodat(CWD, path(name), kind, Mode::RUSR | Mode::WUSR, device);
    node("fifo", FileType::Fifo, 0).expect("a FIFO");
    // Only root can make devices.
    let _ = node("character-device", FileType::CharacterDevice, makedev(1, 3));
    let _ = node("block-device", FileType::BlockDevice, makedev(7, 250));
    let count = fs::read_dir(place.path()).expect("it is there").count();
    (place, count)
}

fn again(handle: &Resource<Descriptor>) -> Resource<Descriptor> {
    Resource::new_borrow(handle.rep())
}

fn opened(place: &tempfile::TempDir) -> (State, Resource<Descriptor>) {
    let mut state = state(WasiCtxBuilder::new().build_p1(), &Limits::new());
    let directory = fs::File::open(place.path()).expect("it is there");
    let directory = Dir::new(directory, FsPerms::ReadWrite, OpenMode::READ, true);
    let handle = state.ctx().table.push(Descriptor::Dir(directory)).expect("a handle");
    (state, handle)
}

/// The names that wasmtime lists.
async fn engines_listing(state: &mut State, handle: &Resource<Descriptor>) -> BTreeSet<String> {
    let mut files = state.filesystem();
    let stream = files.read_directory(again(handle)).await.expect("it can be listed");
    let mut entries = BTreeSet::new();
    loop {
        let stream = Resource::new_borrow(stream.rep());
        match files.read_directory_entry(stream).await.expect("an entry") {
            Some(entry) => entries.insert(format!("{entry:?}")),
            None => return entries,
        };
    }
}

#[tokio::test]
async fn a_listing_has_the_kinds_that_the_engine_gives() {
    let (place, count) = everything();
    let (mut state, handle) = opened(&place);
    let theirs = engines_listing(&mut state, &handle).await;
    assert_eq!(theirs.len(), count);
    let file = fs::File::open(place.path()).expect("it is there");
    let mut entries = listing::Entries::of(&file, FsPerms::ReadWrite).expect("it can be listed");
    let mut ours = BTreeSet::new();
    let mut left_out = None;
    while let Some(entry) = listing::next_text(&mut entries, &mut left_out) {
        let (name, type_) = entry.expect("an entry");
        ours.insert(format!("{:?}", DirectoryEntry { type_, name }));
    }
    assert_eq!(ours, theirs);
    assert_eq!(left_out, None);
}

#[tokio::test]
async fn metadata_is_what_the_engine_finds() {
    let (place, _) = everything();
    let (mut state, handle) = opened(&place);
    let names = fs::read_dir(place.path()).expect("it is there");
    let mut names: Vec<_> = names
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.extend(
        ["way/inside", "dir/./inside", "", "unreadable/x", "secret/x", "socket/x"]
            .map(String::from),
    );
    for name in names {
        for flags in [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW] {
            let what = format!("{name:?} {flags:?}");
            let ours = metadata::answers(&mut state, &handle, flags, &name);
            let mut files = state.filesystem();
            let theirs = files.stat_at(again(&handle), flags, name.clone()).await;
            let hash = files.metadata_hash_at(again(&handle), flags, name.clone()).await;
            // wasmtime handles what is not found here.
            let Some((stat, number)) = ours else { continue };
            assert_eq!(stat, format!("{:?}", theirs.expect(&what)), "{what}");
            assert_eq!(number, format!("{:?}", hash.expect(&what)), "{what}");
        }
    }
}

/// Calls one of the two functions and returns everything that it changed.
async fn read(ours: bool, state: &mut State, room: i32, cookie: i64) -> (i32, Vec<u8>) {
    let mut bytes = vec![0xaa; MEMORY];
    let mut memory = GuestMemory::Unshared(&mut bytes);
    let errno = if ours {
        preview1::read_directory(state, &mut memory, GRANTED, 16, room, cookie, 4).await
    } else {
        let wasi = state.preview1();
        engine::fd_readdir(wasi, &mut memory, GRANTED, 16, room, cookie, 4).await
    };
    (errno.unwrap_or(-1), bytes)
}

#[tokio::test]
async fn preview1_is_given_the_very_bytes_that_the_engine_gives() {
    let (place, count) = everything();
    let mut state = granted(&place);
    let count = i64::try_from(count).expect("a few");
    let rooms = [0, 1, 8, 23, 24, 25, 26, 49, 50, 51, 52, 100, 333, 4096, 65_536];
    let cookies = (0..count + 4).rev().chain([3, 3, 9, 3, i64::MAX, 5, 0, count + 2, 2]);
    for cookie in cookies {
        for room in rooms {
            let ours = read(true, &mut state, room, cookie).await;
            let theirs = read(false, &mut state, room, cookie).await;
            assert!(ours == theirs, "{room} bytes from {cookie}: {} and {}", ours.0, theirs.0);
        }
    }
    // A buffer that reaches beyond the guest's memory: writes the entries that fit into memory, then traps.
    let (ours, theirs) =
        (read(true, &mut state, -1, 0).await, read(false, &mut state, -1, 0).await);
    assert!(ours == theirs, "{} and {}", ours.0, theirs.0);
    // Not a directory, or not open.
    for file in [0, 1, 2, 4, 999, -1] {
        let mut bytes = vec![0; 64];
        let mut memory = GuestMemory::Unshared(&mut bytes);
        let errno = preview1::read_directory(&mut state, &mut memory, file, 16, 32, 0, 4).await;
        assert_eq!(errno.expect("an answer"), 8, "`badf` for {file}");
    }
}

/// The complete entries in a buffer, and the cookie after the last of them.
fn entries(bytes: &[u8], cookie: i64) -> (Vec<String>, i64) {
    let used = u32::from_le_bytes(bytes[4..8].try_into().expect("four")) as usize;
    let mut rest = &bytes[16..16 + used];
    let (mut names, mut next) = (Vec::new(), cookie);
    while let Some((head, after)) = rest.split_at_checked(24) {
        let length = u32::from_le_bytes(head[16..20].try_into().expect("four")) as usize;
        let Some((name, after)) = after.split_at_checked(length) else { break };
        names.push(String::from_utf8(name.to_vec()).expect("text"));
        next = i64::from_le_bytes(head[..8].try_into().expect("eight"));
        rest = after;
    }
    (names, next)
}

#[tokio::test]
async fn a_listing_goes_on_where_it_was_whatever_becomes_of_the_names_before() {
    let place = tempfile::tempdir().expect("a place");
    let names: BTreeSet<_> = (0..1000).map(|n| format!("name-{n}")).collect();
    for name in &names {
        fs::write(place.path().join(name), "").expect("a file");
    }
    let mut state = granted(&place);
    let (mut seen, mut cookie) = (BTreeSet::new(), 0);
    loop {
        let (errno, bytes) = read(true, &mut state, 4096, cookie).await;
        assert_eq!(errno, 0);
        let (found, next) = entries(&bytes, cookie);
        if found.is_empty() {
            break;
        }
        cookie = next;
        for name in found.into_iter().filter(|name| !name.starts_with('.')) {
            // As a recursive removal does. A listing from the start would now skip some.
            fs::remove_file(place.path().join(&name)).expect("it is there");
            assert!(seen.insert(name), "listed twice");
        }
    }
    assert_eq!(seen, names);
    assert_eq!(state.directories.listed(), 0, "a listing that has ended holds nothing open");
    // Starting over makes a new listing.
    fs::write(place.path().join("late"), "").expect("a file");
    let (_, bytes) = read(true, &mut state, 4096, 0).await;
    assert_eq!(entries(&bytes, 0).0, [".", "..", "late"]);
}

#[tokio::test]
async fn names_that_are_not_text_are_left_out() {
    use std::os::unix::ffi::OsStrExt as _;

    let place = tempfile::tempdir().expect("a place");
    for name in [&b"bad\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"cut\xe6\x97", b"good", b"other"] {
        fs::write(place.path().join(std::ffi::OsStr::from_bytes(name)), "").expect("a file");
    }
    let mut state = granted(&place);
    let (errno, bytes) = read(true, &mut state, 4096, 0).await;
    let mut names = entries(&bytes, 0).0;
    names.sort();
    assert_eq!(
        (errno, names.as_slice()),
        (0, [".", "..", "good", "other"].map(String::from).as_slice())
    );
}

#[tokio::test]
async fn listings_take_room_only_while_there_is_some() {
    let (place, _) = everything();
    let mut state = granted(&place);
    let (errno, _) = read(true, &mut state, 100, 0).await;
    assert_eq!((errno, state.directories.listed()), (0, 1));
    while !state.is_full() {
        state.ctx().table.push(()).expect("room");
    }
    // A listing that can start over makes room for a new file.
    assert!(state.has_room());
    assert_eq!(state.directories.listed(), 0);
    state.ctx().table.push(()).expect("room");
    let (errno, _) = read(true, &mut state, 100, 0).await;
    assert_eq!(errno, 33, "`mfile`");
}
