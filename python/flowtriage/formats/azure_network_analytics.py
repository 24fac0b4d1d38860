"""Azure Traffic Analytics, table `AzureNetworkAnalytics_CL`, raw or as projected by msticpy.

Source: https://learn.microsoft.com/azure/network-watcher/traffic-analytics-schema
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format

_ALLOWED = ("AllowedInFlows", "AllowedOutFlows")
_DENIED = ("DeniedInFlows", "DeniedOutFlows")
AZURE_NETWORK_ANALYTICS = Format(
    name="azure-network-analytics",
    title="AzureNetworkAnalytics_CL",
    signature=("FlowStartTime", "FlowDirection", (*_ALLOWED, "TotalAllowedFlows")),
    endpoints=(
        Endpoints("SrcIP", "DestIP", several=True),
        Endpoints("VMIPAddress", "AllExtIPs", "FlowDirection", among="PublicIPs", several=True),
        Endpoints("VMIPAddress", "PublicIPs", "FlowDirection", several=True),
        Endpoints("VMIP", "PublicIPs", "FlowDirection", several=True),
        Endpoints("SrcIP", "DestPublicIPs", several=True),
        Endpoints("SrcPublicIPs", "DestIP", several=True),
    ),
    columns=(
        FieldMapping("start_time", "time", ("FlowStartTime",), unit="s"),
        FieldMapping("end_time", "time", ("FlowEndTime",), unit="s"),
        FieldMapping("src_port", "port", ("SrcPort",)),
        FieldMapping("dst_port", "port", ("DestPort",)),
        FieldMapping("protocol", "protocol", ("L4Protocol",)),
        FieldMapping("service", "text", ("L7Protocol",)),
        FieldMapping("src_bytes", "count", ("OutboundBytes",)),
        FieldMapping("dst_bytes", "count", ("InboundBytes",)),
        FieldMapping("src_packets", "count", ("OutboundPackets",)),
        FieldMapping("dst_packets", "count", ("InboundPackets",)),
        FieldMapping("flows", "count", (_ALLOWED, "TotalAllowedFlows", *_ALLOWED)),
        FieldMapping("denied_flows", "count", (_DENIED, *_DENIED)),
        FieldMapping("reported_direction", "direction", ("FlowDirection",)),
        FieldMapping("host", "text", ("VMName", "VM")),
    ),
    nulls=("nan", "NaN", "None", "null", "-", "N/A"),
    suffixes=("_s", "_d", "_t"),
    keep=(("SubType", ("FlowLog",)),),
    exporters=True,
    limits=(
        "records aggregate flows of 10 or 60 minutes",
        "no source ports",
        "no bytes and packets in the columns that msticpy's query returns",
    ),
)
