//! The only place that knows Python.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Python hands its arguments over by value"
)]

mod asn;
mod error;
mod gateway;
mod networks;
mod oa;
mod quality;
mod reading;
mod search;
mod verbs;

use pyo3::pymodule;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::asn::AsnFiles;
    #[pymodule_export]
    use super::networks::{CityFiles, NetworkList};
    #[pymodule_export]
    use super::oa::{RangeList, flow_words, protocol_keywords};
    #[pymodule_export]
    use super::quality::quality;
    #[pymodule_export]
    use super::reading::{canonical_schema, normalise_block, normalise_table, whole_records};
    #[pymodule_export]
    use super::search::{canonical_address, connection_sets, expanded_search};
    #[pymodule_export]
    use super::verbs::{
        classify_direction, distinct_reports, earlier_states, flow_index, flow_summary,
        repeated_starts, stitch, timeline, top_n,
    };
}
