//! Spells the library's settings as options of this program.

use wasi_sidecar::{Limit, Setting};

/// The option of a limit, without dashes.
pub(crate) fn option(limit: Limit) -> String {
    limit.name().replace('_', "-")
}

/// Replaces the library's methods in a text with options of this program.
pub(crate) fn respell(text: &str) -> String {
    Setting::respell(text, |setting| {
        Some(match setting {
            Setting::Limit(limit) => format!("--{}", option(limit)),
            Setting::GuestStack => "--guest-stack".to_owned(),
            Setting::MaxArtifactSize => "--max-artifact-size".to_owned(),
            Setting::CompileMemory => "--compile-memory".to_owned(),
            // One option sets both limits.
            Setting::CompileCpuTime | Setting::CompileTime => "--compile-time".to_owned(),
            Setting::Trusted => "--trust".to_owned(),
            Setting::DangerousDir => "--dangerous-dir".to_owned(),
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_options() {
        let text = "raise `Limits::call_bytes`, `CompileChild::time` or `EngineConfig::max_guests`";
        let expected = "raise `--call-bytes`, `--compile-time` or `EngineConfig::max_guests`";
        assert_eq!(respell(text), expected);
    }
}
