//! All children of the app, of Rust and of pages.

mod exit;
mod pages;
mod registry;
mod start;

pub(crate) use registry::{Children, PageEpoch};

#[cfg(test)]
mod tests;
