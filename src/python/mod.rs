//! The only place that knows Python.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Python hands its arguments over by value"
)]

mod aggregate;
mod direction;
mod enrich;
mod error;
mod flow;
mod gateway;
mod ip;
mod normalise;
mod quality;
mod records;
mod search;

use pyo3::pymodule;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::aggregate::{flow_index, flow_summary, timeline, top_n};
    #[pymodule_export]
    use super::direction::classify_direction;
    #[pymodule_export]
    use super::enrich::{AsnFiles, CityFiles};
    #[pymodule_export]
    use super::flow::{flow_words, protocol_keywords};
    #[pymodule_export]
    use super::ip::{AddressRanges, canonical_address};
    #[pymodule_export]
    use super::normalise::{canonical_schema, normalise_block, normalise_table, whole_records};
    #[pymodule_export]
    use super::quality::quality;
    #[pymodule_export]
    use super::records::{distinct_observations, repeated_starts, stitch, superseded_records};
    #[pymodule_export]
    use super::search::{connection_sets, expanded_search};
}
