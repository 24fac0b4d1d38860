"""The result of `NetworkFlowSummary`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.asn import AsnDatabase
from flowtriage.enrich.reputation import Reputation, look_up
from flowtriage.network_flow_summary.asn_selection import AsnChoices, asn_choices, selector
from flowtriage.notebooklet import NotebookletResult
from flowtriage.notebooklet.result import LazyAttribute
from flowtriage.render.notebook import in_notebook

if TYPE_CHECKING:
    import pandas as pd
    from bokeh.models import LayoutDOM
    from msticpy.vis.foliummap import FoliumMap


class NetworkFlowResult(NotebookletResult):
    """The network flows of a host.

    Attributes
    ----------
    host_entity : msticpy.datamodel.entities.Host
        The host: its name and addresses, as far as they are known.
    network_flows : pandas.DataFrame
        The host's flows, one row per record, in the canonical schema with their direction.
    plot_flows_by_protocol : bokeh.models.LayoutDOM
        Timeline of flows by layer-7 protocol.
    plot_flows_by_direction : bokeh.models.LayoutDOM
        Timeline of flows by direction.
    plot_flow_values : bokeh.models.LayoutDOM
        Timeline of the number of flows by layer-7 protocol.
    flow_index : pandas.DataFrame
        Flows by source, dest, protocol and direction (see `flowtriage.flow_index`).
    flow_index_data : pandas.DataFrame
        What the index was made of: a row per record with the columns of its key.
    flow_summary : pandas.DataFrame
        Flows by ASN (see `flowtriage.flow_summary`).
    asn_ledger : pandas.DataFrame
        What was asked online about ASNs, and what became of it (see `AsnDatabase.ledger`); None
        unless `asn` was to be looked up online.
    ti_results : pandas.DataFrame
        Threat intelligence on selected addresses, the most severe first (see
        `flowtriage.enrich.reputation.Reputation`).
    ti_coverage : pandas.DataFrame
        Who was asked about how many of them, and who answered.
    geo_map : msticpy.vis.foliummap.FoliumMap
        Map of all addresses.
    geo_map_selected : msticpy.vis.foliummap.FoliumMap
        Map of selected addresses.
    """

    network_flows = LazyAttribute()
    flow_index_data = LazyAttribute()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.host_entity: Any = None
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
        self.geo_map: Any = None
        self.geo_map_selected: Any = None


INTELLIGENCE = ("blocklists", "tilookup")
LOCATIONS = ("geolitelookup", "ipstacklookup")
_BY_NAME = (
    "Where no lists to choose from appear below, name the ASNs as the flow summary does: "
    'select_asns(["AS15169 Google LLC"]).'
)
_SHOWN = ["Ioc", "Severity", "Provider", "Details", "Reference"]


@dataclass
class AsnWork:
    """The flows of one run, and what was done with them since.

    Attributes
    ----------
    result
        Result of the run; what is found is kept in it.
    index : pyarrow.Table
        Result of `flowtriage.flow_index`.
    hosts
        Addresses of the host.
    asn
        Database of autonomous systems and countries.
    selector : msticpy.nbwidgets.SelectSubset or None
        The widget in which ASNs are chosen.
    reputation : Reputation or None
        What was found out about the addresses of the chosen ones.
    """

    result: NetworkFlowResult
    index: pa.Table
    hosts: tuple[str, ...]
    asn: AsnDatabase
    selector: Any = None
    reputation: Reputation | None = None

    @cached_property
    def choices(self) -> AsnChoices:
        """The autonomous systems to choose from."""
        return asn_choices(self.index, self.hosts, self.asn)

    def select(self, asns: Iterable[str] | None) -> list[object]:
        """Make the widget; return what to show."""
        if not self.choices.labels:
            return ["None of the addresses is public: there is no ASN to choose."]
        self.selector = selector(self.choices, asns)
        count, chosen = len(self.choices.labels), len(self.selector.selected_items)
        return [f"{chosen:,} of {count:,} selected to begin with. {_BY_NAME}", self.selector]

    @property
    def addresses(self) -> pa.Array:
        """Addresses of the ASNs that are chosen now."""
        return self.choices.addresses(self.selector.selected_items)

    def look_up(self, providers: Mapping[str, Any], *, progress: bool) -> list[object]:
        """Look up the addresses of the chosen ASNs; return what to show."""
        sources = [providers[name] for name in INTELLIGENCE if name in providers]
        chosen = self.addresses
        found = self.reputation = look_up(chosen.to_pylist(), sources, progress=progress)
        self.result.ti_results, self.result.ti_coverage = found.results, found.coverage
        shown: list[object] = [
            f"{len(chosen):,} distinct addresses in the ASNs selected.",
            *found.messages(),
        ]
        if len(found.coverage):
            shown.append(found.coverage)
        if len(found.hits):
            shown += [
                found.hits[_SHOWN],
                "The flows of these addresses; look at them more closely:",
                self._flows_of(pa.array(found.hits["Ioc"].unique().tolist(), pa.string())),
            ]
        return shown

    def draw(self, providers: Mapping[str, Any]) -> FoliumMap:
        """Draw the addresses of the chosen ASNs on a map, threats in red."""
        from flowtriage.viz.maps.geo_map import geo_map
        from flowtriage.viz.maps.threats import threat_table

        found = self.reputation
        drawing = geo_map(
            self.index,
            host_addresses=self.hosts,
            asn=self.asn,
            geoip=locations(providers),
            only=self.addresses,
            threats=None if found is None else threat_table(found.hits),
        )
        self.result.geo_map_selected = drawing
        return drawing

    def _flows_of(self, addresses: pa.Array) -> pa.Table:
        ends = (pc.is_in(self.index[end], value_set=addresses) for end in ("source", "dest"))
        return self.index.filter(pc.or_(*ends)).sort_by([("TotalAllowedFlows", "descending")])


def locations(providers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the providers of locations, the first to ask first."""
    return {name: providers[name] for name in LOCATIONS if name in providers}


def shown(drawing: FoliumMap) -> FoliumMap:
    """Keep the cell that has just shown a map from showing it again as its value."""
    if in_notebook():
        from IPython import get_ipython
        from IPython.display import HTML, display

        shell: Any = get_ipython()
        cell = shell.execution_count

        def display_elsewhere() -> None:
            if shell.execution_count != cell:
                display(HTML(drawing._repr_html_()))

        drawing._ipython_display_ = display_elsewhere
    return drawing


_INDEX_NAMES = {
    "src_ip": "source",
    "dst_ip": "dest",
    "service": "L7Protocol",
    "direction": "FlowDirection",
    "flows": "TotalAllowedFlows",
}
_LETTERS = {"inbound": "I", "outbound": "O", "internal": "L", "external": "X", "unknown": "U"}


def index_data(flows: pa.Table) -> pd.DataFrame:
    """Return flows under the names and in the notation of the index."""
    import pyarrow.compute as pc

    words, letters = pa.array(_LETTERS.keys()), pa.array(_LETTERS.values())
    place = flows.column_names.index("direction")
    direction = letters.take(pc.index_in(flows["direction"], words).combine_chunks())
    renamed = [_INDEX_NAMES.get(name, name) for name in flows.column_names]
    table = flows.set_column(place, "direction", direction).rename_columns(renamed)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def with_lists(summary: pa.Table) -> pd.DataFrame:
    """Convert a summary to pandas, with Python lists in the cells of its lists."""
    frame: pd.DataFrame = summary.to_pandas()
    for name in ("L7Protocols", "source_ips", "dest_ips"):
        frame[name] = summary[name].to_pylist()
    return frame
