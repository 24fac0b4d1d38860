"""Azure Traffic Analytics, table `NTANetAnalytics`.

Source: https://learn.microsoft.com/azure/network-watcher/traffic-analytics-schema
"""

from flowtriage.formats.declaration import Column, Ends, Format

AZURE_NTA = Format(
    name="azure-nta",
    title="NTANetAnalytics",
    signature=(
        "FlowStartTime",
        (
            "BytesSrcToDest",
            "PacketsSrcToDest",
            "FlowEncryption",
            "AclRule",
            "AclGroup",
            "SrcVm",
            "SrcNic",
        ),
        ("AllowedInFlows", "AllowedOutFlows", "DeniedInFlows", "DeniedOutFlows"),
    ),
    ends=(
        Ends("SrcIp", "DestIp"),
        Ends("SrcIp", "DestPublicIps"),
        Ends("SrcPublicIps", "DestIp"),
    ),
    columns=(
        Column("start_time", "time", ("FlowStartTime",), unit="s"),
        Column("end_time", "time", ("FlowEndTime",), unit="s"),
        Column("dst_port", "port", ("DestPort",)),
        Column("protocol", "protocol", ("L4Protocol",)),
        Column("service", "text", ("L7Protocol",)),
        Column("src_bytes", "count", ("BytesSrcToDest",)),
        Column("dst_bytes", "count", ("BytesDestToSrc",)),
        Column("src_packets", "count", ("PacketsSrcToDest",)),
        Column("dst_packets", "count", ("PacketsDestToSrc",)),
        Column(
            "flows",
            "count",
            (("AllowedInFlows", "AllowedOutFlows"), "AllowedInFlows", "AllowedOutFlows"),
        ),
        Column(
            "denied_flows",
            "count",
            (("DeniedInFlows", "DeniedOutFlows"), "DeniedInFlows", "DeniedOutFlows"),
        ),
        Column("reported_direction", "direction", ("FlowDirection",)),
        Column("host", "observer", (("FlowDirection", "DestVm", "SrcVm"),)),
        Column("host", "text", (("SrcVm", "DestVm"), "SrcVm", "DestVm")),
    ),
    nulls=("nan", "NaN", "None", "null"),
    keep=(("SubType", ("FlowLog",)),),
    reporters=True,
    limits=(
        "records sum up flows of 10 or 60 minutes",
        "no source ports",
    ),
)
