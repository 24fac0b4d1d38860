//! Keys of groups.

use std::hash::Hash;

/// The key of a group.
pub trait GroupKey: Copy + Default + Eq + Hash + Send + Sync {
    /// Approximate rank of the key in the result: no later key has a lower one.
    fn partition_rank(&self) -> u64;
}
