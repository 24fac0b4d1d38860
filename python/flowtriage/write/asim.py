"""Flows as JSON lines in Microsoft's ASIM NetworkSession schema 0.2.6.

Columns without an equal field are in `AdditionalFields` under their canonical names. The strings
nan, NaN and None read back as null.

Source: https://learn.microsoft.com/azure/sentinel/normalization-schema-network
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.schema import PAYLOAD_SCHEMA
from flowtriage.write.json_lines import (
    Value,
    constant,
    exactly,
    iso_time,
    lines,
    number,
    quoted,
    text,
)
from flowtriage.write.text import TextFormat, Values, denied, duration, number_of_flows

_NULLS = ("nan", "NaN", "None")
_STRINGS = ("service", "state", "tcp_flags", "host")
_DIRECTIONS = {
    "inbound": "Inbound",
    "outbound": "Outbound",
    "internal": "Local",
    "external": "External",
    "unknown": "NA",
}
_RECORD: Mapping[str, Value] = {
    "EventSchema": constant("NetworkSession"),
    "EventSchemaVersion": constant("0.2.6"),
    "EventVendor": constant("flowtriage"),
    "EventProduct": constant("flowtriage"),
    "EventType": constant("Flow"),
    "EventCount": lambda batch: pc.cast(number_of_flows(batch), pa.string()),
    "EventStartTime": exactly(iso_time("start_time")),
    "EventEndTime": iso_time("end_time"),
    "EventResult": lambda batch: _either(batch, "Failure", "Success"),
    "DvcAction": lambda batch: _either(batch, "Deny", "Allow"),
    "DvcHostname": text("host"),
    "SrcIpAddr": text("src_ip"),
    "SrcPortNumber": number("src_port"),
    "DstIpAddr": text("dst_ip"),
    "DstPortNumber": number("dst_port"),
    "NetworkProtocol": lambda batch: quoted(pc.ascii_upper(batch["protocol"])),
    "NetworkApplicationProtocol": text("service"),
    "NetworkDirection": text("reported_direction", _DIRECTIONS),
    "NetworkDuration": lambda batch: pc.cast(pc.divide(duration(batch), 1000), pa.string()),
    "SrcBytes": number("src_bytes"),
    "DstBytes": number("dst_bytes"),
    "SrcPackets": number("src_packets"),
    "DstPackets": number("dst_packets"),
    "AdditionalFields": {
        "flows": number("flows"),
        "denied_flows": exactly(number("denied_flows")),
        "reported_direction": exactly(text("reported_direction")),
        "state": text("state"),
        "tcp_flags": text("tcp_flags"),
        "src_payload_bytes": number("src_payload_bytes"),
        "dst_payload_bytes": number("dst_payload_bytes"),
    },
}


def _either(batch: pa.RecordBatch, if_denied: str, otherwise: str) -> Values:
    return quoted(pc.if_else(denied(batch), if_denied, otherwise))


def _lost(batch: pa.RecordBatch) -> dict[str, int]:
    counts = {name: pc.sum(pc.is_in(batch[name], pa.array(_NULLS))).as_py() for name in _STRINGS}
    return {name: count for name, count in counts.items() if count}


ASIM = TextFormat(carries=tuple(PAYLOAD_SCHEMA.names), lines=lines(_RECORD), lost=_lost)
