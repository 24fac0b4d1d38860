"""Flow threat investigation: search high-risk addresses and save their stories."""

from flowtriage.threat_investigation.notebooklet import FlowThreatInvestigation
from flowtriage.threat_investigation.result import FlowThreatResult
from flowtriage.threat_investigation.story import Story
from flowtriage.threat_investigation.story.open_bundle import open_bundle
from flowtriage.threat_investigation.story.spot_files import read_dendrogram, read_globe, read_stats

__all__ = [
    "FlowThreatInvestigation",
    "FlowThreatResult",
    "Story",
    "open_bundle",
    "read_dendrogram",
    "read_globe",
    "read_stats",
]
