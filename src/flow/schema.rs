//! The canonical flow schema and the measures of aggregates.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Type of every time in the canonical schema and in results.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The canonical flow schema.
pub static CANONICAL: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        field("start_time", timestamp()),
        field("end_time", timestamp()),
        field("src_ip", DataType::Utf8),
        field("dst_ip", DataType::Utf8),
        field("src_port", DataType::UInt16),
        field("dst_port", DataType::UInt16),
        field("protocol", DataType::Utf8),
        field("service", DataType::Utf8),
        field("src_bytes", DataType::Int64),
        field("dst_bytes", DataType::Int64),
        field("src_packets", DataType::Int64),
        field("dst_packets", DataType::Int64),
        field("flows", DataType::Int64),
        field("denied_flows", DataType::Int64),
        field("reported_direction", DataType::Utf8),
        field("state", DataType::Utf8),
        field("tcp_flags", DataType::Utf8),
        field("host", DataType::Utf8),
    ]))
});

/// The columns that aggregates of flows need beside their keys: those of endpoints, times and
/// counters, and those that tell the direction and the initiator; also as a flow index names them.
pub const AGGREGATED: &[&str] = &[
    "src_ip",
    "source",
    "dst_ip",
    "dest",
    "service",
    "L7Protocol",
    "flows",
    "TotalAllowedFlows",
    "denied_flows",
    "src_bytes",
    "dst_bytes",
    "src_packets",
    "dst_packets",
    "start_time",
    "first_seen",
    "end_time",
    "last_seen",
    "direction",
    "FlowDirection",
    "reported_direction",
    "src_port",
    "dst_port",
    "protocol",
    "tcp_flags",
];

/// Nullable sums of an aggregate, in column order.
pub const SUMS: [&str; 5] = [
    "denied_flows",
    "src_bytes",
    "dst_bytes",
    "src_packets",
    "dst_packets",
];
