//! Reads and writes buffers of any size: one call transfers as much of a buffer as the limit on calls allows.
//!
//! A short read or write is legal, and the C libraries of guests continue from there. wasmtime transfers the bytes of a
//! call in one piece, so an append that fits is one append.

use wasmtime::{Caller, Linker};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as engine, WasiSnapshotPreview1};
use wiggle::{GuestMemory, GuestPtr};

use super::{MODULE, OutOf, SUCCESS, State, lend};
use crate::Limit;

/// Bytes of an entry in a list of buffers: an address and a length.
const ENTRY: usize = 8;

/// The bytes that a call transfers.
enum Buffer {
    /// All of the first buffer in this list. If the list is invalid, wasmtime returns the error.
    Whole { list: i32, count: i32 },
    /// A part of a buffer.
    Part { at: u32, length: u32 },
}

macro_rules! transfers {
    ($linker:ident: $($name:ident $direction:ident ($($offset:ident: $type:ty)?);)*) => {
        $($linker.func_wrap_async(
            MODULE,
            stringify!($name),
            |mut caller: Caller<'_, State>,
             (file, list, count, $($offset,)? moved): (i32, i32, i32, $($type,)? i32)| {
                Box::new(async move {
                    let (mut memory, state, most) = lend(&mut caller)?;
                    // wasmtime counts the entry of the list as well.
                    state.wasi.set_hostcall_fuel(most.saturating_add(ENTRY));
                    let wasi = state.preview1();
                    match buffer(&memory, list, count, most)? {
                        Buffer::Whole { list, count } => {
                            engine::$name(wasi, &mut memory, file, list, count, $($offset,)? moved).await
                        }
                        Buffer::Part { at, length } => {
                            let mut part = Part::new(&memory, Direction::$direction, at, length)?;
                            let errno = engine::$name(
                                wasi, &mut part.memory(), file, Part::LIST, 1, $($offset,)? Part::MOVED,
                            )
                            .await?;
                            if errno == SUCCESS {
                                part.finish(&mut memory, moved)?;
                            }
                            Ok(errno)
                        }
                    }
                })
            },
        )?;)*
    };
}

pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    transfers! { linker:
        fd_read In ();
        fd_pread In (offset: i64);
        fd_write Out ();
        fd_pwrite Out (offset: i64);
    }
    Ok(())
}

/// What wasmtime transfers: the first buffer that is not empty, limited to `most` bytes.
fn buffer(
    memory: &GuestMemory<'_>,
    list: i32,
    count: i32,
    most: usize,
) -> wasmtime::Result<Buffer> {
    let whole = Buffer::Whole { list, count };
    let (start, count) = (list.cast_unsigned(), count.cast_unsigned() as usize);
    // The whole list is passed, however little of it is used.
    if count > most / ENTRY {
        return Err(OutOf(Limit::CallBytes).into());
    }
    for n in 0..count {
        let entry = u32::try_from(n * ENTRY).ok().and_then(|offset| start.checked_add(offset));
        let Some(entry) = entry else { return Ok(whole) };
        let found = memory.as_slice(GuestPtr::new((entry, ENTRY as u32)));
        let Ok(Some(&[a, b, c, d, e, f, g, h])) = found else { return Ok(whole) };
        let (at, length) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        if length == 0 {
            continue;
        }
        if length as usize <= most {
            return Ok(Buffer::Whole { list: entry.cast_signed(), count: 1 });
        }
        // Fails before transferring anything if the buffer is not in the guest's memory.
        memory.as_slice(GuestPtr::new((at, length)))?;
        return Ok(Buffer::Part { at, length: u32::try_from(most).unwrap_or(length) });
    }
    Ok(whole)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From the host into the guest.
    In,
    Out,
}

/// A small memory with a list of one buffer, from which wasmtime transfers a part of a longer one. The guest's own list
/// has the full length, and must not be changed.
struct Part {
    bytes: Vec<u8>,
    direction: Direction,
    at: u32,
}

impl Part {
    /// Addresses of the list, of the number of transferred bytes, and of the bytes.
    const LIST: i32 = 0;
    const MOVED: i32 = 8;
    const BYTES: usize = 16;

