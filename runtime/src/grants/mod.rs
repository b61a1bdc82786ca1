//! What a guest may access: nothing, unless it is granted here.
//!
//! Each kind of grant has its own file or folder: how to write it, what is refused, and how it takes effect.

mod dirs;
pub(crate) mod env;
mod grant_error;
mod held;
pub(crate) mod host_dir;
pub(crate) mod network;
mod sensitive;

pub(crate) use dirs::Preopen;
pub use dirs::{Access, DirGrant};
pub use held::Grants;
pub use network::NetworkRule;

use crate::{Error, ErrorKind};

fn refusal(text: String) -> Error {
    Error::new(ErrorKind::Grant, text)
}
