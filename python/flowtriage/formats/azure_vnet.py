"""Azure virtual network flow logs, version 4.

Source: https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.layout import Tuples

_PATH = "flowRecords.flows[].flowGroups[].flowTuples[]"
AZURE_VNET = Format(
    name="azure-vnet",
    title="Azure virtual network flow log",
    signature=(_PATH,),
    endpoints=(Endpoints("src_ip", "dst_ip"),),
    columns=(
        FieldMapping("start_time", "time", ("epoch",), unit="ms"),
        FieldMapping("src_port", "port", ("src_port",)),
        FieldMapping("dst_port", "port", ("dst_port",)),
        FieldMapping("protocol", "protocol", ("protocol",)),
        FieldMapping("src_bytes", "count", ("src_bytes",)),
        FieldMapping("dst_bytes", "count", ("dst_bytes",)),
        FieldMapping("src_packets", "count", ("src_packets",)),
        FieldMapping("dst_packets", "count", ("dst_packets",)),
        FieldMapping("flows", "one", unless=(("state", ("D", "C", "E")),)),
        FieldMapping("denied_flows", "one", when=(("state", ("D",)),)),
        FieldMapping("reported_direction", "direction", ("direction",)),
        FieldMapping("state", "text", ("state",)),
        FieldMapping("host", "text", ("macAddress",)),
    ),
    tuples=Tuples(
        _PATH,
        (
            *("epoch", "src_ip", "dst_ip", "src_port", "dst_port", "protocol"),
            *("direction", "state", "encryption"),
            *("src_packets", "src_bytes", "dst_packets", "dst_bytes"),
        ),
        least=13,
    ),
    actions=(("state", ("B", "D", "C", "E")),),
    exporters=True,
    limits=("counters of continuing and final records (C, E) are deltas since the record before",),
)
