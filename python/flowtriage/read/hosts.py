"""The hosts whose flows are wanted of a source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import AddressRanges
from flowtriage.formats.azure_nta import AZURE_NTA
from flowtriage.formats.declaration import Format
from flowtriage.formats.metadata import FORMAT, metadata_value
from flowtriage.quality import ReadReport

NAMED_ENDS = {"SrcVm": "SrcIp", "DestVm": "DestIp"}
"""Columns of `NTANetAnalytics` with the machines at both ends, and those with their addresses."""
_ENDPOINTS = ("src_ip", "dst_ip")


@dataclass(frozen=True)
class Hosts:
    """Addresses and CIDR prefixes in canonical notation, and names; all hosts if there are none.

    Readers parse only the records that may have a flow of the hosts.
    """

    networks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether only some hosts are wanted."""
        return bool(self.networks or self.names)

    def searched(self, format: Format) -> Hosts:
        """Return the hosts to which reading a format can be restricted.

        `NTANetAnalytics` is read whole: its flows of other hosts tell when a machine migrated.
        """
        return Hosts() if format.name == AZURE_NTA.name else self

    def texts(self) -> list[str]:
        """Return what a record of a named host contains, whatever its domain or path."""
        return [name.rpartition("/")[2].partition(".")[0] for name in self.names]

    def select(self, flows: pa.Table, report: ReadReport) -> pa.Table:
        """Return the flows of the hosts, unless their format is read whole; count the others."""
        if not self or metadata_value(flows, FORMAT) == AZURE_NTA.name:
            return flows
        return self.select_all(flows, report)

    def select_all(self, flows: pa.Table, report: ReadReport) -> pa.Table:
        """Return the flows of the hosts, by address or by part of the name; count the others."""
        if not self or not flows.num_rows:
            return flows
        kept = flows.filter(self._mask(flows))
        report.rows_of_other_hosts += flows.num_rows - kept.num_rows
        return kept

    def _mask(self, flows: pa.Table) -> pa.ChunkedArray:
        ranges = AddressRanges.from_networks(pa.array(self.networks, pa.string()))
        source, dest = (_within(ranges, flows[end]) for end in _ENDPOINTS)
        mask = pc.or_(source, dest)
        if self.names:
            ends = (name for name in flows.column_names if is_named_end(name))
            for name in ("host", *ends):
                mask = pc.or_(mask, _contains(flows[name], self.texts()))
        return mask


def is_named_end(name: str) -> bool:
    """Return whether a column names the machine at an end of a flow; case is ignored."""
    return name.casefold() in map(str.casefold, NAMED_ENDS)


def _within(ranges: AddressRanges, addresses: pa.ChunkedArray) -> pa.Array:
    return ranges.find(addresses.combine_chunks())["range"].combine_chunks().is_valid()


def _contains(names: pa.ChunkedArray, texts: Sequence[str]) -> pa.ChunkedArray:
    distinct = pc.unique(names)
    found = (pc.match_substring(distinct, text, ignore_case=True) for text in texts)
    return pc.is_in(names, value_set=distinct.filter(reduce(pc.or_, found)).drop_null())
