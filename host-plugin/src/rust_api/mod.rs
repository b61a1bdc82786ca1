//! The API for apps in Rust.

mod about;
mod ext;
pub mod process;
mod sidecars;

pub use about::{About, AboutDir};
pub use ext::{ShellExt, SidecarExt};
pub use sidecars::Sidecars;
