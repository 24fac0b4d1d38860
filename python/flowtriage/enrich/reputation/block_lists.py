"""Local block lists, with the interface of a threat intelligence service."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import AddressRanges
from flowtriage.enrich.reputation.block_list_formats import read_entries
from flowtriage.enrich.reputation.block_list_networks import extent_of, extent_together, ranges_of
from flowtriage.enrich.reputation.results import COLUMNS, result_table
from flowtriage.enrich.reputation.severity import Severity
from flowtriage.errors import ArgumentError, FormatError
from flowtriage.humanize import counted, sanitize
from flowtriage.inputs.addresses import HostsLike, address_array, single_addresses
from flowtriage.inputs.texts import path_argument

if TYPE_CHECKING:
    import pandas as pd

_SEVERITIES = tuple(one.label for one in Severity if one is not Severity.UNKNOWN)
_MAX_LISTED = 3
_MAX_SHOWN = 200


@dataclass(frozen=True)
class BlockList:
    """One list of addresses and networks.

    Attributes
    ----------
    name
        Provider name of the list in results.
    path
        Its file or folder.
    entries : pyarrow.Table
        `position`, `network`, `severity` and `details` of each entry; `network` is an address, a
        CIDR prefix or a range, or as written in the file if it is none of them.
    expired
        Number of indicators that were skipped because they are revoked or not valid now.
    undated
        Entries whose validity cannot be read; they are used as valid.
    """

    name: str
    path: Path
    entries: pa.Table
    expired: int = 0
    undated: tuple[str, ...] = ()

    @cached_property
    def networks(self) -> AddressRanges:
        """The networks as a lookup structure."""
        return ranges_of(self.entries["network"].combine_chunks())

    @property
    def unusable(self) -> pa.Table:
        """Entries that are no address, network or range, or cover most of IPv4 or IPv6."""
        return self.entries.take(pa.array(self.networks.bad(), pa.int64()))

    def find(self, addresses: HostsLike | pa.Array | pa.ChunkedArray) -> pa.Table:
        """Return for each address the entry of the longest matching prefix, or nulls."""
        with single_addresses():
            found = self.networks.find(address_array(addresses), strict=True)
        return self.entries.take(found["range"])


class BlockLists:
    """Local block lists, with the interface of a threat intelligence service.

    Each list is a provider of its own and has a result for every address. Addresses never leave
    the machine.

    Parameters
    ----------
    paths
        One file or several. The content decides the format: lines of addresses, CIDR prefixes or
        ranges with optional remarks (`#`, `;`), CSV whose header has an address column (such as
        `network`, `ip`, `dst_ip`, `indicator`), a STIX 2 bundle, a MISP event or an export of
        events, or the folder of a MISP feed. Indicators that are revoked, deleted or not valid
        now (`valid_from`, `valid_until`, `first_seen`, `last_seen`) are skipped.
    severity
        Severity of a listed address where its list has none: `information`, `warning` or `high`.

    Attributes
    ----------
    lists : tuple of BlockList
        The lists.
    severity : str
        As given.

    Raises
    ------
    FileNotFoundError, PermissionError
        If a file is missing or cannot be read.
    FormatError
        If a file is invalid, has no usable address or network, or its networks together cover more
        than half of IPv4 or IPv6.
    ArgumentError
        If no file is given, or `severity` is invalid.

    Warns
    -----
    UserWarning
        If a file has unusable entries, or entries whose validity cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "drop.txt"
    >>> _ = path.write_text("198.51.100.0/24 ; hijacked")
    >>> BlockLists(path)
    BlockLists: drop (1 entry)
    """

    local = True

    def __init__(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        severity: str = "high",
    ) -> None:
        if severity not in _SEVERITIES:
            raise ArgumentError(f"invalid severity {severity!r}; give {', '.join(_SEVERITIES)}")
        files = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        if not files:
            raise ArgumentError("no block list given; give at least one file")
        self.severity = severity
        self.lists = tuple(_read_lists([Path(path_argument(file)) for file in files]))
        for one in self.lists:
            if count := len(one.unusable):
                warnings.warn(
                    f"{one.path}: {count:,} unusable of "
                    f"{counted(len(one.entries), 'entry', 'entries')}"
                    f"{_examples(one.unusable.slice(0, 1))}",
                    stacklevel=2,
                )
            if one.undated:
                warnings.warn(
                    f"{one.path}: {len(one.undated):,} of "
                    f"{counted(len(one.entries), 'entry has', 'entries have')} an "
                    f"unreadable validity and are used; {sanitize(one.undated[0], _MAX_SHOWN)}",
                    stacklevel=2,
                )

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the lists."""
        return tuple(one.name for one in self.lists)

    def lookup_iocs(self, data: Iterable[str], *, progress: bool = False, **_: Any) -> pd.DataFrame:
        """Look up addresses in every list.

        Parameters
        ----------
        data
            Addresses, or a mapping from addresses to their types.
        progress
            Accepted for compatibility with msticpy's `TILookup`, and ignored.

        Returns
        -------
        pandas.DataFrame
            A row for each address and list, with the columns of msticpy's `TILookup`.

        Raises
        ------
        InputError
            If an address is invalid.
        """
        found = self.query(address_array(data))
        frame: pd.DataFrame = found.select(COLUMNS).to_pandas()
        return frame

    def query(self, addresses: pa.Array) -> pa.Table:
        """Look up addresses in every list; return the columns of `lookup_iocs` and `Network`."""
        return pa.concat_tables([self._query(one, addresses) for one in self.lists])

    def _query(self, one: BlockList, addresses: pa.Array) -> pa.Table:
        found = one.find(addresses)
        listed = pc.is_valid(found["network"])
        remark = pc.binary_join_element_wise("", pc.fill_null(found["details"], ""), ": ")
        entry = pc.if_else(
            pc.equal(found["details"], ""),
            found["network"],
            pc.binary_join_element_wise(found["network"], remark, ""),
        )
        severity = pc.coalesce(found["severity"], pa.scalar(self.severity))
        return result_table(
            addresses,
            Provider=one.name,
            Result=listed,
            Severity=pc.if_else(listed, severity, Severity.INFORMATION.label),
            Details=pc.if_else(listed, entry, "Not listed."),
            RawResult=found["position"],
            Reference=str(one.path),
            Network=found["network"],
        )

    def __repr__(self) -> str:
        """List the names and numbers of entries."""
        return f"BlockLists: {', '.join(map(_described, self.lists))}"


