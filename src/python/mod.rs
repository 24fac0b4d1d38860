//! The binding: the only room that uses pyo3.

#![expect(
    clippy::needless_pass_by_value,
    reason = "pyo3 passes arguments by value"
)]

mod aggregate;
mod detect;
mod direction;
mod enrich;
mod error;
mod flow;
mod flow_parts;
mod flow_words;
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
    use super::detect::hunt;
    #[pymodule_export]
    use super::direction::classify_direction;
    #[pymodule_export]
    use super::enrich::{AsnFiles, CityFiles};
    #[pymodule_export]
    use super::flow::{canonical_schema, protocol_keywords};
    #[pymodule_export]
    use super::flow_parts::FlowParts;
    #[pymodule_export]
    use super::flow_words::flow_words;
    #[pymodule_export]
    use super::ip::{AddressRanges, canonical_address};
    #[pymodule_export]
    use super::normalise::{normalise_block, normalise_table, whole_records};
    #[pymodule_export]
    use super::quality::QualityMeter;
    #[pymodule_export]
    use super::records::{FlowHashes, RepeatedFlows, distinct_observations, stitch};
    #[pymodule_export]
    use super::search::{connection_sets, expanded_search};
}
