"""The result of `NetworkFlowSummary`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowtriage.notebooklet import NotebookletResult
from flowtriage.notebooklet.on_demand import OnDemand

if TYPE_CHECKING:
    import pandas as pd
    from bokeh.models import LayoutDOM


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
        `flowtriage.reputation.Reputation`).
    ti_coverage : pandas.DataFrame
        Who was asked about how many of them, and who answered.
    geo_map : msticpy.vis.foliummap.FoliumMap
        Map of all addresses.
    geo_map_selected : msticpy.vis.foliummap.FoliumMap
        Map of selected addresses.
    """

    network_flows = OnDemand()
    flow_index_data = OnDemand()

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
