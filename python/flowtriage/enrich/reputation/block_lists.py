"""Local block lists, asked as a service of threat intelligence is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage._core import AddressRanges
from flowtriage.enrich.reputation.block_list_formats import read_entries
from flowtriage.errors import ArgumentError, FormatError

if TYPE_CHECKING:
    import pandas as pd

_SEVERITIES = ("information", "warning", "high")
_NAMED = 3


@dataclass(frozen=True)
class BlockList:
    """One list of addresses and networks.

    Attributes
    ----------
    name
        Name under which it answers.
    path
        Its file or folder.
    entries : pyarrow.Table
        `place`, `network`, `severity` and `details` of each entry, as they are in the file.
    """

    name: str
    path: Path
    entries: pa.Table

    @cached_property
    def networks(self) -> AddressRanges:
        """The networks, ready to be asked."""
        return AddressRanges.from_networks(self.entries["network"].combine_chunks())

    @property
    def unusable(self) -> pa.Table:
        """Entries that are neither an address nor a network."""
        return self.entries.take(pa.array(self.networks.bad(), pa.int64()))

    def find(self, addresses: pa.Array) -> pa.Table:
        """Return for each address the entry with the longest network that holds it, or nulls."""
        return self.entries.take(self.networks.find(addresses, strict=True)["range"])


class BlockLists:
    """Local block lists, asked as a service of threat intelligence is.

    Each list answers under its own name about every address; addresses never leave the machine.

    Parameters
    ----------
    paths
        A file, or several. The format is told from the content: lines of addresses or CIDR
        prefixes with remarks after them (`#`, `;`), CSV whose heading names a column of
        addresses (such as `network`, `ip`, `dst_ip`, `indicator`), a STIX 2 bundle, a MISP event
        or an export of events, or the folder of a MISP feed.
    severity
        Severity of a listed address where its list tells none: `information`, `warning` or
        `high`.

    Attributes
    ----------
    lists : tuple of BlockList
        The lists.
    severity : str
        As given.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If a file holds no address and no network, or is broken.
    ArgumentError
        If no file is named, or `severity` is none of the three.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "drop.txt"
    >>> _ = path.write_text("198.51.100.0/24 ; hijacked")
    >>> BlockLists(path)
    BlockLists: drop (1 entry)
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        severity: str = "high",
    ) -> None:
        if severity not in _SEVERITIES:
            raise ArgumentError(f"severity is {severity!r}; choose one of {', '.join(_SEVERITIES)}")
        files = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        if not files:
            raise ArgumentError("no block list was named")
        self.severity = severity
        self.lists = tuple(_read_lists([Path(file) for file in files]))

    def lookup_iocs(self, data: Iterable[str], *, progress: bool = False, **_: Any) -> pd.DataFrame:
        """Look up addresses in every list.

        Parameters
        ----------
        data
            Addresses, or a mapping from addresses to their types.
        progress
            Taken as msticpy's `TILookup` takes it; matching is too quick to show any.

        Returns
        -------
        pandas.DataFrame
            A row for each address and list, with the columns of msticpy's `TILookup`.

        Raises
        ------
        InputError
            If a text is not an address.
        """
        addresses = pa.array(list(data), pa.string())
        answers = [self._answers(one, addresses) for one in self.lists]
        frame: pd.DataFrame = pa.concat_tables(answers).to_pandas()
        return frame

    def _answers(self, one: BlockList, addresses: pa.Array) -> pa.Table:
        import pyarrow.compute as pc

        found = one.find(addresses)
        listed = pc.is_valid(found["network"])
        kind = pc.if_else(pc.match_substring(addresses, ":"), "ipv6", "ipv4")
        remark = pc.binary_join_element_wise("", pc.fill_null(found["details"], ""), ": ")
        told = pc.if_else(
            pc.equal(found["details"], ""),
            found["network"],
            pc.binary_join_element_wise(found["network"], remark, ""),
        )
        severity = pc.coalesce(found["severity"], pa.scalar(self.severity))
        rows = len(addresses)
        return pa.table(
            {
                "Ioc": addresses,
                "IocType": kind,
                "QuerySubtype": pa.nulls(rows, pa.string()),
                "Provider": pa.repeat(one.name, rows),
                "Result": listed,
                "Severity": pc.if_else(listed, severity, "information"),
                "Details": pc.if_else(listed, told, "Not listed."),
                "RawResult": found["place"],
                "Reference": pa.repeat(str(one.path), rows),
                "Status": pa.repeat(pa.scalar(0, pa.int64()), rows),
            }
        )

    def __repr__(self) -> str:
        """Name the lists, with their numbers of entries."""
        return f"BlockLists: {', '.join(map(_described, self.lists))}"


def _read_lists(paths: list[Path]) -> Iterable[BlockList]:
    taken: set[str] = set()
    for path in paths:
        entries = read_entries(path)
        stem = path.stem or path.name
        name = next(n for n in _names(stem, len(paths)) if n not in taken)
        taken.add(name)
        one = BlockList(name, path, entries)
        unusable = one.unusable
        if len(unusable) == len(entries):
            raise FormatError(f"{path} has no address and no network{_examples(unusable)}")
        yield one


def _names(stem: str, most: int) -> list[str]:
    return [stem, *(f"{stem} {number}" for number in range(2, most + 2))]


def _examples(unusable: pa.Table) -> str:
    first = unusable.slice(0, _NAMED).to_pylist()
    named = ", ".join(f"{entry['place']}: {str(entry['network'])[:60]!r}" for entry in first)
    return f"; {named}" if named else ""


def _described(one: BlockList) -> str:
    unusable = one.unusable
    count = len(one.entries) - len(unusable)
    text = f"{one.name} ({count:,} {'entry' if count == 1 else 'entries'}"
    if len(unusable):
        text += f", {len(unusable):,} unusable{_examples(unusable)}"
    return text + ")"
