"""Azure Traffic Analytics, table `NTANetAnalytics`.

Source: https://learn.microsoft.com/azure/network-watcher/traffic-analytics-schema
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format

_ALLOWED = ("AllowedInFlows", "AllowedOutFlows")
_DENIED = ("DeniedInFlows", "DeniedOutFlows")
AZURE_NTA = Format(
    name="azure-nta",
    title="NTANetAnalytics",
    signature=(
        "FlowStartTime",
        (
            *("BytesSrcToDest", "PacketsSrcToDest", "FlowEncryption"),
            *("AclRule", "AclGroup", "SrcVm", "SrcNic"),
        ),
        (*_ALLOWED, *_DENIED),
    ),
    endpoints=(
        Endpoints("SrcIp", "DestIp", several=True),
        Endpoints("SrcIp", "DestPublicIps", several=True),
        Endpoints("SrcPublicIps", "DestIp", several=True),
    ),
    columns=(
        FieldMapping("start_time", "time", ("FlowStartTime",), unit="s"),
        FieldMapping("end_time", "time", ("FlowEndTime",), unit="s"),
        FieldMapping("dst_port", "port", ("DestPort",)),
        FieldMapping("protocol", "protocol", ("L4Protocol",)),
        FieldMapping("service", "text", ("L7Protocol",)),
        FieldMapping("src_bytes", "count", ("BytesSrcToDest",)),
        FieldMapping("dst_bytes", "count", ("BytesDestToSrc",)),
        FieldMapping("src_packets", "count", ("PacketsSrcToDest",)),
        FieldMapping("dst_packets", "count", ("PacketsDestToSrc",)),
        FieldMapping("flows", "count", (_ALLOWED, *_ALLOWED)),
        FieldMapping("denied_flows", "count", (_DENIED, *_DENIED)),
        FieldMapping("reported_direction", "direction", ("FlowDirection",)),
        FieldMapping("host", "observer", (("FlowDirection", "DestVm", "SrcVm"),)),
        FieldMapping("host", "text", (("SrcVm", "DestVm"), "SrcVm", "DestVm")),
    ),
    nulls=("nan", "NaN", "None", "null", "-", "N/A"),
    keep=(("SubType", ("FlowLog",)),),
    exporters=True,
    limits=("records aggregate flows of 10 or 60 minutes", "no source ports"),
)
