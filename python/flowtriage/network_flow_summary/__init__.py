"""The notebooklet `NetworkFlowSummary`: with whom a host communicated."""

from flowtriage.network_flow_summary.notebooklet import NetworkFlowSummary
from flowtriage.network_flow_summary.result import NetworkFlowResult

__all__ = ["NetworkFlowResult", "NetworkFlowSummary"]
