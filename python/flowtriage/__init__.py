"""Network flow triage for threat hunters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowtriage.asn import AsnDatabase
from flowtriage.flows import Flows, read_flows
from flowtriage.verbs import classify_direction, flow_index, flow_summary, timeline, top_n

__version__ = "0.1.0"

__all__ = [
    "AsnDatabase",
    "Flows",
    "classify_direction",
    "flow_index",
    "flow_summary",
    "read_flows",
    "timeline",
    "top_n",
]
