"""The canonical flow schema itself, as a file or table of it."""

from flowtriage.formats.declaration import Column, Ends, Format

CANONICAL = Format(
    name="canonical",
    title="flowtriage canonical flows",
    signature=("start_time", "flows"),
    ends=(Ends("src_ip", "dst_ip"),),
    columns=(
        Column("start_time", "time", ("start_time",), unit="s"),
        Column("end_time", "time", ("end_time",), unit="s"),
        Column("src_port", "port", ("src_port",)),
        Column("dst_port", "port", ("dst_port",)),
        Column("protocol", "protocol", ("protocol",)),
        Column("service", "text", ("service",)),
        Column("src_bytes", "count", ("src_bytes",)),
        Column("dst_bytes", "count", ("dst_bytes",)),
        Column("src_packets", "count", ("src_packets",)),
        Column("dst_packets", "count", ("dst_packets",)),
        Column("src_payload_bytes", "count", ("src_payload_bytes",)),
        Column("dst_payload_bytes", "count", ("dst_payload_bytes",)),
        Column("flows", "count", ("flows",)),
        Column("denied_flows", "count", ("denied_flows",)),
        Column("reported_direction", "direction", ("reported_direction",)),
        Column("state", "text", ("state",)),
        Column("tcp_flags", "text", ("tcp_flags",)),
        Column("host", "text", ("host",)),
        Column("direction", "direction", ("direction",)),
        Column("direction_reason", "text", ("direction_reason",)),
    ),
    counters=None,
)
