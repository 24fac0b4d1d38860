"""OCSF Network Activity (class 4001).

Source: https://schema.ocsf.io/classes/network_activity
"""

from flowtriage.formats.declaration import Column, Ends, Format

OCSF = Format(
    name="ocsf",
    title="OCSF Network Activity",
    signature=("class_uid",),
    ends=(Ends("src_endpoint.ip", "dst_endpoint.ip"),),
    columns=(
        Column("flows", "count", ("unmapped.flows",)),
        Column("denied_flows", "count", ("unmapped.denied_flows",)),
        Column("reported_direction", "direction", ("unmapped.reported_direction",)),
        Column("protocol", "protocol", ("unmapped.protocol",)),
        Column("state", "text", ("unmapped.state",)),
        Column("tcp_flags", "text", ("unmapped.tcp_flags",)),
        Column("src_payload_bytes", "count", ("unmapped.src_payload_bytes",)),
        Column("dst_payload_bytes", "count", ("unmapped.dst_payload_bytes",)),
        Column("start_time", "time", ("start_time_dt", "start_time", "time_dt", "time"), unit="ms"),
        Column("end_time", "time", ("end_time_dt", "end_time"), unit="ms"),
        Column("end_time", "duration", ("duration",), unit="ms"),
        Column("src_port", "port", ("src_endpoint.port",)),
        Column("dst_port", "port", ("dst_endpoint.port",)),
        Column(
            "protocol",
            "protocol",
            ("connection_info.protocol_num", "connection_info.protocol_name"),
            nulls=("-1",),
        ),
        Column("service", "text", ("app_name", "dst_endpoint.svc_name")),
        Column("src_bytes", "count", ("traffic.bytes_out",)),
        Column("dst_bytes", "count", ("traffic.bytes_in",)),
        Column("src_packets", "count", ("traffic.packets_out",)),
        Column("dst_packets", "count", ("traffic.packets_in",)),
        Column("flows", "count", ("count",), when=(("action_id", ("", "0", "1", "3", "4", "99")),)),
        Column("flows", "one", when=(("action_id", ("", "0", "1", "3", "4", "99")),)),
        Column("denied_flows", "count", ("count",), when=(("action_id", ("2",)),)),
        Column("denied_flows", "one", when=(("action_id", ("2",)),)),
        Column(
            "reported_direction",
            "direction",
            ("connection_info.direction_id", "connection_info.direction"),
            values=(
                ("0", ""),
                ("1", "inbound"),
                ("2", "outbound"),
                ("3", "internal"),
                ("4", "internal"),
                ("99", ""),
                ("lateral", "internal"),
                ("local", "internal"),
                ("other", ""),
            ),
        ),
        Column("state", "text", ("status_detail",)),
        Column("tcp_flags", "flags", ("connection_info.tcp_flags",)),
        Column("host", "text", ("device.hostname", "device.ip", "observation_point")),
    ),
    keep=(("class_uid", ("4001",)),),
    reporters=True,
    counters=None,
)
