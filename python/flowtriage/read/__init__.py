"""Readers of flows: any source to the canonical schema."""

from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import flow_report, read_flows

__all__ = ["Flows", "flow_report", "read_flows"]
