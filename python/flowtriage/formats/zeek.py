"""Zeek `conn.log`, TSV and JSON; also as `write_flows` writes it, with columns that Zeek has not.

Source: https://docs.zeek.org/en/master/logs/conn.html
"""

from flowtriage.formats.declaration import Column, Ends, Format

ZEEK = Format(
    name="zeek",
    title="Zeek conn.log",
    signature=("ts", ("conn_state", "orig_bytes", "orig_pkts", "orig_ip_bytes")),
    ends=(Ends("id.orig_h", "id.resp_h"), Ends("id_orig_h", "id_resp_h")),
    columns=(
        Column("start_time", "time", ("ts",), unit="s"),
        Column("end_time", "duration", ("duration",), unit="s"),
        Column("src_port", "port", ("id.orig_p", "id_orig_p")),
        Column("dst_port", "port", ("id.resp_p", "id_resp_p")),
        Column("protocol", "protocol", ("proto",)),
        Column("service", "text", ("service",)),
        Column("src_bytes", "count", ("orig_ip_bytes",)),
        Column("dst_bytes", "count", ("resp_ip_bytes",)),
        Column("src_packets", "count", ("orig_pkts",)),
        Column("dst_packets", "count", ("resp_pkts",)),
        Column("src_payload_bytes", "count", ("orig_bytes",)),
        Column("dst_payload_bytes", "count", ("resp_bytes",)),
        Column("flows", "count", ("flows",)),
        Column("flows", "one"),
        Column("denied_flows", "count", ("denied_flows",)),
        Column("reported_direction", "direction", ("reported_direction",)),
        Column("tcp_flags", "text", ("tcp_flags",)),
        Column("state", "text", ("conn_state",)),
        Column("host", "text", ("@system", "_system_name")),
    ),
    nulls=("-", "(empty)"),
    reporters=True,
    counters="flow",
    limits=("no refused connections but as states such as REJ",),
    keep=(("@stream", ("conn",)), ("_path", ("conn",))),
)
