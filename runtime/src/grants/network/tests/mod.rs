//! Tables of rules, classes and decisions, and what holds for any text.

mod any;
mod classes;
mod policy;
mod rules;

use super::*;

fn rule(text: &str) -> NetworkRule {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn policy(rules: &[&str]) -> NetworkPolicy {
    NetworkPolicy::new(rules.iter().map(|text| rule(text)))
}

fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}
