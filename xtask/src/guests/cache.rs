//! Keys: when what is there is still what would be made.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Gathers what a result depends on.
#[derive(Clone, Default)]
pub(super) struct Key(Sha256);

impl Key {
    pub(super) fn text(mut self, text: &str) -> Key {
        // The length keeps two texts from running into each other.
        self.0.update(text.len().to_le_bytes());
        self.0.update(text);
        self
    }

    pub(super) fn file(mut self, path: &Path) -> Result<Key> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.0.update(bytes.len().to_le_bytes());
        self.0.update(bytes);
        Ok(self)
    }

    pub(super) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a built guest was made with this key.
pub(super) fn is_fresh(output: &Path, key: &str) -> bool {
    output.is_file() && fs::read_to_string(key_file(output)).is_ok_and(|found| found == key)
}

/// Puts a guest in its place. Who opens the place finds the old one or the new one, never a part.
pub(super) fn publish(made: &Path, output: &Path, key: &str) -> Result<()> {
    let put = || -> std::io::Result<()> {
        if let Some(folder) = output.parent() {
            fs::create_dir_all(folder)?;
        }
        let key_file = key_file(output);
        // Without its key first, lest a crash in between leaves the new file with the old one's key.
        match fs::remove_file(&key_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let aside = output.with_extension("partial");
        fs::copy(made, &aside)?;
        fs::rename(&aside, output)?;
        fs::write(key_file, key)
    };
    put().with_context(|| format!("cannot write {}", output.display()))
}

/// Beside the guest: `echo.wasm` has `.echo.key`.
fn key_file(output: &Path) -> PathBuf {
    let name = output.file_stem().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_where_texts_end() {
        let one = Key::default().text("ab").text("c").finish();
        let other = Key::default().text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_eq!(one, Key::default().text("ab").text("c").finish());
    }

    #[test]
    fn a_guest_is_fresh_with_its_own_key_only() {
        let folder = std::env::temp_dir().join(format!("xtask-cache-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        let (made, output) = (folder.join("made"), folder.join("out/echo.wasm"));
        fs::write(&made, "code").expect("a file");
        assert!(!is_fresh(&output, "one"));
        publish(&made, &output, "one").expect("published");
        assert!(is_fresh(&output, "one"));
        assert!(!is_fresh(&output, "two"));
        fs::remove_file(&output).expect("removed");
        assert!(!is_fresh(&output, "one"));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
