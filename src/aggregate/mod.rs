//! Grouping flows: the index, the summary and the timeline.

pub mod groups;
pub mod index;
pub mod keys;
pub mod measures;
pub mod summary;
pub mod timeline;
