"""Suricata EVE JSON, events of type `flow`.

Source: https://docs.suricata.io/en/latest/output/eve/eve-json-format.html
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.initiator import Initiator

_DENIED = ("flow.action", ("drop", "reject"))
SURICATA = Format(
    name="suricata",
    title="Suricata EVE",
    signature=("event_type", "timestamp"),
    endpoints=(Endpoints("src_ip", "dest_ip"),),
    columns=(
        FieldMapping("start_time", "time", ("flow.start",), unit="s"),
        FieldMapping("end_time", "time", ("flow.end",), unit="s"),
        FieldMapping("src_port", "port", ("src_port",)),
        FieldMapping("dst_port", "port", ("dest_port",)),
        FieldMapping("protocol", "protocol", ("proto",)),
        FieldMapping("service", "text", ("app_proto",), values=(("failed", ""), ("unknown", ""))),
        FieldMapping("src_bytes", "count", ("flow.bytes_toserver",)),
        FieldMapping("dst_bytes", "count", ("flow.bytes_toclient",)),
        FieldMapping("src_packets", "count", ("flow.pkts_toserver",)),
        FieldMapping("dst_packets", "count", ("flow.pkts_toclient",)),
        FieldMapping("flows", "one", unless=(_DENIED,)),
        FieldMapping("denied_flows", "one", when=(_DENIED,)),
        FieldMapping("state", "text", ("flow.state",)),
        FieldMapping("tcp_flags", "flags", ("tcp.tcp_flags",), unit="hex"),
        FieldMapping("host", "text", ("host",)),
    ),
    initiator=Initiator(flags=("tcp.tcp_flags_ts", "tcp.tcp_flags_tc"), icmp="icmp_type"),
    actions=(("flow.action", ("pass", "accept", *_DENIED[1])),),
    keep=(("event_type", ("flow",)),),
    counters="flow",
    limits=("bytes include link-layer headers: 14 bytes per packet on Ethernet",),
)
