//! Parallel GROUP BY: keys, partitions, order, sums.

pub mod address_codes;
pub mod groups;
pub mod key;
pub mod key_columns;
pub mod order;
pub mod partition;
pub mod runs;
pub mod sums;
