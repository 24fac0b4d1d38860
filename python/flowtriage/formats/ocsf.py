"""OCSF Network Activity (class 4001).

Source: https://schema.ocsf.io/classes/network_activity
"""

from flowtriage.formats.declaration import Endpoints, FieldMapping, Format
from flowtriage.formats.initiator import Initiator

_ACTIVITY = ("activity_id", "activity_name")
_REFUSALS = (
    *("Denied", "Deny", "Drop", "Dropped", "Block", "Blocked", "Reject", "Rejected", "Refuse"),
    *("Refused", "Reset", "Unauthorized"),
)
_DENYING_DISPOSITIONS = ("2", "6", "21", "25", "26")
_DENIED = (
    ("action_id", ("2",)),
    ("action", _REFUSALS),
    (_ACTIVITY, ("5", "Refuse")),
    ("disposition_id", _DENYING_DISPOSITIONS),
    ("disposition", _REFUSALS),
    (
        ("action_id", "action", "disposition_id", "disposition", "status_id", "status"),
        ("2", "Failure"),
    ),
)
_ACTION_IDS = ("0", "1", "2", "3", "4", "99")
_ACTIONS = (
    *_REFUSALS,
    *("Unknown", "Other", "Allowed", "Allow", "Accept", "Accepted", "Permit", "Permitted", "Pass"),
    *("Observed", "Modified"),
)
_DISPOSITIONS = (
    *("Quarantined", "Isolated", "Deleted", "Custom Action", "Approved", "Restored"),
    *("Exonerated", "Corrected", "Partially Corrected", "Uncorrected", "Delayed", "Detected"),
    *("No Action", "Logged", "Tagged", "Alert", "Count", "Captcha", "Challenge"),
    *("Access Revoked", "Error"),
)
OCSF = Format(
    name="ocsf",
    title="OCSF Network Activity",
    signature=("class_uid",),
    endpoints=(Endpoints("src_endpoint.ip", "dst_endpoint.ip"),),
    written=(
        FieldMapping("flows", "count", ("unmapped.flows",)),
        FieldMapping("denied_flows", "count", ("unmapped.denied_flows",)),
        FieldMapping("reported_direction", "direction", ("unmapped.reported_direction",)),
        FieldMapping("protocol", "protocol", ("unmapped.protocol",)),
        FieldMapping("state", "text", ("unmapped.state",)),
        FieldMapping("tcp_flags", "text", ("unmapped.tcp_flags",)),
        FieldMapping("src_payload_bytes", "count", ("unmapped.src_payload_bytes",)),
        FieldMapping("dst_payload_bytes", "count", ("unmapped.dst_payload_bytes",)),
    ),
    columns=(
        *(
            FieldMapping("start_time", "time", (name,), unit="ms")
            for name in ("start_time_dt", "start_time", "time_dt", "time")
        ),
        *(
            FieldMapping("end_time", "time", (name,), unit="ms")
            for name in ("end_time_dt", "end_time")
        ),
        FieldMapping("end_time", "duration", ("duration",), unit="ms"),
        FieldMapping("src_port", "port", ("src_endpoint.port",)),
        FieldMapping("dst_port", "port", ("dst_endpoint.port",)),
        FieldMapping(
            "protocol",
            "protocol",
            ("connection_info.protocol_num", "connection_info.protocol_name"),
            nulls=("-1",),
        ),
        FieldMapping("service", "text", ("app_name", "dst_endpoint.svc_name")),
        FieldMapping("src_bytes", "count", ("traffic.bytes_out",)),
        FieldMapping("src_bytes", "difference", (("traffic.bytes", "traffic.bytes_in"),)),
        FieldMapping("src_bytes", "total", ("traffic.bytes",)),
        FieldMapping("dst_bytes", "count", ("traffic.bytes_in",)),
        FieldMapping("dst_bytes", "difference", (("traffic.bytes", "traffic.bytes_out"),)),
        FieldMapping("src_packets", "count", ("traffic.packets_out",)),
        FieldMapping("src_packets", "difference", (("traffic.packets", "traffic.packets_in"),)),
        FieldMapping("src_packets", "total", ("traffic.packets",)),
        FieldMapping("dst_packets", "count", ("traffic.packets_in",)),
        FieldMapping("dst_packets", "difference", (("traffic.packets", "traffic.packets_out"),)),
        FieldMapping("flows", "count", ("count",), unless=_DENIED),
        FieldMapping("flows", "one", unless=_DENIED),
        FieldMapping("denied_flows", "count", ("count",), when_any=_DENIED),
        FieldMapping("denied_flows", "one", when_any=_DENIED),
        FieldMapping(
            "reported_direction",
            "direction",
            ("connection_info.direction_id", "connection_info.direction"),
            values=(
                ("0", ""),
                ("1", "inbound"),
                ("2", "outbound"),
                ("3", "internal"),
                ("4", "internal"),
                ("99", ""),
                ("lateral", "internal"),
                ("local", "internal"),
                ("other", ""),
            ),
        ),
        FieldMapping("state", "text", ("status_detail",)),
        FieldMapping("tcp_flags", "flags", ("connection_info.tcp_flags",)),
        FieldMapping("host", "text", ("device.hostname", "device.ip", "observation_point")),
    ),
    initiator=Initiator(unassigned=(("is_src_dst_assignment_known", ("false", "False", "0")),)),
    keep=(("class_uid", ("4001",)),),
    skip=((_ACTIVITY, ("7", "Listen")),),
    actions=(
        ("action_id", _ACTION_IDS),
        ("action", _ACTIONS),
        ("disposition_id", (*map(str, range(28)), "99")),
        ("disposition", (*_ACTIONS, *_DISPOSITIONS)),
    ),
    exporters=True,
    counters=None,
)
