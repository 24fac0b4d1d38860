"""Azure Traffic Analytics, table `AzureNetworkAnalytics_CL`, raw or as msticpy projects it.

Source: https://learn.microsoft.com/azure/network-watcher/traffic-analytics-schema
"""

from flowtriage.formats.declaration import Column, Ends, Format

AZURE_NETWORK_ANALYTICS = Format(
    name="azure-network-analytics",
    title="AzureNetworkAnalytics_CL",
    signature=(
        "FlowStartTime",
        "FlowDirection",
        ("AllowedInFlows", "AllowedOutFlows", "TotalAllowedFlows"),
    ),
    ends=(
        Ends("SrcIP", "DestIP"),
        Ends("VMIPAddress", "AllExtIPs", "FlowDirection", among="PublicIPs"),
        Ends("VMIPAddress", "PublicIPs", "FlowDirection"),
        Ends("VMIP", "PublicIPs", "FlowDirection"),
        Ends("SrcIP", "DestPublicIPs"),
        Ends("SrcPublicIPs", "DestIP"),
    ),
    columns=(
        Column("start_time", "time", ("FlowStartTime",), unit="s"),
        Column("end_time", "time", ("FlowEndTime",), unit="s"),
        Column("src_port", "port", ("SrcPort",)),
        Column("dst_port", "port", ("DestPort",)),
        Column("protocol", "protocol", ("L4Protocol",)),
        Column("service", "text", ("L7Protocol",)),
        Column("src_bytes", "count", ("OutboundBytes",)),
        Column("dst_bytes", "count", ("InboundBytes",)),
        Column("src_packets", "count", ("OutboundPackets",)),
        Column("dst_packets", "count", ("InboundPackets",)),
        Column(
            "flows",
            "count",
            (
                ("AllowedInFlows", "AllowedOutFlows"),
                "TotalAllowedFlows",
                "AllowedInFlows",
                "AllowedOutFlows",
            ),
        ),
        Column(
            "denied_flows",
            "count",
            (("DeniedInFlows", "DeniedOutFlows"), "DeniedInFlows", "DeniedOutFlows"),
        ),
        Column("reported_direction", "direction", ("FlowDirection",)),
        Column("host", "text", ("VMName", "VM")),
    ),
    nulls=("nan", "NaN", "None", "null"),
    suffixes=("_s", "_d", "_t"),
    keep=(("SubType", ("FlowLog",)),),
    reporters=True,
    limits=(
        "records sum up flows of 10 or 60 minutes",
        "no source ports",
        "no bytes and packets in the columns that msticpy's query returns",
    ),
)
