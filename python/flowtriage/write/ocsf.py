"""Flows as JSON lines of OCSF Network Activity (class 4001).

Columns without an equal attribute are in `unmapped` under their canonical names.

Source: https://schema.ocsf.io/classes/network_activity
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.schema import PAYLOAD_SCHEMA
from flowtriage.write.json_lines import (
    Value,
    code,
    constant,
    exactly,
    iso_time,
    lines,
    milliseconds,
    number,
    quoted,
    text,
)
from flowtriage.write.text import TextFormat, denied, number_of_flows

_PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "tcp": 6,
    "udp": 17,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "ospfigp": 89,
    "sctp": 132,
}
_DIRECTIONS = {"unknown": 0, "inbound": 1, "outbound": 2, "internal": 3, "external": 99}
_RECORD: Mapping[str, Value] = {
    "class_uid": constant(4001),
    "category_uid": constant(4),
    "activity_id": constant(6),
    "type_uid": constant(400106),
    "severity_id": constant(1),
    "metadata": {
        "version": constant("1.3.0"),
        "product": {"name": constant("flowtriage"), "vendor_name": constant("flowtriage")},
        "profiles": constant(["datetime", "security_control"]),
    },
    "count": lambda batch: pc.cast(number_of_flows(batch), pa.string()),
    "action_id": lambda batch: pc.if_else(denied(batch), "2", "1"),
    "action": lambda batch: quoted(pc.if_else(denied(batch), "Denied", "Allowed")),
    "time": milliseconds("start_time"),
    "start_time": milliseconds("start_time"),
    "end_time": milliseconds("end_time"),
    "start_time_dt": iso_time("start_time"),
    "end_time_dt": iso_time("end_time"),
    "app_name": text("service"),
    "device": {"hostname": text("host")},
    "src_endpoint": {"ip": text("src_ip"), "port": number("src_port")},
    "dst_endpoint": {"ip": text("dst_ip"), "port": number("dst_port")},
    "connection_info": {
        "protocol_name": text("protocol"),
        "protocol_num": code("protocol", _PROTOCOLS),
        "direction_id": code("reported_direction", _DIRECTIONS),
    },
    "traffic": {
        "bytes_out": number("src_bytes"),
        "bytes_in": number("dst_bytes"),
        "packets_out": number("src_packets"),
        "packets_in": number("dst_packets"),
    },
    "unmapped": {
        "flows": number("flows"),
        "denied_flows": exactly(number("denied_flows")),
        "reported_direction": exactly(text("reported_direction")),
        "protocol": exactly(text("protocol")),
        "state": text("state"),
        "tcp_flags": text("tcp_flags"),
        "src_payload_bytes": number("src_payload_bytes"),
        "dst_payload_bytes": number("dst_payload_bytes"),
    },
}
OCSF = TextFormat(carries=tuple(PAYLOAD_SCHEMA.names), lines=lines(_RECORD))
