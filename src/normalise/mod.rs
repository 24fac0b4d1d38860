//! Log records to flows in the canonical schema.

mod columns;
pub mod endpoints;
pub mod exchange;
pub mod fields;
mod flow_rows;
pub mod log;
pub mod outcome;
pub mod records;
pub mod spec;
pub mod text;
pub mod times;
pub mod values;
