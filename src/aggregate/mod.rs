//! Grouping flows: the index, the summary and the timeline.

pub mod address_book;
pub mod groups;
pub mod index;
pub mod keys;
pub mod order;
pub mod partition;
pub mod runs;
pub mod summary;
pub mod sums;
pub mod timeline;
