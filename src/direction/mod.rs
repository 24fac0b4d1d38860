//! Direction of flows: the rules and their application.

pub mod classify;
pub mod rules;
