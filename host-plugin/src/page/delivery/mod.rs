//! Delivers a child's output to the page that started it.

mod batch;
mod channel;
mod decoder;
mod deliver;
mod encoding;
mod event;
mod rate_limit;

pub(crate) use channel::{PageChannel, acknowledge_on_arrival};
pub(crate) use deliver::deliver;
pub(crate) use encoding::{OutputEncoding, OutputOptions};
pub(crate) use event::Payload;
