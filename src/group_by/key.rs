//! What groups are told apart by.

use std::hash::Hash;

/// What groups are told apart by.
pub trait GroupKey: Copy + Default + Eq + Hash + Send + Sync {
    /// About where the key will stand in the result: no later key has a lesser place.
    fn place(&self) -> u64;
}
