//! Decides by keys whether a built guest is up to date.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// A hash of everything that a guest depends on.
#[derive(Clone, Default)]
pub(crate) struct Key(Sha256);

impl Key {
    pub(crate) fn text(mut self, text: &str) -> Key {
        // With its length, so that "ab" + "c" differs from "a" + "bc".
        self.0.update(text.len().to_le_bytes());
        self.0.update(text);
        self
    }

    pub(crate) fn file(mut self, path: &Path) -> Result<Key> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.0.update(bytes.len().to_le_bytes());
        self.0.update(bytes);
        Ok(self)
    }

    pub(crate) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a guest exists and was built with this key.
pub(crate) fn is_fresh(output: &Path, key: &str) -> bool {
    output.is_file() && fs::read_to_string(key_file(output)).is_ok_and(|found| found == key)
}

/// Moves a built guest to its place. Readers find the old file or the new one, never a part.
pub(crate) fn publish(built: &Path, output: &Path, key: &str) -> Result<()> {
    let put = || -> std::io::Result<()> {
        if let Some(folder) = output.parent() {
            fs::create_dir_all(folder)?;
        }
        let key_file = key_file(output);
        // The key goes first, so that a crash does not leave the new file with the old key.
        match fs::remove_file(&key_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let partial = output.with_extension("partial");
        fs::copy(built, &partial)?;
        fs::rename(&partial, output)?;
        fs::write(key_file, key)
    };
    put().with_context(|| format!("cannot write {}", output.display()))
}

/// The key of `echo.wasm` is in `.echo.key` beside it.
fn key_file(output: &Path) -> PathBuf {
    let name = output.file_stem().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_depend_on_the_length_of_texts() {
        let one = Key::default().text("ab").text("c").finish();
        let other = Key::default().text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_eq!(one, Key::default().text("ab").text("c").finish());
    }

    #[test]
    fn a_guest_is_fresh_only_with_its_own_key() {
        let folder = std::env::temp_dir().join(format!("xtask-cache-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let (built, output) = (folder.join("made"), folder.join("out/echo.wasm"));
        fs::write(&built, "code").expect("a file");
        assert!(!is_fresh(&output, "one"));
        publish(&built, &output, "one").expect("published");
        assert!(is_fresh(&output, "one"));
        assert!(!is_fresh(&output, "two"));
        fs::remove_file(&output).expect("removed");
        assert!(!is_fresh(&output, "one"));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
