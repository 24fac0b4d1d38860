"""Tables of a host's flows, in Arrow and in pandas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.aggregate import flow_index, timeline
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.network_flow_summary.asn_selection import AsnChoices, asn_choices

if TYPE_CHECKING:
    import pandas as pd

_INDEX_NAMES = {
    "src_ip": "source",
    "dst_ip": "dest",
    "service": "L7Protocol",
    "direction": "FlowDirection",
    "flows": "TotalAllowedFlows",
}
_LETTERS = {"inbound": "I", "outbound": "O", "internal": "L", "external": "X", "unknown": "U"}


@dataclass(frozen=True)
class HostTables:
    """A host's flows and the tables that several options share.

    Attributes
    ----------
    flows : pyarrow.Table
        Flows of the host in the canonical schema, with their direction.
    addresses
        Addresses of the host.
    asn
        Database of autonomous systems and countries.
    """

    flows: pa.Table
    addresses: tuple[str, ...]
    asn: AsnDatabase

    @cached_property
    def by_protocol(self) -> pa.Table:
        """Result of `flowtriage.timeline` by layer-7 protocol."""
        return timeline(self.flows, by="L7Protocol")

    @cached_property
    def index(self) -> pa.Table:
        """Result of `flowtriage.flow_index`."""
        return flow_index(self.flows)

    @cached_property
    def choices(self) -> AsnChoices:
        """The ASNs to select from."""
        return asn_choices(self.index, self.addresses, self.asn)

    def index_of(self, addresses: pa.Array) -> pa.Table:
        """Return the index rows of some addresses, those with the most flows first."""
        endpoints = (pc.is_in(self.index[name], value_set=addresses) for name in ("source", "dest"))
        return self.index.filter(pc.or_(*endpoints)).sort_by([("TotalAllowedFlows", "descending")])


def index_data(flows: pa.Table) -> pd.DataFrame:
    """Return flows with the column names and direction letters of the index."""
    words, letters = pa.array(_LETTERS.keys()), pa.array(_LETTERS.values())
    position = flows.column_names.index("direction")
    direction = letters.take(pc.index_in(flows["direction"], words).combine_chunks())
    renamed = [_INDEX_NAMES.get(name, name) for name in flows.column_names]
    table = flows.set_column(position, "direction", direction).rename_columns(renamed)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def with_lists(summary: pa.Table) -> pd.DataFrame:
    """Convert a summary to pandas, with Python lists in the cells of its list columns."""
    frame: pd.DataFrame = summary.to_pandas()
    for name in ("L7Protocols", "source_ips", "dest_ips"):
        frame[name] = summary[name].to_pylist()
    return frame
