"""Network flow triage for threat hunters."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flowtriage.analysis.aggregate import flow_index, flow_summary, timeline, top_n
from flowtriage.analysis.records import classify_direction, stitch
from flowtriage.analysis.search import connection_sets, expanded_search
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import (
    AmbiguousHostError,
    ArgumentError,
    ConfigurationError,
    DatabaseError,
    FlowtriageError,
    FormatError,
    InputError,
    MissingExtraError,
    MsticnbDataProviderError,
    MsticnbMissingParameterError,
    ServiceError,
    StoreError,
    StoreLockedError,
)
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import flow_report, read_flows

if TYPE_CHECKING:
    from flowtriage.enrich import BlockLists, Online
    from flowtriage.network_flow_summary import NetworkFlowResult, NetworkFlowSummary
    from flowtriage.notebooklet import NBFunc, Notebooklet, NotebookletResult
    from flowtriage.oa import FlowOA
    from flowtriage.providers import DataProviders
    from flowtriage.session import init
    from flowtriage.store import FlowStore
    from flowtriage.threat_investigation import FlowThreatInvestigation, FlowThreatResult
    from flowtriage.write import write_flows

__version__ = version("flowtriage")
__all__ = [
    "AmbiguousHostError",
    "ArgumentError",
    "AsnDatabase",
    "BlockLists",
    "ConfigurationError",
    "DataProviders",
    "DatabaseError",
    "FlowOA",
    "FlowStore",
    "FlowThreatInvestigation",
    "FlowThreatResult",
    "Flows",
    "FlowtriageError",
    "FormatError",
    "InputError",
    "MissingExtraError",
    "MsticnbDataProviderError",
    "MsticnbMissingParameterError",
    "NBFunc",
    "NetworkFlowResult",
    "NetworkFlowSummary",
    "Notebooklet",
    "NotebookletResult",
    "Online",
    "ServiceError",
    "StoreError",
    "StoreLockedError",
    "classify_direction",
    "connection_sets",
    "expanded_search",
    "flow_index",
    "flow_report",
    "flow_summary",
    "init",
    "read_flows",
    "stitch",
    "timeline",
    "top_n",
    "write_flows",
]
_LAZY = {
    "BlockLists": "flowtriage.enrich",
    "DataProviders": "flowtriage.providers",
    "FlowOA": "flowtriage.oa",
    "FlowStore": "flowtriage.store",
    "FlowThreatInvestigation": "flowtriage.threat_investigation",
    "FlowThreatResult": "flowtriage.threat_investigation",
    "NBFunc": "flowtriage.notebooklet",
    "NetworkFlowResult": "flowtriage.network_flow_summary",
    "NetworkFlowSummary": "flowtriage.network_flow_summary",
    "Notebooklet": "flowtriage.notebooklet",
    "NotebookletResult": "flowtriage.notebooklet",
    "Online": "flowtriage.enrich",
    "init": "flowtriage.session",
    "write_flows": "flowtriage.write",
}


def __getattr__(name: str) -> Any:
    """Import a name on first use, to keep the import of the package fast."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names only."""
    return sorted(__all__)
