"""The questions, the same for every engine, and how answers are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

KEYS = ("source", "dest", "L7Protocol", "FlowDirection")
FLOWS = "TotalAllowedFlows"
SUMS = ("denied_flows", "src_bytes", "dst_bytes", "src_packets", "dst_packets")
BOTH_SIDES = {"bytes": ("src_bytes", "dst_bytes"), "packets": ("src_packets", "dst_packets")}
"""Measures that are the sum of two columns."""
CANONICAL = {
    "source": "src_ip",
    "dest": "dst_ip",
    "L7Protocol": "service",
    FLOWS: "flows",
    "first_seen": "start_time",
}
"""Columns of an index that have another name in canonical flows."""


@dataclass(frozen=True)
class Search:
    """Answer to the search of an address: its flows, and its peers."""

    found: pa.Table
    peers: pa.Table


class Engine(ABC):
    """Answers about flows, in columns named as flowtriage's.

    Flows have the columns of a flow index, one record per row: addresses in canonical notation,
    the direction in `FlowDirection`, and for a search also ports and protocol. Columns of
    counters may be absent.
    """

    @abstractmethod
    def flow_index(self, *, ordered: bool = True) -> pa.Table:
        """Group by source, destination, layer-7 protocol and direction."""

    @abstractmethod
    def flow_summary(self, labels: Mapping[str | None, str]) -> pa.Table:
        """Group by the labels of both endpoints, given by address."""

    @abstractmethod
    def timeline(self, by: str, width: timedelta) -> pa.Table:
        """Count flows per series in bins of a width."""

    @abstractmethod
    def top_n(self, key: str, by: str, n: int) -> pa.Table:
        """Return the groups with the largest measure."""

    @abstractmethod
    def search(self, ip: str, *, internal: bool) -> Search:
        """Find the flows and the peers of an address, which is internal or not."""


def comparable(table: pa.Table) -> pa.Table:
    """Sort columns by name and cast them to the types that are compared: means to 32 bits."""
    ordered = table.select(sorted(table.column_names))
    fields = [pa.field(field.name, _compared(field.type)) for field in ordered.schema]
    return ordered.cast(pa.schema(fields))


def _compared(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind):
        return pa.float32()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC")
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(pa.large_string())
    return pa.large_string()


def in_any_order(table: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of an answer, and the values of lists in it, sorted as text."""
    rows = [
        {name: sorted(v) if isinstance(v, list) else v for name, v in row.items()}
        for row in comparable(table).to_pylist()
    ]
    return sorted(rows, key=repr)
