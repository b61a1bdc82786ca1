//! Looks up a file's metadata once for all calls that a C library makes for one `stat` or `open`.
//!
//! For each `stat`, a guest's C library makes two calls: for the metadata, and for the hash from which it makes an
//! inode number. For each `open` it asks for the kind of file, and mostly for the other two as well. wasmtime looks it
//! up each time, along the whole path if there is one. Here one look-up answers each of these calls once, as long as
//! the guest makes no other call in between: without one it cannot learn of a change, so the earlier answer is as good
//! as a new one.
//!
//! Of paths, this file answers only for those that exist. wasmtime handles all failures, so guests get its errors.

use std::hash::{DefaultHasher, Hash, Hasher};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Statx, StatxFlags, StatxTimestamp, makedev,
    openat2, statx,
};
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::{
    WasiView,
    filesystem::{Descriptor, OpenMode, WasiFilesystemView},
    p2::{
        FsError,
        bindings::{
            clocks::wall_clock::Datetime,
            filesystem::types::{
                DescriptorFlags, DescriptorStat, DescriptorType, HostDescriptor, MetadataHashValue,
                PathFlags,
            },
        },
    },
};

use super::{
    State,
    listing::{TYPES, answer},
};

/// The latest look-up, and which calls it may still answer.
#[derive(Debug)]
pub(super) struct Seen {
    at: Place,
    found: Statx,
    /// The calls that it has answered, as bits.
    answered: u8,
}

/// The looked-up file, by the guest's own handles.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Open(u32),
    Path { directory: u32, follow: bool, path: String },
}

/// The calls, one bit each.
const KIND: u8 = 1;
const METADATA: u8 = 2;
const HASH: u8 = 4;

