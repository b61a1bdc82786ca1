//! How the settings of the library are spelled in `tauri.conf.json`.

use wasi_sidecar::{Limit, Setting};

/// The key of a limit below `limits`: its name in camel case.
pub(crate) fn key(limit: Limit) -> String {
    let mut words = limit.name().split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |key, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        key + &initial.to_ascii_uppercase() + rest
    })
}

/// A text of the library, with the keys of the configuration in place of the library's methods.
pub(crate) fn respell(text: &str) -> String {
    Setting::respell(text, |setting| {
        Some(match setting {
            Setting::Limit(limit) => format!("limits.{}", key(limit)),
            Setting::GuestStack => "engine.guestStack".to_owned(),
            Setting::MaxArtifactSize => "engine.maxArtifactSize".to_owned(),
            Setting::MaxGuests => "engine.maxGuests".to_owned(),
            Setting::PooledGuests => "engine.pooledGuests".to_owned(),
            Setting::CompileMemory => "engine.compile.memory".to_owned(),
            Setting::CompileCpuTime => "engine.compile.cpuTime".to_owned(),
            Setting::CompileTime => "engine.compile.time".to_owned(),
            Setting::Trusted => "sha256".to_owned(),
            Setting::DangerousDir => {
                "\"dangerous\": true` beside `host` in `grants.dirs".to_owned()
            }
            _ => return None,
        })
    })
}

/// An error of the library with its causes, in the words of the configuration.
pub(crate) fn explain(error: &wasi_sidecar::Error) -> String {
    respell(&error.chain())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_keys() {
        assert_eq!(key(Limit::Memory), "memory");
        let text = "raise `Limits::call_bytes` or `EngineConfig::max_guests`, not `Command::spawn`";
        let expected = "raise `limits.callBytes` or `engine.maxGuests`, not `Command::spawn`";
        assert_eq!(respell(text), expected);
    }
}
