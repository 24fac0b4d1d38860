"""The result of `NetworkFlowSummary`, with the methods that inspect some of its ASNs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.analysis.folding import fold_index
from flowtriage.detect.matching import MatchingFlows
from flowtriage.enrich.reputation import DEFAULT_TIME_LIMIT, Reputation, look_up
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted
from flowtriage.inputs.timespan import TimespanLike
from flowtriage.network_flow_summary.asn_selection import AsnLike, selector
from flowtriage.network_flow_summary.findings import condition_of
from flowtriage.network_flow_summary.tables import HostTables
from flowtriage.network_flow_summary.threat_flows import with_flows
from flowtriage.notebooklet import NotebookletResult
from flowtriage.notebooklet.result import LazyAttribute, NotebookletLike
from flowtriage.notebooklet.values import Rebuild
from flowtriage.providers import DataProviders
from flowtriage.quality.report import ReadReport
from flowtriage.render.notebook import in_notebook, show
from flowtriage.render.progress_bar import progress_bar
from flowtriage.render.section import Section

if TYPE_CHECKING:
    import pandas as pd
    from bokeh.models import LayoutDOM
    from msticpy.datamodel.entities import Host
    from msticpy.nbwidgets import SelectSubset
    from msticpy.vis.foliummap import FoliumMap

_RUN_FIRST = "Use run() with the option flow_summary before select_asns()."
_SELECT_FIRST = "Use run() with the option flow_summary, then select_asns(), and then this method."
_INTELLIGENCE = ("blocklists", "tilookup")
_LOCATIONS = ("geolitelookup", "ipstacklookup")
_BY_NAME = (
    "If no lists appear below, select ASNs by number, or by their names in the flow summary: "
    'select_asns(["AS15169 Google LLC"]).'
)
MAX_ADDRESSES = 1000
"""Default number of addresses that threat intelligence services are queried about."""
_SHOWN = ["Ioc", "Severity", "Provider", "Details", "Reference"]


class NetworkFlowResult(NotebookletResult):
    """The network flows of a host.

    The methods use the data of this result, whatever its notebooklet ran since, and are silent if
    its run was requested to be.

    Attributes
    ----------
    host_entity : msticpy.datamodel.entities.Host
        The host: its name and addresses, as far as they are known.
    findings : pandas.DataFrame
        Findings about the host, the most severe first: the columns of `flowtriage.hunt`. Their
        numbers are those of all flows behind them, also of other hosts; `flows_of` returns those
        of the host.
    detector_status : pandas.DataFrame
        Detectors, whether they `ran`, and the `reason` if not.
    network_flows : pandas.DataFrame
        The host's flows, one row per record, in the canonical schema with their direction. Flows
        of a query provider or a DataFrame also have the columns of their source, under the name
        with the suffix `_source` where the schema has the name; `direction` is seen from the host,
        a `FlowDirection` of the source from the machine that logged the flow. Counters of the
        source, such as `AllowedOutFlows`, are those of its whole row, repeated for each address
        of the row; `flows` and `denied_flows` are those of the flow.
    plot_flows_by_protocol : bokeh.models.LayoutDOM
        Timeline of flows by layer-7 protocol.
    plot_flows_by_direction : bokeh.models.LayoutDOM
        Timeline of flows by direction.
    plot_flow_values : bokeh.models.LayoutDOM
        Timeline of the number of flows by layer-7 protocol.
    flow_index : pandas.DataFrame
        Flows by source, dest, protocol and direction (see `flowtriage.flow_index`).
    flow_index_data : pandas.DataFrame
        Input of the index: a row per record with the columns of its key, and the columns of the
        source as in `network_flows`.
    flow_summary : pandas.DataFrame
        Flows by ASN (see `flowtriage.flow_summary`).
    asn_ledger : pandas.DataFrame
        Online queries about ASNs and their outcome (see `AsnDatabase.ledger`); None without
        online lookup.
    ti_results : pandas.DataFrame
        Threat intelligence on selected addresses, the most severe first (see
        `flowtriage.enrich.reputation.Reputation`): the columns of msticpy's `TILookup`, then
        those of the flow index. A row for each result and flow of its address.
    ti_coverage : pandas.DataFrame
        Number of addresses that each provider was queried about and has results for.
    ti_ledger : pandas.DataFrame
        Outcome for each address and provider: status, number of attempts, reason of a failure.
    geo_map : msticpy.vis.foliummap.FoliumMap
        Map of all addresses.
    geo_map_selected : msticpy.vis.foliummap.FoliumMap
        Map of selected addresses.
    """

    network_flows = LazyAttribute()
    flow_index_data = LazyAttribute()

    def __init__(
        self,
        description: str | None = None,
        timespan: TimespanLike | None = None,
        notebooklet: NotebookletLike | None = None,
        *,
        report: ReadReport | None = None,
        tables: HostTables | None = None,
        silent: bool | None = None,
    ) -> None:
        super().__init__(description, timespan, notebooklet, report=report)
        self._tables = tables
        self._run_silent = silent
        self._selector: SelectSubset | None = None
        self._reputation: Reputation | None = None
        self.host_entity: Host | None = None
        self.findings: pd.DataFrame | None = None
        self.detector_status: pd.DataFrame | None = None
        self.network_flows = None
        self.plot_flows_by_protocol: LayoutDOM | None = None
        self.plot_flows_by_direction: LayoutDOM | None = None
        self.plot_flow_values: LayoutDOM | None = None
        self.flow_index: pd.DataFrame | None = None
        self.flow_index_data = None
        self.flow_summary: pd.DataFrame | None = None
        self.asn_ledger: pd.DataFrame | None = None
        self.ti_results: pd.DataFrame | None = None
        self.ti_coverage: pd.DataFrame | None = None
        self.ti_ledger: pd.DataFrame | None = None
        self.geo_map: FoliumMap | None = None
        self.geo_map_selected: FoliumMap | None = None

    @property
    def host_tables(self) -> HostTables:
        """The flows of the host, and its tables in Arrow."""
        if self._tables is None:
            raise ArgumentError("the result has no flows; use run() first")
        return self._tables

    def flows_of(self, finding: str | int | Mapping[str, Any] | pd.Series[Any]) -> pd.DataFrame:
        """Return the flows behind a finding.

        Parameters
        ----------
        finding
            Its id (column `finding`), its row in `findings`, or the position of the row.

        Returns
        -------
        pandas.DataFrame
            The rows of `network_flows`, in their order and with their labels.

        Raises
        ------
        ArgumentError
            If there is no such finding.

        Examples
        --------
        >>> from flowtriage import NetworkFlowSummary, sample
        >>> nb = NetworkFlowSummary(silent=True)
        >>> result = nb.run(sample.HOST_IP, data=sample.office_day(), options=["findings"])
        >>> set(result.flows_of(0)["dst_ip"]) == {sample.UPLOAD.peer}
        True
        """
        tables = self.host_tables
        rows = MatchingFlows(tables.flows).rows(condition_of(finding, tables.found))
        flows: pd.DataFrame = self.network_flows.iloc[rows.to_numpy()]
        return flows

    @property
    def asn_selector(self) -> SelectSubset | None:
        """The msticpy `SelectSubset` of `select_asns`, or None before."""
        return self._selector

    def select_asns(self, asns: AsnLike | Iterable[AsnLike] | None = None) -> None:
        """Show a widget that selects the ASNs for the next steps.

        Initially, the least used quarter of the ASNs is selected, without those of the host
        itself. `asn_selector.selected_items` is the current selection.

        Parameters
        ----------
        asns
            Initial selection, for front ends without widgets: ASNs as `AS15169`, as numbers, by
            name or by their labels in the flow summary.

        Raises
        ------
        ArgumentError
            If the host communicated with no such ASN; the message has the nearest labels.
        """
        if self._tables is None or self.flow_summary is None:
            print(_RUN_FIRST)
            return
        choices = self._tables.choices
        if not choices.labels:
            none = "None of the addresses is public: there is no ASN to select."
            show(self._section("select_asns", none))
            return
        self._selector = selector(choices, asns)
        count, selected = len(choices.labels), len(self._selector.selected_items)
        texts = [f"{selected:,} of {count:,} selected initially. {_BY_NAME}"]
        if asns is None and (folded := choices.folded_only):
            texts.append(
                f"{folded:,} ASNs of peers that are folded in the tables are not among them."
            )
        show(self._section("select_asns", *texts, self._selector))

    def lookup_ti_for_asn_ips(
        self,
        time_limit: float | None = DEFAULT_TIME_LIMIT,
        *,
        max_addresses: int | None = MAX_ADDRESSES,
    ) -> None:
        """Look up threat intelligence for the addresses of the selected ASNs.

        Of the providers `tilookup` (msticpy's `TILookup`) and `blocklists` (local block lists),
        those that are loaded are queried about public addresses. The results are in
        `ti_results`, with the flows of each address; `ti_coverage` has the number of queries and
        results of each provider, `ti_ledger` the outcome for each address. Ctrl-C, or the
        interrupt button of a notebook, ends the look-up and keeps the results until then.

        Parameters
        ----------
        time_limit
            Time limit in seconds, 600 by default; None for no limit.
        max_addresses
            Number of addresses that services are queried about, 1,000 by default: peers of
            findings first, then those with the most bytes. None for no limit. Block lists are
            searched for all addresses.

        Raises
        ------
        ArgumentError
            If the time limit or the number of addresses is not a positive number.
        """
        if self._tables is None or self._selector is None:
            print(_SELECT_FIRST)
            return
        selected = self._tables.choices.addresses(self._selector.selected_items)
        addresses = self._tables.by_priority(selected)
        providers = self._providers
        sources = [providers[name] for name in _INTELLIGENCE if name in providers]
        with progress_bar(" queries", silent=self._silent):
            found = look_up(
                addresses.to_pylist(), sources, time_limit=time_limit, max_sent=max_addresses
            )
        self._reputation = found
        self.ti_results = with_flows(found.results, self._tables.index)
        self.ti_coverage, self.ti_ledger = found.coverage, found.ledger.to_pandas()
        count = counted(len(addresses), "distinct address", "distinct addresses")
        contents: list[object] = [f"{count} in the ASNs selected.", *found.messages()]
        if len(found.coverage):
            contents.append(found.coverage)
        if len(failures := found.failures):
            contents += ["Addresses without an answer:", failures]
        if len(found.hits):
            hits = pa.array(found.hits["Ioc"].unique().tolist(), pa.string())
            contents += [
                found.hits[_SHOWN],
                "Flows of these addresses, for further inspection:",
                fold_index(self._tables.index_of(hits)),
            ]
        self._replace(self._section("ti_results", *contents))

    def show_selected_asn_map(self) -> FoliumMap | None:
        """Show the addresses of the selected ASNs on a map, threats in red.

        Threats are hits of `lookup_ti_for_asn_ips`; before it, the map has none.

        Returns
        -------
        msticpy.vis.foliummap.FoliumMap or None
            The map, also in `geo_map_selected`; None before `select_asns`.
        """
        from flowtriage.viz.maps.geo_map import geo_map
        from flowtriage.viz.maps.threats import threat_table

        if self._tables is None or self._selector is None:
            print(_SELECT_FIRST)
            return None
        found = self._reputation
        drawing = self.geo_map_selected = geo_map(
            self._tables.index,
            host_addresses=self._tables.addresses,
            asn=self._tables.asn,
            geoip=locations(self._providers),
            only=self._tables.choices.addresses(self._selector.selected_items),
            threats=None if found is None else threat_table(found.hits),
        )
        self._replace(self._section("geo_map_selected", drawing))
        return drawing if self._silent else _displayed(drawing)

    @property
    def _providers(self) -> Mapping[str, Any]:
        """The providers of the notebooklet, or of the session where there is no notebooklet."""
        nb = self.notebooklet
        current = DataProviders.current() if nb is None else nb.data_providers
        return getattr(current, "providers", {})

    @property
    def _silent(self) -> bool:
        if self._run_silent is not None:
            return self._run_silent
        return self.notebooklet is not None and self.notebooklet.silent

    def _replace(self, section: Section) -> None:
        """Present a section instead of an earlier one with its title."""
        self.sections[:] = [one for one in self.sections if one.title != section.title]
        self.present(section, silent=self._silent)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickling; of the selector, the choices and the selection."""
        state = super().__getstate__()
        if self._tables is not None and self._selector is not None:
            selected = list(self._selector.selected_items)
            state["_selector"] = Rebuild(selector, self._tables.choices, selected)
        return state


def locations(providers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the providers of locations, in the order of their use."""
    return {name: providers[name] for name in _LOCATIONS if name in providers}


@dataclass
class _DisplayLater:
    """Display of a map, except as the value of the cell that displayed it already."""

    drawing: FoliumMap
    cell: int | None

    def __call__(self) -> None:
        from IPython import get_ipython
        from IPython.display import HTML, display

        shell: Any = get_ipython()
        if shell.execution_count != self.cell:
            display(HTML(self.drawing._repr_html_()))

    def __getstate__(self) -> dict[str, Any]:
        """Return the map alone: cells of another session are other cells."""
        return {"drawing": self.drawing, "cell": None}


def _displayed(drawing: FoliumMap) -> FoliumMap:
    """Keep a cell that displayed a map from displaying it again as its value."""
    if in_notebook():
        from IPython import get_ipython

        shell: Any = get_ipython()
        drawing._ipython_display_ = _DisplayLater(drawing, shell.execution_count)
    return drawing
