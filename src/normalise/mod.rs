//! Log records to flows in the canonical schema.

mod addresses;
mod alternatives;
mod columns;
mod counters;
mod dates;
mod decimals;
pub mod endpoints;
pub mod exchange;
pub mod fields;
mod flow_rows;
pub mod given;
mod given_protocols;
pub mod hosts;
pub mod log;
mod other_dates;
pub mod outcome;
pub mod records;
mod services;
mod single_codes;
mod singles;
pub mod spec;
pub mod text;
pub mod times;
mod translated;
pub mod values;
mod whole;
