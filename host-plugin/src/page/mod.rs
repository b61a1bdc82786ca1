//! What a webview page owns: its children, its limits, and the output on its way to it.

mod child;
mod credits;
pub(crate) mod delivery;
mod input_budget;
mod limits;
mod quota;
mod resources;

pub(crate) use child::{Owner, PageChild};
pub(crate) use credits::Credits;
pub(crate) use input_budget::InputBudget;
pub(crate) use limits::PageLimits;
pub(crate) use quota::{Quota, QuotaLimits, Reservation};
pub(crate) use resources::PageResources;
