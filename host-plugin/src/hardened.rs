//! macOS: whether this process may make code.
//!
//! A hardened (notarised) app may not map memory that it has written as code, and is killed by the system when it tries:
//! at the first start of a component, without a word. With an entitlement it may. So it is looked at when the app starts.

/// The entitlement that a hardened app needs.
/// <https://developer.apple.com/documentation/bundleresources/entitlements/com.apple.security.cs.allow-unsigned-executable-memory>
#[cfg(any(target_os = "macos", test))]
const ENTITLEMENT: &str = "com.apple.security.cs.allow-unsigned-executable-memory";

/// Nothing to check.
#[cfg(not(target_os = "macos"))]
pub(crate) fn check() -> crate::Result<()> {
    Ok(())
}

/// Refuses to start an app that would be killed later.
#[cfg(target_os = "macos")]
pub(crate) fn check() -> crate::Result<()> {
    if !macos::is_hardened() || macos::entitlements().is_none_or(|blob| allows(&blob)) {
        return Ok(());
    }
    Err(crate::Error::Config(format!(
        "this app is hardened and lacks the entitlement `{ENTITLEMENT}`, without which macOS kills it when it compiles a \
         sidecar; add it to the entitlements file named in `tauri.conf.json > bundle > macOS > entitlements`"
    )))
}

/// Whether entitlements, as the kernel hands them out (a property list behind a header of 8 bytes), have ours.
#[cfg(any(target_os = "macos", test))]
fn allows(blob: &[u8]) -> bool {
    let list = String::from_utf8_lossy(blob.get(8..).unwrap_or_default());
    let Some((_, value)) = list.split_once(&format!("<key>{ENTITLEMENT}</key>")) else {
        return false;
    };
    value.trim_start().starts_with("<true/>")
}

#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "the system has no other way to ask for a process's entitlements")]
mod macos {
    use std::ffi::c_void;

    /// `cs_blobs.h` and `codesign.h` of XNU.
    const CS_OPS_STATUS: u32 = 0;
    const CS_OPS_ENTITLEMENTS_BLOB: u32 = 7;
    const CS_RUNTIME: u32 = 0x0001_0000;

    /// Larger than any entitlements are; the kernel refuses what does not fit.
    const MAX_ENTITLEMENTS: usize = 64 << 10;

    unsafe extern "C" {
        fn csops(pid: i32, ops: u32, useraddr: *mut c_void, usersize: usize) -> i32;
    }

    fn ask(operation: u32, buffer: &mut [u8]) -> bool {
        let Ok(pid) = i32::try_from(std::process::id()) else { return false };
        // SAFETY: the kernel writes at most `usersize` bytes to `useraddr`, which is that large and lives through the call.
        unsafe { csops(pid, operation, buffer.as_mut_ptr().cast(), buffer.len()) == 0 }
    }

    pub(super) fn is_hardened() -> bool {
        let mut flags = [0; 4];
        ask(CS_OPS_STATUS, &mut flags) && u32::from_ne_bytes(flags) & CS_RUNTIME != 0
    }

    /// None where they cannot be had: then nothing is known, and nothing refused.
    pub(super) fn entitlements() -> Option<Vec<u8>> {
        let mut blob = vec![0; MAX_ENTITLEMENTS];
        ask(CS_OPS_ENTITLEMENTS_BLOB, &mut blob).then_some(blob)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entitlement_is_found_where_it_is_true() {
        let list = |value: &str| {
            let key = format!("<key>{ENTITLEMENT}</key>");
            format!("\u{7f}\0\0\0\0\0\0\0<plist><dict>{key}\n\t{value}</dict></plist>").into_bytes()
        };
        assert!(allows(&list("<true/>")));
        assert!(!allows(&list("<false/>")));
        assert!(!allows(b"12345678<plist><dict></dict></plist>"));
        assert!(!allows(b""));
    }
}
