//! The messages between a compile child and its parent, over the child's standard input and output.
//!
//! ```text
//! parent ──► what is to be compiled and how, a secret key, the length of the artifact
//! child  ──► ready, and the fingerprint of its engine
//! parent ──► the artifact
//! child  ──► code or a failure, sealed with the key (BLAKE3, keyed)
//! ```
//!
//! The key comes before any byte of the artifact. So neither another process that writes to the pipe nor a child
//! started by mistake can answer, and a truncated answer is invalid. Lengths are little endian. No length that was read
//! sizes an allocation: memory grows as bytes arrive, up to a limit.

use std::io::{self, Read, Write};

use super::Form;
use crate::{Digest, ErrorKind};

/// Starts the first message in each direction, with the version of the protocol.
const MAGIC: &[u8; 16] = b"wasi-sidecar c02";

/// Most bytes of an error text.
const MAX_TEXT: u64 = 8 << 10;

/// A secret that only the child and its parent know.
pub(crate) type Key = [u8; 32];

/// The first message: everything except the artifact.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The token that the child was started with, so that it answers only its parent.
    pub(crate) token: [u8; 32],
    pub(crate) key: Key,
    pub(crate) form: Form,
    pub(crate) guest_stack: u64,
    /// Limit on the address space in bytes.
    pub(crate) memory: u64,
    /// Limit on CPU time in seconds.
    pub(crate) cpu_seconds: u64,
    /// Size of the artifact in bytes.
    pub(crate) artifact: u64,
    /// Whether nobody waits for the code, so that the child yields to everything else on the machine.
    pub(crate) background: bool,
}

/// The result of the compilation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Code(Vec<u8>),
    Failed(ErrorKind, String),
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The child ended before it was ready: it is not a compile child.
    NeverReady,
    /// The child has another engine: it is another version of the program.
    OtherEngine,
    /// The stream ended.
    Ended,
    /// The code has more bytes than allowed.
    TooLarge(u64),
    /// The bytes do not follow the protocol, or the seal does not match the key.
    Garbage,
}

impl Request {
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.token);
        bytes.extend_from_slice(&self.key);
        bytes.push(match self.form {
            Form::Component => 0,
            Form::Module => 1,
        });
        for number in [self.guest_stack, self.memory, self.cpu_seconds, self.artifact] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.push(self.background.into());
        to.write_all(&bytes)?;
        to.flush()
    }

    pub(crate) fn read(from: &mut impl Read) -> io::Result<Self> {
        let other = || io::Error::from(io::ErrorKind::InvalidData);
        if array::<16>(from)? != *MAGIC {
            return Err(other());
        }
        let (token, key) = (array(from)?, array(from)?);
        let form = match array(from)? {
            [0] => Form::Component,
            [1] => Form::Module,
            _ => return Err(other()),
        };
        let mut number = || array(from).map(u64::from_le_bytes);
        Ok(Self {
            token,
            key,
            form,
            guest_stack: number()?,
            memory: number()?,
            cpu_seconds: number()?,
            artifact: number()?,
            background: match array(from)? {
                [0] => false,
                [1] => true,
                _ => return Err(other()),
            },
        })
    }
}

/// Writes the message that the child is ready.
pub(crate) fn write_ready(to: &mut impl Write, fingerprint: &Digest) -> io::Result<()> {
    to.write_all(MAGIC)?;
    to.write_all(fingerprint.as_bytes())?;
    to.flush()
}

pub(crate) fn read_ready(from: &mut impl Read, fingerprint: &Digest) -> Result<(), Broken> {
    let mut read = || -> io::Result<_> { Ok((array::<16>(from)?, array::<32>(from)?)) };
    match read() {
        Ok((magic, found)) if magic == *MAGIC && found == *fingerprint.as_bytes() => Ok(()),
        Ok((magic, _)) if magic == *MAGIC => Err(Broken::OtherEngine),
        _ => Err(Broken::NeverReady),
    }
}

impl Answer {
    fn parts(&self) -> (u8, &[u8]) {
        match self {
            Self::Code(code) => (0, code),
            Self::Failed(kind, text) => {
                let kind = match kind {
                    ErrorKind::Damaged => 1,
                    ErrorKind::Unsupported => 2,
                    ErrorKind::Compile => 3,
                    ErrorKind::CompileLimit => 4,
                    _ => 5,
                };
                (kind, text.as_bytes())
            }
        }
    }

    pub(crate) fn write(&self, to: &mut impl Write, key: &Key) -> io::Result<()> {
        let (kind, bytes) = self.parts();
        let length = (bytes.len() as u64).to_le_bytes();
        to.write_all(&[kind])?;
        to.write_all(&length)?;
        to.write_all(bytes)?;
        to.write_all(seal(key, kind, bytes).as_bytes())?;
        to.flush()
    }

