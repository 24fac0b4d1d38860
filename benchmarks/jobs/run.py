"""`NetworkFlowSummary().run` with default options, silent, against msticnb's."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from benchmarks.job import FLOWTRIAGE, Facts, Job, Peer
from benchmarks.jobs import azure
from benchmarks.shapes import DAY, HOST

if TYPE_CHECKING:
    import pandas as pd

_CANONICAL = {
    "source": "src_ip",
    "dest": "dst_ip",
    "L7Protocol": "service",
    "FlowDirection": "reported_direction",
    "TotalAllowedFlows": "flows",
    "first_seen": "start_time",
    "last_seen": "end_time",
}
_PLOTS = ("plot_flows_by_protocol", "plot_flows_by_direction", "plot_flow_values")


class Workspace:
    """Stand-in for msticnb's data providers: an Azure workspace without delay."""

    def __init__(self, flows: pd.DataFrame) -> None:
        self._flows = flows
        self.schema_tables: tuple[str, ...] = ()
        self.query_provider = self
        self.Network = SimpleNamespace(list_azure_network_flows_by_ip=self._query)

    def _query(self, _timespan: Any, *, ip_address_list: str) -> pd.DataFrame:
        return self._flows[self._flows["VMIPAddress"] == ip_address_list].copy()

    def has_required_providers(self, _required: Any) -> tuple[list[str], list[str]]:
        """Report no missing or unknown providers."""
        return [], []


class _Theirs(NamedTuple):
    notebooklet: Any
    timespan: Any


def _canonical(table: pa.Table) -> pa.Table:
    return table.rename_columns([_CANONICAL[name] for name in table.column_names])


def _flowtriage(flows: Any) -> Any:
    import flowtriage as ft

    return ft.NetworkFlowSummary(silent=True).run(HOST, data=flows)


def _prepare_msticnb(table: pa.Table) -> _Theirs:
    from msticnb.nb.azsent.network import network_flow_summary as theirs
    from msticpy.common.timespan import TimeSpan

    theirs.get_whois_df = azure.whois(table)
    start = datetime.fromtimestamp(DAY / 1e6, UTC)
    timespan = TimeSpan(start=start, end=start + timedelta(days=1))
    notebooklet = theirs.NetworkFlowSummary(Workspace(azure.frame(table)), silent=True)
    return _Theirs(notebooklet, timespan)


def _msticnb(prepared: _Theirs) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return prepared.notebooklet.run(HOST, timespan=prepared.timespan, silent=True)


def _facts(result: Any) -> Facts:
    index = result.flow_index
    return azure.facts(getattr(index, "data", index), result.flow_summary)


def _html(result: Any) -> dict[str, int]:
    from bokeh.embed import file_html
    from bokeh.resources import CDN

    pages = (file_html(getattr(result, name), CDN) for name in _PLOTS)
    return {"HTML of all plots, bytes": sum(len(page.encode()) for page in pages)}


JOB = Job(
    title="`NetworkFlowSummary().run`",
    note=(
        "Default options, silent, from flows to the result with its three plots. `flowtriage` "
        "and msticnb start from the same DataFrame with Azure's columns; `Arrow` starts from a "
        "table in the canonical schema. msticnb queries a stand-in for the Azure workspace "
        "without delay, and whois is a dictionary as above. The HTML size is that of "
        "`bokeh.embed.file_html` of each plot, without BokehJS itself."
    ),
    inputs=("outbound-host", "outbound-server"),
    sizes=(100_000, 1_000_000),
    peers=(
        Peer(FLOWTRIAGE, "", _flowtriage, _facts, azure.frame, _html),
        Peer(FLOWTRIAGE, "Arrow", _flowtriage, _facts, _canonical, _html),
        Peer("msticnb", "run", _msticnb, _facts, _prepare_msticnb, _html),
    ),
)
