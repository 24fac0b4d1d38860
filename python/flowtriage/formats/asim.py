"""Microsoft's ASIM NetworkSession, version 0.2.6.

Source: https://learn.microsoft.com/azure/sentinel/normalization-schema-network
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.initiator import Initiator

_REFUSALS = (
    *("Deny", "Drop", "Drop ICMP", "Reset", "Reset Source", "Reset Destination"),
    *("Denied", "Dropped", "Block", "Blocked"),
)
_DENIED = ((("DvcAction", "EventResult"), (*_REFUSALS, "Failure")),)
_ALLOWED = ("Allow", "Allowed", "Encrypt", "Decrypt", "VPNroute")
ASIM = Format(
    name="asim",
    title="ASIM NetworkSession",
    signature=(
        ("EventStartTime", "TimeGenerated"),
        ("NetworkDirection", "DvcAction", "EventCount", "EventSchema", "NetworkProtocol"),
    ),
    endpoints=(Endpoints("SrcIpAddr", "DstIpAddr"),),
    written=(
        FieldMapping("flows", "count", ("AdditionalFields.flows",)),
        FieldMapping("denied_flows", "count", ("AdditionalFields.denied_flows",)),
        FieldMapping("reported_direction", "direction", ("AdditionalFields.reported_direction",)),
        FieldMapping("state", "text", ("AdditionalFields.state",)),
        FieldMapping("tcp_flags", "text", ("AdditionalFields.tcp_flags",)),
        FieldMapping("src_payload_bytes", "count", ("AdditionalFields.src_payload_bytes",)),
        FieldMapping("dst_payload_bytes", "count", ("AdditionalFields.dst_payload_bytes",)),
    ),
    columns=(
        FieldMapping("start_time", "time", ("EventStartTime", "TimeGenerated"), unit="s"),
        FieldMapping("end_time", "time", ("EventEndTime",), unit="s"),
        FieldMapping("end_time", "duration", ("NetworkDuration",), unit="ms"),
        FieldMapping("src_port", "port", ("SrcPortNumber",)),
        FieldMapping("dst_port", "port", ("DstPortNumber",)),
        FieldMapping("protocol", "protocol", ("NetworkProtocol",)),
        FieldMapping("service", "text", ("NetworkApplicationProtocol",)),
        FieldMapping("src_bytes", "count", ("SrcBytes",)),
        FieldMapping("src_bytes", "difference", (("NetworkBytes", "DstBytes"),)),
        FieldMapping("src_bytes", "total", ("NetworkBytes",)),
        FieldMapping("dst_bytes", "count", ("DstBytes",)),
        FieldMapping("dst_bytes", "difference", (("NetworkBytes", "SrcBytes"),)),
        FieldMapping("src_packets", "count", ("SrcPackets",)),
        FieldMapping("src_packets", "difference", (("NetworkPackets", "DstPackets"),)),
        FieldMapping("src_packets", "total", ("NetworkPackets",)),
        FieldMapping("dst_packets", "count", ("DstPackets",)),
        FieldMapping("dst_packets", "difference", (("NetworkPackets", "SrcPackets"),)),
        FieldMapping("flows", "count", ("EventCount",), unless=_DENIED),
        FieldMapping("flows", "one", unless=_DENIED),
        FieldMapping("denied_flows", "count", ("EventCount",), when_any=_DENIED),
        FieldMapping("denied_flows", "one", when_any=_DENIED),
        FieldMapping(
            "reported_direction",
            "direction",
            ("NetworkDirection",),
            values=(("Local", "internal"), ("NA", "")),
        ),
        FieldMapping("state", "text", ("EventSubType",)),
        FieldMapping("host", "text", (("DvcHostname", "Dvc"), "DvcHostname", "Dvc")),
    ),
    nulls=("nan", "NaN", "None"),
    initiator=Initiator(
        icmp="NetworkIcmpType",
        exporter=("DvcIpAddr", "NetworkDirection"),
        at_endpoint=(("EventType", ("EndpointNetworkSession",)),),
    ),
    translated=(("SrcIpAddr", "SrcNatIpAddr"), ("DstIpAddr", "DstNatIpAddr")),
    keep=(("EventSchema", ("NetworkSession",)),),
    skip=(("NetworkDirection", ("Listen",)),),
    actions=(("DvcAction", (*_ALLOWED, *_REFUSALS)),),
    exporters=True,
    counters=None,
)
