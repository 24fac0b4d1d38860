//! Aggregates of flows: index, timeline, top N, summary by AS.

pub mod index;
pub mod summary;
pub mod timeline;
pub mod top_n;