def _read_lists(paths: list[Path]) -> Iterable[BlockList]:
    used: set[str] = set()
    for path in paths:
        stem = path.stem or path.name
        names = chain([stem], (f"{stem} {number}" for number in count(2)))
        name = next(n for n in names if n not in used)
        used.add(name)
        read = read_entries(path)
        one = BlockList(name, path, read.table, read.expired, read.undated)
        unusable = one.unusable
        if len(unusable) == len(one.entries) and not one.expired:
            raise FormatError(f"{path} has no usable address or network{_examples(unusable)}")
        if covered := extent_together(one.entries["network"].combine_chunks()):
            raise FormatError(
                f"{path}: its networks together are {covered}; give a list of smaller networks"
            )
        yield one


def _examples(unusable: pa.Table) -> str:
    first = unusable.slice(0, _MAX_LISTED).to_pylist()
    listed = ", ".join(f"{entry['position']}: {_shown(entry['network'])}" for entry in first)
    return f"; {listed}" if listed else ""


def _shown(network: str | None) -> str:
    covered = extent_of(network)
    return f"{str(network)[:60]!r}{f' is {covered}' if covered else ''}"


def _described(one: BlockList) -> str:
    unusable = one.unusable
    usable = len(one.entries) - len(unusable)
    text = f"{one.name} ({counted(usable, 'entry', 'entries')}"
    if len(unusable):
        text += f", {len(unusable):,} unusable{_examples(unusable)}"
    if one.expired:
        text += f", {one.expired:,} not valid now"
    if one.undated:
        text += f", {len(one.undated):,} of unreadable validity"
    return text + ")"
