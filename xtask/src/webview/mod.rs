//! Real webviews: what they need of the system, and the tests that drive them.

pub(crate) mod driver;
pub(crate) mod packages;
