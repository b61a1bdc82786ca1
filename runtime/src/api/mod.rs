//! The public API of a child: start it, talk to it, end it. Modelled on [`tokio::process`].

mod child;
mod child_ref;
mod command;
mod events;
mod framing;
mod lines;
mod pump;
mod sidecar;

pub use child::{Child, Output};
pub use child_ref::ChildRef;
pub use command::Command;
pub use events::{CommandChild, CommandEvent, TerminatedPayload};
pub use framing::Framing;
pub use lines::LineSplitter;
pub use sidecar::{Sidecar, When};
