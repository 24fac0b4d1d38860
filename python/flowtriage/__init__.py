"""Network flow triage for threat hunters."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flowtriage.analysis.aggregate import flow_index, flow_summary, timeline, top_n
from flowtriage.analysis.records import classify_direction, stitch
from flowtriage.analysis.search import connection_sets, expanded_search
from flowtriage.detect.allow_list import AllowList
from flowtriage.detect.hunt import hosts, hunt
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
from flowtriage.options import get_opt, set_opt
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import flow_report, read_flows

if TYPE_CHECKING:
    from flowtriage.catalogue import (
        add_pivot_funcs,
        discover_modules,
        find,
        nb_index,
        nblts,
        register,
    )
    from flowtriage.catalogue.browser import NBBrowser
    from flowtriage.enrich import BlockLists, Online
    from flowtriage.network_flow_summary import NetworkFlowResult, NetworkFlowSummary
    from flowtriage.notebooklet import NBFunc, Notebooklet, NotebookletResult
    from flowtriage.oa import FlowOA
    from flowtriage.providers import DataProviders, QueryProvider
    from flowtriage.session import browse, dp_init, init
    from flowtriage.store import FlowStore
    from flowtriage.threat_investigation import FlowThreatInvestigation, FlowThreatResult
    from flowtriage.write import write_flows

    data_providers: dict[str, Any]

__version__ = version("flowtriage")
__all__ = [
    "AllowList",
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
    "NBBrowser",
    "NBFunc",
    "NetworkFlowResult",
    "NetworkFlowSummary",
    "Notebooklet",
    "NotebookletResult",
    "Online",
    "QueryProvider",
    "ServiceError",
    "StoreError",
    "StoreLockedError",
    "add_pivot_funcs",
    "browse",
    "classify_direction",
    "connection_sets",
    "data_providers",
    "discover_modules",
    "dp_init",
    "expanded_search",
    "find",
    "flow_index",
    "flow_report",
    "flow_summary",
    "get_opt",
    "hosts",
    "hunt",
    "init",
    "nb_index",
    "nblts",
    "read_flows",
    "register",
    "set_opt",
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
    "NBBrowser": "flowtriage.catalogue.browser",
    "NBFunc": "flowtriage.notebooklet",
    "NetworkFlowResult": "flowtriage.network_flow_summary",
    "NetworkFlowSummary": "flowtriage.network_flow_summary",
    "Notebooklet": "flowtriage.notebooklet",
    "NotebookletResult": "flowtriage.notebooklet",
    "Online": "flowtriage.enrich",
    "QueryProvider": "flowtriage.session",
    "add_pivot_funcs": "flowtriage.catalogue",
    "browse": "flowtriage.session",
    "data_providers": "flowtriage.session",
    "discover_modules": "flowtriage.catalogue",
    "dp_init": "flowtriage.session",
    "find": "flowtriage.catalogue",
    "init": "flowtriage.session",
    "nb_index": "flowtriage.catalogue",
    "nblts": "flowtriage.catalogue",
    "register": "flowtriage.catalogue",
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
