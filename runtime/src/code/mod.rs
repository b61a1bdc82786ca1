//! Loads artifacts, and finds or compiles their machine code.

mod compilation;
mod component;
mod options;
mod precompiled;
mod source;
mod status;

pub use component::Component;
pub use options::LoadOptions;
pub use precompiled::CodeLabel;
pub use source::ArtifactSource;
pub use status::{CodeOrigin, Status, StatusWatch};