    /// Reads an answer with at most `max` bytes of code.
    pub(crate) fn read(from: &mut impl Read, key: &Key, max: u64) -> Result<Self, Broken> {
        let ended = |_| Broken::Ended;
        let [kind] = array(from).map_err(ended)?;
        let length = u64::from_le_bytes(array(from).map_err(ended)?);
        if length > if kind == 0 { max } else { MAX_TEXT } {
            return Err(if kind == 0 { Broken::TooLarge(length) } else { Broken::Garbage });
        }
        let mut bytes = Vec::new();
        from.take(length).read_to_end(&mut bytes).map_err(ended)?;
        if bytes.len() as u64 != length {
            return Err(Broken::Ended);
        }
        let sealed: [u8; 32] = array(from).map_err(ended)?;
        // `==` of this type compares in constant time.
        if seal(key, kind, &bytes) != sealed {
            return Err(Broken::Garbage);
        }
        let kind = match kind {
            0 => return Ok(Self::Code(bytes)),
            1 => ErrorKind::Damaged,
            2 => ErrorKind::Unsupported,
            3 => ErrorKind::Compile,
            4 => ErrorKind::CompileLimit,
            5 => ErrorKind::Internal,
            _ => return Err(Broken::Garbage),
        };
        Ok(Self::Failed(kind, String::from_utf8_lossy(&bytes).into_owned()))
    }
}

fn seal(key: &Key, kind: u8, bytes: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    hasher.finalize()
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [7; 32];
    const MAX: u64 = 1000;

    fn written(answer: &Answer) -> Vec<u8> {
        let mut bytes = Vec::new();
        answer.write(&mut bytes, &KEY).expect("memory takes it");
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let request = Request {
            token: [1; 32],
            key: KEY,
            form: Form::Module,
            guest_stack: 2,
            memory: 3,
            cpu_seconds: 4,
            artifact: 5,
            background: true,
        };
        let mut bytes = Vec::new();
        request.write(&mut bytes).expect("memory takes it");
        assert!(Request::read(&mut &*bytes).is_ok_and(|read| read == request));
        for cut in 0..bytes.len() {
            assert!(Request::read(&mut &bytes[..cut]).is_err(), "{cut} bytes");
        }
        let answers = [
            Answer::Code(b"code".to_vec()),
            Answer::Code(Vec::new()),
            Answer::Failed(ErrorKind::Damaged, "why".into()),
            Answer::Failed(ErrorKind::Unsupported, String::new()),
            Answer::Failed(ErrorKind::Compile, "ä".into()),
            Answer::Failed(ErrorKind::CompileLimit, "x".into()),
            Answer::Failed(ErrorKind::Internal, "x".into()),
        ];
        for answer in answers {
            let read = Answer::read(&mut &*written(&answer), &KEY, MAX);
            assert!(matches!(&read, Ok(read) if *read == answer), "{answer:?}: {read:?}");
        }
    }

    #[test]
    fn an_answer_is_whole_and_sealed_or_none() {
        let bytes = written(&Answer::Code(b"code".to_vec()));
        for cut in 0..bytes.len() {
            let read = Answer::read(&mut &bytes[..cut], &KEY, MAX);
            assert!(matches!(read, Err(Broken::Ended)), "{cut} bytes: {read:?}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(Answer::read(&mut &*altered, &KEY, MAX).is_err(), "bit {bit}");
        }
        assert!(matches!(Answer::read(&mut &*bytes, &[8; 32], MAX), Err(Broken::Garbage)));
        let error = Answer::read(&mut &*written(&Answer::Code(vec![0; 1001])), &KEY, MAX);
        assert!(matches!(error, Err(Broken::TooLarge(1001))), "{error:?}");
    }

    #[test]
    fn a_length_takes_no_memory_by_itself() {
        let mut claims = vec![0];
        claims.extend_from_slice(&u64::MAX.to_le_bytes());
        let read = Answer::read(&mut &*claims, &KEY, u64::MAX);
        assert!(matches!(read, Err(Broken::Ended)), "{read:?}");
    }

    #[test]
    fn whoever_is_no_child_is_told_from_another_version() {
        let (ours, other) = (Digest::of(b"ours"), Digest::of(b"other"));
        let mut ready = Vec::new();
        write_ready(&mut ready, &ours).expect("memory takes it");
        assert!(read_ready(&mut &*ready, &ours).is_ok());
        assert!(matches!(read_ready(&mut &*ready, &other), Err(Broken::OtherEngine)));
        assert!(matches!(read_ready(&mut &ready[..20], &ours), Err(Broken::NeverReady)));
        let usage = b"error: unexpected argument, and much more of it".as_slice();
        assert!(matches!(read_ready(&mut &*usage, &ours), Err(Broken::NeverReady)));
    }
}
