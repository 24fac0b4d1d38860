//! Text records: delimited lines and JSON.

pub mod blocks;
pub mod delimited;
pub mod json;
mod json_cursor;
pub mod json_objects;
mod plain_json;
mod quoted;
pub mod rows;
mod scan;
pub mod tuples;
mod typed;
