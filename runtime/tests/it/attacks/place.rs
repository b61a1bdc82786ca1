//! What the rows have to do with files: a directory that is granted, and what lies outside of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use wasi_sidecar::{Access, Grants};

use crate::support::{holding, temporary};

/// Made anew for each row: `inside` is what a row grants, and `outside/secret` is beside it.
pub(super) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let root = temporary();
        let place = Self { root };
        for folder in ["inside/dir/deep", "inside/other", "outside/folder"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        fs::write(place.path("inside/file"), "content").unwrap();
        fs::write(place.path("outside/secret"), "secret").unwrap();
        #[cfg(unix)]
        place.link();
        place
    }

    /// The links that a host, or a careless user, may have put there.
    #[cfg(unix)]
    fn link(&self) {
        let links = [
            ("up", ".."),
            ("beside", "../outside"),
            ("straight", "../outside/secret"),
            ("root", "/"),
            ("passwd", "/etc/passwd"),
            ("self", "self"),
            ("dangling", "made"),
            ("dangling-out", "../outside/made"),
            ("dir/back", ".."),
            ("proc-root", "/proc/self/root"),
            ("proc-fd", "/proc/self/fd/0"),
            ("proc-mem", "/proc/self/mem"),
            ("dev-zero", "/dev/zero"),
            ("dev-tty", "/dev/tty"),
        ];
        for (link, target) in links {
            std::os::unix::fs::symlink(target, self.inside().join(link)).unwrap();
        }
        // One more than any system follows.
        std::os::unix::fs::symlink("../file", self.path("inside/other/chain0")).unwrap();
        for link in 1..42 {
            let target = format!("chain{}", link - 1);
            let link = self.path("inside/other").join(format!("chain{link}"));
            std::os::unix::fs::symlink(target, link).unwrap();
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(super) fn inside(&self) -> PathBuf {
        self.path("inside")
    }

    pub(super) fn granted(&self, access: Access) -> Grants {
        holding(&self.inside(), access)
    }

    /// Puts a FIFO there that nobody writes to: opening it hangs.
    #[cfg(target_os = "linux")]
    pub(super) fn fifo(&self) {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let path = self.path("inside/fifo");
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    }

    /// The other end opens only while somebody waits in there, and lets them go.
    #[cfg(target_os = "linux")]
    pub(super) fn somebody_hangs(&self) -> bool {
        use rustix::fs::{Mode, OFlags, open};

        let flags = OFlags::WRONLY | OFlags::NONBLOCK;
        open(self.path("inside/fifo"), flags, Mode::empty()).is_ok()
    }

    /// Only Linux has them made here.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn fifo(&self) {}

    #[cfg(not(target_os = "linux"))]
    pub(super) fn somebody_hangs(&self) -> bool {
        false
    }

    /// Names and contents of all that no row grants.
    pub(super) fn outside_now(&self) -> Vec<(PathBuf, Vec<u8>)> {
        snapshot(&self.path("outside"))
    }
}

/// Names and contents of everything below a directory; a link is what it leads to.
pub(super) fn snapshot(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            found.extend(snapshot(&path));
            found.push((path, Vec::new()));
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            found.push((path, target.into_os_string().into_encoded_bytes()));
        } else {
            let content = fs::read(&path).unwrap_or_default();
            found.push((path, content));
        }
    }
    found.sort();
    found
}
