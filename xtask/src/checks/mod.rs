//! Commands that test and check the repository.

pub(crate) mod attacks;
pub(crate) mod lint;
mod new_app;
pub(crate) mod soak;
pub(crate) mod test;
