"""The canonical flow schema itself."""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format

CANONICAL = Format(
    name="canonical",
    title="flowtriage canonical flows",
    signature=("start_time", "flows"),
    endpoints=(Endpoints("src_ip", "dst_ip"),),
    columns=(
        FieldMapping("start_time", "time", ("start_time",), unit="s"),
        FieldMapping("end_time", "time", ("end_time",), unit="s"),
        FieldMapping("src_port", "port", ("src_port",)),
        FieldMapping("dst_port", "port", ("dst_port",)),
        FieldMapping("protocol", "protocol", ("protocol",)),
        FieldMapping("service", "text", ("service",)),
        FieldMapping("src_bytes", "count", ("src_bytes",)),
        FieldMapping("dst_bytes", "count", ("dst_bytes",)),
        FieldMapping("src_packets", "count", ("src_packets",)),
        FieldMapping("dst_packets", "count", ("dst_packets",)),
        FieldMapping("src_payload_bytes", "count", ("src_payload_bytes",)),
        FieldMapping("dst_payload_bytes", "count", ("dst_payload_bytes",)),
        FieldMapping("flows", "count", ("flows",)),
        FieldMapping("denied_flows", "count", ("denied_flows",)),
        FieldMapping("reported_direction", "direction", ("reported_direction",)),
        FieldMapping("state", "text", ("state",)),
        FieldMapping("tcp_flags", "text", ("tcp_flags",)),
        FieldMapping("host", "text", ("host",)),
        FieldMapping("direction", "direction", ("direction",)),
        FieldMapping("direction_reason", "text", ("direction_reason",)),
    ),
    counters=None,
)
