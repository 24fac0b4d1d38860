"""The notebooklet `NetworkFlowSummary`: the peers of a host."""

from flowtriage.network_flow_summary.notebooklet import NetworkFlowSummary
from flowtriage.network_flow_summary.result import NetworkFlowResult

__all__ = ["NetworkFlowResult", "NetworkFlowSummary"]
