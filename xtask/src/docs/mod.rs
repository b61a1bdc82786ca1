//! Pages of `docs` with a section that a command writes.

pub(crate) mod machine;
pub(crate) mod map;
pub(crate) mod section;
