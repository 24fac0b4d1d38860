"""The notebooklet `FlowThreatInvestigation`: from a high-risk address to a saved story."""

from flowtriage.threat_investigation.notebooklet import FlowThreatInvestigation
from flowtriage.threat_investigation.result import FlowThreatResult

__all__ = ["FlowThreatInvestigation", "FlowThreatResult"]
