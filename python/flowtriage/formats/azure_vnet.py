"""Azure virtual network flow logs, version 4.

Source: https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview
"""

from flowtriage.formats.declaration import Column, Ends, Format, Tuples

_PATH = "flowRecords.flows[].flowGroups[].flowTuples[]"
AZURE_VNET = Format(
    name="azure-vnet",
    title="Azure virtual network flow log",
    signature=(_PATH,),
    ends=(Ends("src_ip", "dst_ip"),),
    columns=(
        Column("start_time", "time", ("epoch",), unit="ms"),
        Column("src_port", "port", ("src_port",)),
        Column("dst_port", "port", ("dst_port",)),
        Column("protocol", "protocol", ("protocol",)),
        Column("src_bytes", "count", ("src_bytes",)),
        Column("dst_bytes", "count", ("dst_bytes",)),
        Column("src_packets", "count", ("src_packets",)),
        Column("dst_packets", "count", ("dst_packets",)),
        Column("flows", "one", when=(("state", ("B",)),)),
        Column("denied_flows", "one", when=(("state", ("D",)),)),
        Column("reported_direction", "direction", ("direction",)),
        Column("state", "text", ("state",)),
        Column("host", "text", ("macAddress",)),
    ),
    tuples=Tuples(
        _PATH,
        (
            "epoch",
            "src_ip",
            "dst_ip",
            "src_port",
            "dst_port",
            "protocol",
            "direction",
            "state",
            "encryption",
            "src_packets",
            "src_bytes",
            "dst_packets",
            "dst_bytes",
        ),
        least=13,
    ),
    reporters=True,
    limits=("counters of records that continue or end a flow (C, E) are since its last record",),
)