/// Replaces wasmtime's functions with these.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[method]descriptor.get-flags",
        |mut store, (file,): (Resource<Descriptor>,)| {
            Ok((answer(flags(store.data_mut(), &file))?,))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.get-type",
        |mut store, (file,): (Resource<Descriptor>,)| {
            Ok((answer(open_file(store.data_mut(), &file, KIND).map(|found| kind_of(&found)))?,))
        },
    )?;
    types.func_wrap("[method]descriptor.stat", |mut store, (file,): (Resource<Descriptor>,)| {
        Ok((answer(open_file(store.data_mut(), &file, METADATA).map(|found| metadata(&found)))?,))
    })?;
    types.func_wrap(
        "[method]descriptor.metadata-hash",
        |mut store, (file,): (Resource<Descriptor>,)| {
            Ok((answer(open_file(store.data_mut(), &file, HASH).map(|found| hash(&found)))?,))
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.stat-at",
        |mut store, (directory, flags, path): (Resource<Descriptor>, PathFlags, String)| {
            Box::new(async move {
                if let Some(found) =
                    path_below(store.data_mut(), &directory, flags, &path, METADATA)
                {
                    return Ok((Ok(metadata(&found)),));
                }
                let mut files = store.data_mut().filesystem();
                Ok((answer(files.stat_at(directory, flags, path).await)?,))
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.metadata-hash-at",
        |mut store, (directory, flags, path): (Resource<Descriptor>, PathFlags, String)| {
            Box::new(async move {
                if let Some(found) = path_below(store.data_mut(), &directory, flags, &path, HASH) {
                    return Ok((Ok(hash(&found)),));
                }
                let mut files = store.data_mut().filesystem();
                Ok((answer(files.metadata_hash_at(directory, flags, path).await)?,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// wasmtime also queries the flags of synchronous writing, which no file of a guest is opened with.
fn flags(state: &mut State, file: &Resource<Descriptor>) -> Result<DescriptorFlags, FsError> {
    let (mode, writable) = match state.ctx().table.get(file)? {
        Descriptor::File(file) => (file.open_mode, DescriptorFlags::WRITE),
        Descriptor::Dir(directory) => (directory.open_mode, DescriptorFlags::MUTATE_DIRECTORY),
    };
    let mut flags = DescriptorFlags::empty();
    if mode.contains(OpenMode::READ) {
        flags |= DescriptorFlags::READ;
    }
    if mode.contains(OpenMode::WRITE) {
        flags |= writable;
    }
    Ok(flags)
}

fn open_file(
    state: &mut State,
    file: &Resource<Descriptor>,
    question: u8,
) -> Result<Statx, FsError> {
    let at = Place::Open(file.rep());
    if let Some(found) = seen(state, &at, question) {
        return Ok(found);
    }
    let file = match state.ctx().table.get(file)? {
        Descriptor::File(file) => &file.file,
        Descriptor::Dir(directory) => &directory.dir,
    };
    let found = statx(file, c"", AtFlags::EMPTY_PATH, wanted())
        .map_err(|error| FsError::from(std::io::Error::from(error)))?;
    state.seen = Some(Seen { at, found, answered: question });
    Ok(found)
}

/// `None` if wasmtime has to answer.
fn path_below(
    state: &mut State,
    directory: &Resource<Descriptor>,
    flags: PathFlags,
    path: &str,
    question: u8,
) -> Option<Statx> {
    let follow = flags.contains(PathFlags::SYMLINK_FOLLOW);
    let at = Place::Path { directory: directory.rep(), follow, path: path.to_owned() };
    if let Some(found) = seen(state, &at, question) {
        return Some(found);
    }
    let Ok(Descriptor::Dir(directory)) = state.ctx().table.get(directory) else { return None };
    let found = look(&directory.dir, path, follow)?;
    state.seen = Some(Seen { at, found, answered: question });
    Some(found)
}

/// The result of the previous call's look-up, if it has not answered this call yet.
fn seen(state: &mut State, at: &Place, question: u8) -> Option<Statx> {
    let seen = state.seen.as_mut()?;
    if seen.at != *at || seen.answered & question != 0 {
        return None;
    }
    seen.answered |= question;
    Some(seen.found)
}

fn wanted() -> StatxFlags {
    StatxFlags::BASIC_STATS | StatxFlags::BTIME
}

/// Looks up what a path leads to below a directory, and never beyond it.
fn look(directory: &std::fs::File, path: &str, follow: bool) -> Option<Statx> {
    // Where the last part is no name, wasmtime decides what it means.
    if path.is_empty() || path.ends_with('/') || path.ends_with("/.") || path.ends_with("..") {
        return None;
    }
    let usual = |found: &Statx| {
        let kind = FileType::from_raw_mode(found.stx_mode.into());
        matches!(kind, FileType::RegularFile | FileType::Directory | FileType::Symlink)
    };
    if !path.contains('/') {
        // A single name, whose link is not followed, cannot lead elsewhere.
        let found = statx(directory, path, AtFlags::SYMLINK_NOFOLLOW, wanted()).ok()?;
        let is_link = FileType::from_raw_mode(found.stx_mode.into()) == FileType::Symlink;
        if !(follow && is_link) {
            return Some(found).filter(usual);
        }
    }
    let nofollow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let below = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::CLOEXEC | nofollow;
    let file = openat2(directory, path, flags, Mode::empty(), below).ok()?;
    statx(file, c"", AtFlags::EMPTY_PATH, wanted()).ok().filter(usual)
}

fn kind_of(found: &Statx) -> DescriptorType {
    match FileType::from_raw_mode(found.stx_mode.into()) {
        FileType::RegularFile => DescriptorType::RegularFile,
        FileType::Directory => DescriptorType::Directory,
        FileType::Symlink => DescriptorType::SymbolicLink,
        FileType::CharacterDevice => DescriptorType::CharacterDevice,
        FileType::BlockDevice => DescriptorType::BlockDevice,
        // As in wasmtime.
        _ => DescriptorType::Unknown,
    }
}

fn metadata(found: &Statx) -> DescriptorStat {
    // WASI has no dates before 1970.
    let date = |time: StatxTimestamp| {
        let seconds = u64::try_from(time.tv_sec).ok()?;
        Some(Datetime { seconds, nanoseconds: time.tv_nsec })
    };
    let born = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
    DescriptorStat {
        type_: kind_of(found),
        link_count: found.stx_nlink.into(),
        size: found.stx_size,
        data_access_timestamp: date(found.stx_atime),
        data_modification_timestamp: date(found.stx_mtime),
        // wasmtime chooses this date too.
        status_change_timestamp: if born { date(found.stx_btime) } else { None },
    }
}

/// The same hash as wasmtime's, which answers for what is not found here.
fn hash(found: &Statx) -> MetadataHashValue {
    let mut hasher = DefaultHasher::new();
    (makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino).hash(&mut hasher);
    let lower = hasher.finish();
    MetadataHashValue { lower, upper: lower ^ 4_614_256_656_552_045_848 }
}

/// The metadata and the hash, if they are answered here.
#[cfg(test)]
pub(super) fn answers(
    state: &mut State,
    directory: &Resource<Descriptor>,
    flags: PathFlags,
    path: &str,
) -> Option<(String, String)> {
    let found = path_below(state, directory, flags, path, METADATA)?;
    Some((format!("{:?}", metadata(&found)), format!("{:?}", hash(&found))))
}

#[cfg(test)]
mod tests {
    use cap_tempfile::TempDir;

    use super::{super::tests::holding, *};

    fn again(handle: &Resource<Descriptor>) -> Resource<Descriptor> {
        Resource::new_borrow(handle.rep())
    }

    #[tokio::test]
    async fn what_is_found_is_what_the_engine_finds() {
        let place = TempDir::new(cap_std::ambient_authority()).expect("a place");
        place.create_dir("dir").expect("a directory");
        for name in ["file", "dir/file"] {
            place.write(name, name).expect("a file");
        }
        for (to, name) in [("file", "link"), ("dir", "dir/../way"), ("nothing", "dangling")] {
            place.symlink(to, name).expect("a link");
        }
        place.symlink_contents("/", "out").expect("a link");
        let (mut state, handle) = holding(&place);
        let mut found_here = 0;
        for path in [
            "file",
            "dir",
            "dir/file",
            "link",
            "way",
            "way/file",
            "dangling",
            "out",
            "out/etc",
            ".",
            "./file",
            "dir/./file",
            "dir/../file",
            "..",
            "../x",
            "dir/..",
            "dir/",
            "way/",
            "way/.",
            "link/",
            "",
            "/",
            "/etc",
            "no",
            "no/file",
            "file/x",
            "a\0b",
        ] {
            for flags in [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW] {
                let ours = path_below(&mut state, &handle, flags, path, METADATA);
                let theirs = state.filesystem().stat_at(again(&handle), flags, path.into()).await;
                let their_hash =
                    state.filesystem().metadata_hash_at(again(&handle), flags, path.into()).await;
                let Some(ours) = ours else { continue };
                found_here += 1;
                let (theirs, their_hash) = (theirs.expect(path), their_hash.expect(path));
                assert_eq!(
                    format!("{:?}", metadata(&ours)),
                    format!("{theirs:?}"),
                    "{path:?} {flags:?}"
                );
                assert_eq!(
                    format!("{:?}", hash(&ours)),
                    format!("{their_hash:?}"),
                    "{path:?} {flags:?}"
                );
            }
        }
        assert_eq!(found_here, 22);
    }

    #[tokio::test]
    async fn an_open_file_is_what_the_engine_says_it_is() {
        let place = TempDir::new(cap_std::ambient_authority()).expect("a place");
        let (mut state, handle) = holding(&place);
        for question in [KIND, METADATA, HASH] {
            let found = open_file(&mut state, &handle, question).expect("it is open");
            let mut files = state.filesystem();
            let kind = files.get_type(again(&handle)).await.expect("a kind");
            let theirs = files.stat(again(&handle)).await.expect("metadata");
            let their_hash = files.metadata_hash(again(&handle)).await.expect("a hash");
            let their_flags = files.get_flags(again(&handle)).await.expect("flags");
            assert_eq!(kind_of(&found), kind);
            assert_eq!(format!("{:?}", metadata(&found)), format!("{theirs:?}"));
            assert_eq!(format!("{:?}", hash(&found)), format!("{their_hash:?}"));
            assert_eq!(flags(&mut state, &handle).expect("flags"), their_flags);
        }
    }

    #[test]
    fn one_look_answers_each_question_once_and_only_before_the_next_call() {
        let place = TempDir::new(cap_std::ambient_authority()).expect("a place");
        place.write("file", "").expect("a file");
        let (mut state, handle) = holding(&place);
        let size = |state: &mut State, question| {
            let found = path_below(state, &handle, PathFlags::empty(), "file", question);
            let size = found.expect("it is there").stx_size;
            place.write("file", vec![0; size as usize + 1]).expect("it grows");
            size
        };
        assert_eq!(size(&mut state, METADATA), 0);
        assert_eq!(size(&mut state, HASH), 0, "of the same look");
        assert_eq!(size(&mut state, HASH), 1, "asked once more");
        assert_eq!(size(&mut state, METADATA), 1);
        let _ = state.ctx();
        assert_eq!(size(&mut state, KIND), 2, "after another call");
    }
}
