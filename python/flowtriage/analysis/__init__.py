"""Functions from any flow source to a table."""

from flowtriage.analysis.aggregate import flow_index, flow_summary, timeline, top_n
from flowtriage.analysis.records import classify_direction, stitch
from flowtriage.analysis.search import connection_sets, expanded_search

__all__ = [
    "classify_direction",
    "connection_sets",
    "expanded_search",
    "flow_index",
    "flow_summary",
    "stitch",
    "timeline",
    "top_n",
]
