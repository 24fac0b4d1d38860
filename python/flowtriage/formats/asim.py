"""Microsoft's ASIM NetworkSession, version 0.2.6.

Source: https://learn.microsoft.com/azure/sentinel/normalization-schema-network
"""

from flowtriage.formats.declaration import Column, Ends, Format

_DENIED = ("Deny", "Drop", "Drop ICMP", "Reset", "Reset Source", "Reset Destination")
_ALLOWED = ("Allow", "Encrypt", "Decrypt", "VPNroute", "")
ASIM = Format(
    name="asim",
    title="ASIM NetworkSession",
    signature=(
        ("EventStartTime", "TimeGenerated"),
        ("NetworkDirection", "DvcAction", "EventCount", "EventSchema", "NetworkProtocol"),
    ),
    ends=(Ends("SrcIpAddr", "DstIpAddr"),),
    columns=(
        Column("flows", "count", ("AdditionalFields.flows",)),
        Column("denied_flows", "count", ("AdditionalFields.denied_flows",)),
        Column("reported_direction", "direction", ("AdditionalFields.reported_direction",)),
        Column("state", "text", ("AdditionalFields.state",)),
        Column("tcp_flags", "text", ("AdditionalFields.tcp_flags",)),
        Column("src_payload_bytes", "count", ("AdditionalFields.src_payload_bytes",)),
        Column("dst_payload_bytes", "count", ("AdditionalFields.dst_payload_bytes",)),
        Column("start_time", "time", ("EventStartTime", "TimeGenerated"), unit="s"),
        Column("end_time", "time", ("EventEndTime",), unit="s"),
        Column("end_time", "duration", ("NetworkDuration",), unit="ms"),
        Column("src_port", "port", ("SrcPortNumber",)),
        Column("dst_port", "port", ("DstPortNumber",)),
        Column("protocol", "protocol", ("NetworkProtocol",)),
        Column("service", "text", ("NetworkApplicationProtocol",)),
        Column("src_bytes", "count", ("SrcBytes",)),
        Column("dst_bytes", "count", ("DstBytes",)),
        Column("src_packets", "count", ("SrcPackets",)),
        Column("dst_packets", "count", ("DstPackets",)),
        Column("flows", "count", ("EventCount",), when=(("DvcAction", _ALLOWED),)),
        Column("flows", "one", when=(("DvcAction", _ALLOWED),)),
        Column("denied_flows", "count", ("EventCount",), when=(("DvcAction", _DENIED),)),
        Column("denied_flows", "one", when=(("DvcAction", _DENIED),)),
        Column(
            "reported_direction",
            "direction",
            ("NetworkDirection",),
            values=(("Local", "internal"), ("NA", ""), ("Listen", "")),
        ),
        Column("state", "text", ("EventSubType",)),
        Column("host", "text", (("DvcHostname", "Dvc"), "DvcHostname", "Dvc")),
    ),
    nulls=("nan", "NaN", "None"),
    keep=(("EventSchema", ("NetworkSession",)),),
    reporters=True,
    counters=None,
)
