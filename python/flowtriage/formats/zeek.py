"""Zeek `conn.log`, TSV and JSON; also with the additional columns of `write_flows`.

Source: https://docs.zeek.org/en/master/logs/conn.html
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.initiator import Initiator

ZEEK = Format(
    name="zeek",
    title="Zeek conn.log",
    signature=("ts", ("conn_state", "orig_bytes", "orig_pkts", "orig_ip_bytes")),
    endpoints=(Endpoints("id.orig_h", "id.resp_h"), Endpoints("id_orig_h", "id_resp_h")),
    columns=(
        FieldMapping("start_time", "time", ("ts",), unit="s"),
        FieldMapping("end_time", "duration", ("duration",), unit="s"),
        FieldMapping("src_port", "port", ("id.orig_p", "id_orig_p")),
        FieldMapping("dst_port", "port", ("id.resp_p", "id_resp_p")),
        FieldMapping("protocol", "protocol", ("proto",)),
        FieldMapping("service", "text", ("service",)),
        FieldMapping("src_bytes", "count", ("orig_ip_bytes",)),
        FieldMapping("dst_bytes", "count", ("resp_ip_bytes",)),
        FieldMapping("src_packets", "count", ("orig_pkts",)),
        FieldMapping("dst_packets", "count", ("resp_pkts",)),
        FieldMapping("src_payload_bytes", "count", ("orig_bytes",)),
        FieldMapping("dst_payload_bytes", "count", ("resp_bytes",)),
        FieldMapping("flows", "one"),
        FieldMapping("state", "text", ("conn_state",)),
        FieldMapping("host", "text", ("@system", "_system_name")),
    ),
    written=(
        FieldMapping("flows", "count", ("flows",)),
        FieldMapping("denied_flows", "count", ("denied_flows",)),
        FieldMapping("reported_direction", "direction", ("reported_direction",)),
        FieldMapping("tcp_flags", "text", ("tcp_flags",)),
    ),
    nulls=("-", "(empty)"),
    exporters=True,
    counters="flow",
    limits=("denied connections only as states such as REJ",),
    initiator=Initiator(
        history="history",
        icmp_ports=True,
        unassigned=(("conn_state", ("OTH",)),),
    ),
    keep=(("@stream", ("conn",)), ("_path", ("conn",))),
)
