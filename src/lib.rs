//! The core of flowtriage: Arrow in, Arrow out.

#![deny(unsafe_code)]

pub mod aggregate;
pub mod columns;
pub mod detect;
pub mod direction;
pub mod enrich;
pub mod error;
pub mod flow;
pub mod flow_words;
pub mod group_by;
pub mod ip;
pub mod normalise;
mod python;
pub mod quality;
pub mod records;
pub mod search;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
