//! Aggregates of flows: the index, the timeline, the top N, the summary by autonomous system.

pub mod index;
pub mod summary;
pub mod timeline;
pub mod top_n;
