//! Which way flows go: the rules, and the direction of each flow.

pub mod classify;
pub mod rules;
