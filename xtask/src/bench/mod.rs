//! `cargo xtask bench`: compares components with native programs, and measures the plugin's size.

mod chart;
mod page;
mod results;
mod run;
mod size;

pub(crate) use run::{Arguments, run};
