//! macOS: checks at the start of the app whether this process may execute code that it generates.
//!
//! macOS kills a hardened (notarised) app without a message when it executes memory that it wrote, which happens at the
//! first start of a component. An entitlement permits it.

/// The entitlement that a hardened app needs.
/// <https://developer.apple.com/documentation/bundleresources/entitlements/com.apple.security.cs.allow-unsigned-executable-memory>
#[cfg(any(target_os = "macos", test))]
const ENTITLEMENT: &str = "com.apple.security.cs.allow-unsigned-executable-memory";

#[cfg(not(target_os = "macos"))]
pub(crate) fn check() -> crate::Result<()> {
    Ok(())
}

/// Refuses the start of an app that macOS would kill later.
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

/// Whether the kernel's entitlements, a property list after a header of 8 bytes, contain [`ENTITLEMENT`].
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

    // From `cs_blobs.h` and `codesign.h` of XNU.
    const CS_OPS_STATUS: u32 = 0;
    const CS_OPS_ENTITLEMENTS_BLOB: u32 = 7;
    const CS_RUNTIME: u32 = 0x0001_0000;

    /// Larger than any entitlements. The kernel refuses a buffer that is too small.
    const MAX_ENTITLEMENTS: usize = 64 << 10;

    unsafe extern "C" {
        fn csops(pid: i32, ops: u32, useraddr: *mut c_void, usersize: usize) -> i32;
    }

    fn ask(operation: u32, buffer: &mut [u8]) -> bool {
        let Ok(pid) = i32::try_from(std::process::id()) else { return false };
        // SAFETY: the kernel writes at most `usersize` bytes to `useraddr`, which has that length and outlives the call.
        unsafe { csops(pid, operation, buffer.as_mut_ptr().cast(), buffer.len()) == 0 }
    }

    pub(super) fn is_hardened() -> bool {
        let mut flags = [0; 4];
        ask(CS_OPS_STATUS, &mut flags) && u32::from_ne_bytes(flags) & CS_RUNTIME != 0
    }

    /// `None` if the kernel does not return them; the app may then start.
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
