"""Suricata EVE JSON, events of type `flow`.

Source: https://docs.suricata.io/en/latest/output/eve/eve-json-format.html
"""

from flowtriage.formats.declaration import Column, Ends, Format

SURICATA = Format(
    name="suricata",
    title="Suricata EVE",
    signature=("event_type", "timestamp"),
    ends=(Ends("src_ip", "dest_ip"),),
    columns=(
        Column("start_time", "time", ("flow.start",), unit="s"),
        Column("end_time", "time", ("flow.end",), unit="s"),
        Column("src_port", "port", ("src_port",)),
        Column("dst_port", "port", ("dest_port",)),
        Column("protocol", "protocol", ("proto",)),
        Column("service", "text", ("app_proto",), values=(("failed", ""), ("unknown", ""))),
        Column("src_bytes", "count", ("flow.bytes_toserver",)),
        Column("dst_bytes", "count", ("flow.bytes_toclient",)),
        Column("src_packets", "count", ("flow.pkts_toserver",)),
        Column("dst_packets", "count", ("flow.pkts_toclient",)),
        Column("flows", "one", when=(("flow.action", ("", "pass", "accept")),)),
        Column("denied_flows", "one", when=(("flow.action", ("drop", "reject")),)),
        Column("state", "text", ("flow.state",)),
        Column("tcp_flags", "flags", ("tcp.tcp_flags",), unit="hex"),
        Column("host", "text", ("host",)),
    ),
    keep=(("event_type", ("flow",)),),
    counters="flow",
    limits=("bytes are those of link-layer frames: 14 more a packet than IP bytes on Ethernet",),
)
