//! The engine settings: those that the app made in code, and the configured ones on top.

use std::path::Path;

use tauri::{AppHandle, Manager, Runtime};
use wasi_sidecar::{CodeCache, CompileChild, EngineConfig, ambient_authority, units};

use super::{
    limits::apply,
    schema::{RawCompile, RawConfig},
};
use crate::{Error, Result, spelling::explain};

/// Applies the configuration to the app's engine settings, and keeps compiled code in the app's cache directory.
pub(crate) fn engine_config<R: Runtime>(
    app: &AppHandle<R>,
    raw: &RawConfig,
    mut config: EngineConfig,
) -> Result<EngineConfig> {
    let size = |text: &Option<String>, key| {
        let refuse = |error: wasi_sidecar::Error| {
            Error::Config(format!("engine.{key}: {}", explain(&error)))
        };
        text.as_deref().map(units::parse_size).transpose().map_err(refuse)
    };
    let bytes = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
    let engine = &raw.engine;
    let max_artifact_size = size(&engine.max_artifact_size, "maxArtifactSize")?;
    let guest_stack = size(&engine.guest_stack, "guestStack")?.map(bytes);
    config = apply(config, engine.max_guests, EngineConfig::max_guests);
    config = apply(config, engine.pooled_guests, EngineConfig::pooled_guests);
    config = apply(config, max_artifact_size, EngineConfig::max_artifact_size);
    config = apply(config, guest_stack, EngineConfig::guest_stack);
    if let Some(child) = compile_child(&engine.compile, config.compile_child())? {
        config = config.compile_isolated(child);
    }
    if raw.code_cache == Some(false) {
        return Ok(config);
    }
    // A cache only saves time: without it, every start of the app compiles.
    Ok(match code_cache(app) {
        Ok(cache) => config.code_cache(cache),
        Err(error) => {
            tracing::warn!(%error, "compiled code is not kept");
            config
        }
    })
}

/// A compile child with the configured limits, or `None` if no limit is configured. Limits that the app set on its own
/// compile child remain where the configuration sets none.
fn compile_child(
    raw: &RawCompile,
    from_app: Option<&CompileChild>,
) -> Result<Option<CompileChild>> {
    let RawCompile { memory, cpu_time, time } = raw;
    if memory.is_none() && cpu_time.is_none() && time.is_none() {
        return Ok(None);
    }
    let refuse = |key: &'static str| {
        move |error: wasi_sidecar::Error| {
            Error::Config(format!("engine.compile{key}: {}", explain(&error)))
        }
    };
    let mut child = match from_app {
        Some(child) => child.clone(),
        None => CompileChild::this_program(ambient_authority()).map_err(refuse(""))?,
    };
    if let Some(text) = memory {
        child = child.memory(units::parse_size(text).map_err(refuse(".memory"))?);
        child.check().map_err(refuse(".memory"))?;
    }
    if let Some(text) = cpu_time {
        child = child.cpu_time(units::parse_duration(text).map_err(refuse(".cpuTime"))?);
        child.check().map_err(refuse(".cpuTime"))?;
    }
    if let Some(text) = time {
        child = child.time(units::parse_duration(text).map_err(refuse(".time"))?);
    }
    Ok(Some(child))
}

/// Opens the code cache. The key that seals it lies outside the data directories that an app would grant to a guest: a
/// guest must reach neither the cache nor the key.
fn code_cache<R: Runtime>(app: &AppHandle<R>) -> Result<CodeCache> {
    let unknown = |error: tauri::Error| Error::Config(error.to_string());
    let paths = app.path();
    let cache = paths.app_cache_dir().map_err(unknown)?;
    let keys =
        if cfg!(target_os = "linux") { paths.app_config_dir() } else { paths.app_local_data_dir() };
    let keys = keys.map_err(unknown)?;
    let subdirectory = Path::new("wasi-sidecar");
    Ok(CodeCache::open(
        &cache.join(subdirectory).join("code"),
        &keys.join(subdirectory).join("keys"),
        ambient_authority(),
    )?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn limits_of_the_configuration_come_on_top_of_the_apps_own_compile_child() {
        let from_app = CompileChild::program("/compiler", ambient_authority());
        let raw = RawCompile { time: Some("3 s".into()), ..RawCompile::default() };
        let child = compile_child(&raw, Some(&from_app)).expect("time is limited everywhere");
        let expected = from_app.clone().time(Duration::from_secs(3));
        assert_eq!(format!("{child:?}"), format!("{:?}", Some(expected)));
        if cfg!(target_os = "linux") {
            let from_app = from_app.clone().memory(1 << 30);
            let child = compile_child(&raw, Some(&from_app)).expect("so is memory here");
            let expected = from_app.time(Duration::from_secs(3));
            assert_eq!(format!("{child:?}"), format!("{:?}", Some(expected)));
        }
        let nothing = compile_child(&RawCompile::default(), Some(&from_app));
        assert!(matches!(nothing, Ok(None)), "the app's own stays: {nothing:?}");
    }
}
