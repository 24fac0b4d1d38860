"""Azure NSG flow logs, versions 1 and 2.

Source: https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview
"""

from flowtriage.formats.declaration import Column, Ends, Format, Tuples

_PATH = "properties.flows[].flows[].flowTuples[]"
_BEGINS = ("state", ("B", ""))
AZURE_NSG = Format(
    name="azure-nsg",
    title="Azure NSG flow log",
    signature=(_PATH,),
    ends=(Ends("src_ip", "dst_ip"),),
    columns=(
        Column("start_time", "time", ("epoch",), unit="s"),
        Column("src_port", "port", ("src_port",)),
        Column("dst_port", "port", ("dst_port",)),
        Column("protocol", "protocol", ("protocol",)),
        Column("src_bytes", "count", ("src_bytes",)),
        Column("dst_bytes", "count", ("dst_bytes",)),
        Column("src_packets", "count", ("src_packets",)),
        Column("dst_packets", "count", ("dst_packets",)),
        Column("flows", "one", when=(("decision", ("A", "Allowed")), _BEGINS)),
        Column("denied_flows", "one", when=(("decision", ("D", "Denied")), _BEGINS)),
        Column("reported_direction", "direction", ("direction",)),
        Column("state", "text", ("state",)),
        Column("host", "text", ("properties.flows[].flows[].mac",)),
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
            "decision",
            "state",
            "src_packets",
            "src_bytes",
            "dst_packets",
            "dst_bytes",
        ),
        least=8,
    ),
    reporters=True,
    limits=(
        "counters of records that continue or end a flow (C, E) are since its last record",
        "version 1 has no bytes and packets",
    ),
)
