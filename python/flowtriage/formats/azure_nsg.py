"""Azure NSG flow logs, versions 1 and 2.

Source: https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.layout import Tuples

_PATH = "properties.flows[].flows[].flowTuples[]"
_DENIED = ("decision", ("D", "Denied", "Deny"))
_LATER = ("state", ("C", "E"))
AZURE_NSG = Format(
    name="azure-nsg",
    title="Azure NSG flow log",
    signature=(_PATH,),
    endpoints=(Endpoints("src_ip", "dst_ip"),),
    columns=(
        FieldMapping("start_time", "time", ("epoch",), unit="s"),
        FieldMapping("src_port", "port", ("src_port",)),
        FieldMapping("dst_port", "port", ("dst_port",)),
        FieldMapping("protocol", "protocol", ("protocol",)),
        FieldMapping("src_bytes", "count", ("src_bytes",)),
        FieldMapping("dst_bytes", "count", ("dst_bytes",)),
        FieldMapping("src_packets", "count", ("src_packets",)),
        FieldMapping("dst_packets", "count", ("dst_packets",)),
        FieldMapping("flows", "one", unless=(_DENIED, _LATER)),
        FieldMapping("denied_flows", "one", when=(_DENIED,), unless=(_LATER,)),
        FieldMapping("reported_direction", "direction", ("direction",)),
        FieldMapping("state", "text", ("state",)),
        FieldMapping("host", "text", ("properties.flows[].flows[].mac",)),
    ),
    tuples=Tuples(
        _PATH,
        (
            *("epoch", "src_ip", "dst_ip", "src_port", "dst_port", "protocol"),
            *("direction", "decision", "state"),
            *("src_packets", "src_bytes", "dst_packets", "dst_bytes"),
        ),
        least=8,
    ),
    actions=(
        ("decision", ("A", "Allowed", "Allow", *_DENIED[1])),
        ("state", ("B", *_LATER[1])),
    ),
    exporters=True,
    limits=(
        "counters of continuing and final records (C, E) are deltas since the record before",
        "version 1 has no bytes and packets",
    ),
)
