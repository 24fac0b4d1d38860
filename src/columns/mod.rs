//! Arrow columns: import, read, write, intern, build batches.

pub mod batch;
pub mod cast;
pub mod column;
pub mod hashes;
pub mod import;
pub mod interner;
pub mod nulls;
pub mod parallel;
pub mod text;
pub mod write;
