//! One configured sidecar: its artifact, its grants and limits, and its native fallback.
//!
//! An error in the configuration itself stops the start of the app. A problem of the machine (a missing artifact, a missing
//! granted directory) is an error of starting that sidecar, since it can change while the app runs.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use tauri::{Manager, Runtime};
use wasi_sidecar::{Digest, Framing, Limits, NativeProgram, When, ambient_authority};

use super::{
    grants::GrantList,
    paths,
    schema::{OnReload, RawSidecar},
};
use crate::{Error, Result, spelling::explain};

/// The checked configuration of a sidecar.
#[derive(Clone, Debug)]
pub(crate) struct SidecarConfig {
    pub(crate) name: String,
    /// `None` until the app registers an artifact, or for a sidecar that always runs natively.
    pub(crate) source: Option<SidecarArtifact>,
    /// The digest that the artifact must have.
    pub(crate) pin: Option<Digest>,
    pub(crate) grants: GrantList,
    pub(crate) limits: Limits,
    /// Longest line, in bytes, that is delivered whole.
    pub(crate) max_line: usize,
    pub(crate) native: Option<(NativeProgram, When)>,
    pub(crate) preload: bool,
    /// Whether webviews may use each other's children of this sidecar.
    pub(crate) shared: bool,
    pub(crate) on_reload: OnReload,
}

/// Where an artifact comes from.
#[derive(Clone, Debug)]
pub(crate) enum SidecarArtifact {
    Path(PathBuf),
    /// The only source on Android, where resources are not files.
    Bytes(Bytes),
}

impl SidecarConfig {
    /// The last part of the name: `word-count` of `binaries/word-count`.
    pub(crate) fn short_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name)
    }

    /// A sidecar that is not in the configuration: it has no grants, and default limits.
    pub(crate) fn unconfigured(name: String, source: SidecarArtifact, on_reload: OnReload) -> Self {
        Self {
            name,
            source: Some(source),
            pin: None,
            grants: GrantList::default(),
            limits: Limits::new(),
            max_line: Framing::MAX_LINE,
            native: None,
            preload: false,
            shared: false,
            on_reload,
        }
    }

    /// Checks the configuration of one sidecar. A `registered` artifact takes precedence over the configured one.
    pub(crate) fn from_config<R: Runtime>(
        app: &impl Manager<R>,
        name: &str,
        raw: &RawSidecar,
        registered: Option<SidecarArtifact>,
        on_reload: OnReload,
    ) -> Result<Self> {
        let refuse = |text: String| Error::Config(format!("sidecars.{name}.{text}"));
        let source = match (registered, &raw.component) {
            (Some(source), _) => Some(source),
            (None, Some(Some(path))) => Some(SidecarArtifact::Path(
                paths::resource(app, path)
                    .map_err(|error| refuse(format!("component: {error}")))?,
            )),
            (None, Some(None) | None) => None,
        };
        let native = raw.native.as_ref().map(|native| {
            let path = paths::beside_executable(Path::new(&native.program))
                .map_err(|error| refuse(format!("native.program: {error}")))?;
            Ok::<_, Error>((NativeProgram::new(path, ambient_authority()), native.when))
        });
        let native = native.transpose()?;
        let registered_later = raw.component == Some(None);
        if source.is_none() && !registered_later && !matches!(native, Some((_, When::Always))) {
            return Err(refuse(
                "component: missing; name the .wasm file, or register its bytes with `Builder::component`".into(),
            ));
        }
        let grants = GrantList::from_config(app, &raw.grants).map_err(refuse)?;
        let pin = raw.sha256.as_deref().map(str::parse::<Digest>).transpose();
        Ok(Self {
            name: name.to_owned(),
            source,
            pin: pin.map_err(|error| refuse(format!("sha256: {}", explain(&error))))?,
            grants,
            limits: raw.limits.limits().map_err(refuse)?,
            max_line: raw.limits.max_line().map_err(refuse)?,
            native,
            preload: raw.preload,
            shared: raw.shared,
            on_reload: raw.on_reload.unwrap_or(on_reload),
        })
    }
}
