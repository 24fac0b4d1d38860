"""Tables of a host's flows, in Arrow and in pandas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.aggregate import flow_index, flow_summary, timeline
from flowtriage.analysis.folding import folded_addresses
from flowtriage.detect.of_host import HostFindings, peers_of
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.network_flow_summary.asn_selection import AsnChoices, asn_choices
from flowtriage.network_flow_summary.azure_columns import with_old_names
from flowtriage.read.source_columns import SourceColumns

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
    """A host's flows, addresses and findings, and the tables that several options share."""

    flows: pa.Table
    addresses: tuple[str, ...]
    asn: AsnDatabase
    found: HostFindings | None = None

    @cached_property
    def by_protocol(self) -> pa.Table:
        """Result of `flowtriage.timeline` by layer-7 protocol."""
        return timeline(self.flows, by="L7Protocol")

    @cached_property
    def index(self) -> pa.Table:
        """Result of `flowtriage.flow_index`."""
        return flow_index(self.flows)

    @cached_property
    def by_as(self) -> pa.Table:
        """Result of `flowtriage.flow_summary`."""
        return flow_summary(self.index, asn=self.asn)

    @cached_property
    def choices(self) -> AsnChoices:
        """The ASNs to select from."""
        folded = folded_addresses(self.index, self.named_peers)
        return asn_choices(self.index, self.addresses, self.asn, folded)

    @cached_property
    def named_peers(self) -> pa.Array:
        """Peers that findings name, the most severe first."""
        if self.found is None:
            return pa.array([], pa.string())
        return peers_of(self.found.table, self.addresses)

    def by_priority(self, addresses: pa.Array) -> pa.Array:
        """Sort addresses: peers of findings first, then those with the most bytes."""
        sizes = (pc.fill_null(self.index[f"{way}_bytes"], 0) for way in ("src", "dst"))
        volume = pc.add(*(pc.cast(size, pa.float64(), safe=False) for size in sizes))
        ends = pa.chunked_array([*self.index["source"].chunks, *self.index["dest"].chunks])
        volumes = pa.table({"address": ends, "bytes": pa.chunked_array([*volume.chunks] * 2)})
        sums = volumes.group_by("address").aggregate([("bytes", "sum")])
        at = pc.index_in(addresses, value_set=sums["address"].combine_chunks())
        ranked = {
            "rank": pc.index_in(addresses, value_set=self.named_peers),
            "bytes": sums["bytes_sum"].take(at),
        }
        order = pc.sort_indices(pa.table(ranked), [("rank", "ascending"), ("bytes", "descending")])
        return addresses.take(order)

    def index_of(self, addresses: pa.Array) -> pa.Table:
        """Return the index rows of some addresses, those with the most flows first."""
        endpoints = (pc.is_in(self.index[name], value_set=addresses) for name in ("source", "dest"))
        return self.index.filter(pc.or_(*endpoints)).sort_by([("TotalAllowedFlows", "descending")])


def network_flows(
    flows: pa.Table, rows: pa.ChunkedArray | None, columns: SourceColumns | None
) -> pd.DataFrame:
    """Return flows, and beside them the columns of the rows that they were read from.

    `TotalAllowedFlows`, which msticnb adds, is filled in rows without it. Counters of the source,
    this one too, are those of the whole row, repeated for each of its flows.
    """
    frame: pd.DataFrame = flows.to_pandas()
    if rows is None or columns is None:
        return frame
    source = with_old_names(columns.of(rows, frame.columns), frame)
    if len(source.columns):
        source = source.assign(TotalAllowedFlows=_total_allowed(source, frame["flows"]))
    return _beside(frame, source)


def _total_allowed(source: pd.DataFrame, flows: pd.Series[Any]) -> pd.Series[Any]:
    if "TotalAllowedFlows" not in source:
        return flows
    given = source["TotalAllowedFlows"]
    known = given.notna()
    return given if known.all() else given.astype(object).where(known, flows).infer_objects()


def _beside(frame: pd.DataFrame, source: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([frame, source], axis="columns")


def index_data(
    flows: pa.Table, rows: pa.ChunkedArray | None = None, columns: SourceColumns | None = None
) -> pd.DataFrame:
    """Return flows with the column names and direction letters of the index.

    The other columns of the rows that they were read from are beside them.
    """
    words, letters = pa.array(_LETTERS.keys()), pa.array(_LETTERS.values())
    position = flows.column_names.index("direction")
    direction = letters.take(pc.index_in(flows["direction"], words).combine_chunks())
    renamed = [_INDEX_NAMES.get(name, name) for name in flows.column_names]
    table = flows.set_column(position, "direction", direction).rename_columns(renamed)
    frame: pd.DataFrame = table.to_pandas()
    if rows is None or columns is None:
        return frame
    source = columns.of(rows, set(flows.column_names) - set(_INDEX_NAMES))
    source = with_old_names(source, flows.to_pandas())
    return _beside(frame, source[[name for name in source if name not in frame]])


def with_lists(summary: pa.Table) -> pd.DataFrame:
    """Convert a summary to pandas, with Python lists in the cells of its list columns."""
    frame: pd.DataFrame = summary.to_pandas()
    for name in ("L7Protocols", "source_ips", "dest_ips"):
        frame[name] = summary[name].to_pylist()
    return frame