    fn new(
        memory: &GuestMemory<'_>,
        direction: Direction,
        at: u32,
        length: u32,
    ) -> wasmtime::Result<Self> {
        let mut bytes = match direction {
            Direction::In => vec![0; Self::BYTES + length as usize],
            Direction::Out => {
                let mut bytes = Vec::with_capacity(Self::BYTES + length as usize);
                bytes.resize(Self::BYTES, 0);
                bytes.extend_from_slice(&memory.as_cow(GuestPtr::new((at, length)))?);
                bytes
            }
        };
        bytes[..4].copy_from_slice(&(Self::BYTES as u32).to_le_bytes());
        bytes[4..ENTRY].copy_from_slice(&length.to_le_bytes());
        Ok(Self { bytes, direction, at })
    }

    fn memory(&mut self) -> GuestMemory<'_> {
        GuestMemory::Unshared(&mut self.bytes)
    }

    /// Copies what was read to the guest, and stores how much was transferred.
    fn finish(mut self, memory: &mut GuestMemory<'_>, moved: i32) -> wasmtime::Result<()> {
        let length = self.memory().read(GuestPtr::<u32>::new(Self::MOVED.cast_unsigned()))?;
        if self.direction == Direction::In {
            let end = Self::BYTES + length as usize;
            let read = self.bytes.get(Self::BYTES..end).unwrap_or_default();
            memory.copy_from_slice(read, GuestPtr::<[u8]>::new((self.at, length)))?;
        }
        Ok(memory.write(GuestPtr::<u32>::new(moved.cast_unsigned()), length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transferred bytes, in words.
    fn chosen(bytes: &mut [u8], list: i32, count: i32, most: usize) -> String {
        match buffer(&GuestMemory::Unshared(bytes), list, count, most) {
            Ok(Buffer::Whole { list, count }) => format!("{count} at {list}"),
            Ok(Buffer::Part { at, length }) => format!("{length} bytes from {at}"),
            Err(error) => error.to_string(),
        }
    }

    /// A memory of 200 bytes with such a list at address 8.
    fn listed(buffers: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; 8];
        for (at, length) in buffers {
            bytes.extend_from_slice(&at.to_le_bytes());
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        bytes.resize(200, 0);
        bytes
    }

    #[test]
    fn the_first_buffer_is_moved_and_of_a_long_one_a_part() {
        let rows: [(&[(u32, u32)], &str); 8] = [
            (&[(100, 64)], "1 at 8"),
            (&[(100, 65)], "64 bytes from 100"),
            (&[(0, 200)], "64 bytes from 0"),
            (&[(100, 0), (100, 5), (0, 200)], "1 at 16"),
            (&[(100, 0), (0, 0), (0, 200)], "64 bytes from 0"),
            // wasmtime handles empty buffers.
            (&[(7, 0), (8, 0)], "2 at 8"),
            // Not in memory: for a short buffer, wasmtime returns the error.
            (&[(199, 2)], "1 at 8"),
            (&[], "0 at 8"),
        ];
        for (buffers, expected) in rows {
            let mut bytes = listed(buffers);
            let count = i32::try_from(buffers.len()).expect("a few");
            assert_eq!(chosen(&mut bytes, 8, count, 64), expected, "{buffers:?}");
        }
        for buffers in [[(199, 65)], [(0, 201)], [(u32::MAX, u32::MAX)]] {
            let said = chosen(&mut listed(&buffers), 8, 1, 64);
            assert!(said.contains("out of bounds"), "{buffers:?}: {said}");
        }
    }

    #[test]
    fn a_list_that_is_nowhere_is_for_the_engine_and_one_without_end_is_a_limit() {
        let mut bytes = listed(&[]);
        for list in [193, 200, -8, -1, i32::MAX] {
            assert_eq!(chosen(&mut bytes, list, 1, 64), format!("1 at {list}"));
        }
        assert_eq!(chosen(&mut bytes, 8, 8, 64), "8 at 8");
        assert_eq!(chosen(&mut bytes, 8, 9, 64), "out of bytes of one call");
        assert_eq!(chosen(&mut bytes, 8, -1, 64), "out of bytes of one call");
    }

    #[test]
    fn nothing_but_what_was_read_reaches_the_guest() {
        let mut bytes = vec![7_u8; 100];
        let mut memory = GuestMemory::Unshared(&mut bytes);
        let mut part = Part::new(&memory, Direction::In, 40, 20).expect("it lies in memory");
        part.bytes[Part::BYTES..Part::BYTES + 3].copy_from_slice(b"abc");
        part.bytes[8..12].copy_from_slice(&3_u32.to_le_bytes());
        part.finish(&mut memory, 4).expect("it lies in memory");
        let mut expected = vec![7_u8; 100];
        expected[4..8].copy_from_slice(&3_u32.to_le_bytes());
        expected[40..43].copy_from_slice(b"abc");
        assert_eq!(bytes, expected);
    }
}
