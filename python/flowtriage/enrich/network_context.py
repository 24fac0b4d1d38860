"""Internal networks, and names of networks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowtriage._core import AddressRanges
from flowtriage.errors import FormatError
from flowtriage.humanize import sanitize
from flowtriage.inputs.networks import parse_networks

_MAX_LISTED = 3


class InternalNetworks:
    """The internal network, from a file that `parse_networks` reads."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        networks = pa.array(parse_networks(Path(path)), pa.string())
        self._networks = AddressRanges.from_networks(networks)

    def check(self, addresses: pa.Array) -> pa.Array:
        """Check which addresses are internal; null where there is no address."""
        found = self._networks.find(addresses, strict=True)["range"].combine_chunks()
        return pc.if_else(pc.is_valid(addresses), pc.is_valid(found), None)


@dataclass(frozen=True)
class NetworkContext:
    """Names of networks, ranges and addresses: lines of a file, as `ip` and `name`."""

    path: Path
    entries: pa.Table

    @cached_property
    def _ranges(self) -> AddressRanges:
        networks = self.entries["ip"].combine_chunks()
        return AddressRanges.from_ranges(networks, pa.nulls(len(networks), pa.string()))

    @property
    def unusable(self) -> pa.Table:
        """Entries whose `ip` is neither a network nor a range nor an address."""
        return self.entries.take(pa.array(self._ranges.bad(), pa.int64()))

    def find(self, addresses: pa.Array) -> pa.Array:
        """Return the name of the narrowest entry that contains each address, or null."""
        index = self._ranges.find(addresses)["range"].combine_chunks()
        return self.entries["name"].combine_chunks().take(index)


def read_context(path: str | os.PathLike[str]) -> NetworkContext:
    """Read Spot's `networkcontext_1.csv`: an optional header, then lines of `ip,name`.

    The first column is a CIDR prefix, a range such as `10.0.0.1-10.0.0.9`, or an address. Of
    overlapping entries the narrowest applies, of equal ones the first. Space around values is
    stripped; further columns are ignored.

    Raises
    ------
    FormatError
        If the file is not CSV with two columns, or no line has a valid first column.
    """
    path = Path(path)
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise FormatError(f"{sanitize(str(path))} is empty; it needs lines of ip,name")
    try:
        width = csv.read_csv(pa.BufferReader(text.partition(b"\n")[0] + b"\n")).num_columns
        names = [f"column {at}" for at in range(width)]
        table = csv.read_csv(
            pa.BufferReader(text),
            read_options=csv.ReadOptions(column_names=names),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        raise FormatError(f"{sanitize(str(path))} is not lines of ip,name: {error}") from None
    if width < 2:
        raise FormatError(f"{sanitize(str(path))} has one column; it needs ip,name")
    columns = [pc.utf8_trim_whitespace(table[name]) for name in names[:2]]
    entries = pa.table(columns, names=["ip", "name"])
    context = NetworkContext(path, entries)
    if context._ranges.bad()[:1] == [0]:
        context = NetworkContext(path, entries.slice(1))
    unusable = context.unusable
    if entries.num_rows and len(unusable) == context.entries.num_rows:
        shown = ", ".join(sanitize(repr(ip), 60) for ip in unusable["ip"].to_pylist()[:_MAX_LISTED])
        raise FormatError(f"{sanitize(str(path))} has no network, range or address: {shown}")
    return context
