"""What follows a run: ASNs are chosen, their addresses looked up, and shown on a map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.asn import AsnDatabase
from flowtriage.network_flow_summary.asn_selection import AsnChoices, asn_choices, selector
from flowtriage.network_flow_summary.result import NetworkFlowResult
from flowtriage.notebooklet.display import in_notebook
from flowtriage.reputation import Reputation, look_up

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap

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
            *found.sentences(),
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
        from flowtriage.network_flow_summary.geomap import geo_map
        from flowtriage.network_flow_summary.geomap_threats import threat_table

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
