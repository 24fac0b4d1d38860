"""What a log format is: where each canonical column comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pyarrow as pa

Kind: TypeAlias = Literal[
    "time", "duration", "port", "count", "text", "protocol", "direction", "one"
]
Unit: TypeAlias = Literal["s", "ms", "us"]
Told: TypeAlias = tuple[int, str | None, str | None, str]
"""Number, column, value and reason of a bad row."""
Outcome: TypeAlias = tuple[pa.Table, int, int, int, int, list[Told]]
"""Flows; how many records were read, gave several flows, were of other things, and were bad; and
the first of these."""


@dataclass(frozen=True)
class Column:
    """One column of the canonical schema and where it comes from.

    Parameters
    ----------
    target
        Name in the canonical schema.
    kind
        How values are read: `time` (ISO 8601 or a number since 1970), `duration` (added to
        `start_time`), `port`, `count` (a whole number from 0), `text`, `protocol`, `direction`,
        `one` (the number 1 for every record).
    choices
        Columns of the log, the best first. A tuple stands for the sum of its columns.
    unit
        Unit of numbers that are times.
    """

    target: str
    kind: Kind
    choices: tuple[str | tuple[str, ...], ...] = ()
    unit: Unit | None = None


@dataclass(frozen=True)
class Ends:
    """Columns of the two addresses of a flow.

    With `direction`, `source` is the observed machine and `dest` its peer, and the column of that
    name tells which of them began. `dest` may hold several addresses.
    """

    source: str
    dest: str
    direction: str | None = None


@dataclass(frozen=True)
class Format:
    """The declaration of a log format.

    Parameters
    ----------
    name
        Short name, for `read_flows(format=…)`.
    title
        Name for people.
    signature
        Columns by which the format is recognised; a tuple stands for any one of its columns.
    ends
        Columns of the addresses; for each record the first that are filled count.
    columns
        The other columns.
    nulls
        Texts that mean a missing value, besides the empty text.
    suffixes
        Endings of column names that are ignored.
    keep
        Columns with values by which records of flows are told from others in the same log; a
        record without such a value is one of a flow.
    """

    name: str
    title: str
    signature: tuple[str | tuple[str, ...], ...]
    ends: tuple[Ends, ...]
    columns: tuple[Column, ...]
    nulls: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    keep: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def names(self, found: Iterable[str]) -> dict[str, str]:
        """Columns found in a log, by the name under which they are declared, in lower case."""
        out: dict[str, str] = {}
        for name in found:
            plain = name.casefold().strip()
            out.setdefault(plain, name)
            for suffix in self.suffixes:
                if plain.endswith(suffix):
                    out.setdefault(plain.removesuffix(suffix), name)
        return out

    def missing(self, found: Iterable[str]) -> list[str]:
        """Columns of the signature that a log lacks; none if it has this format."""
        names = self.names(found)
        choices = [(item,) if isinstance(item, str) else item for item in self.signature]
        missing = [
            " or ".join(choice)
            for choice in choices
            if not any(name.casefold() in names for name in choice)
        ]
        if not any(self._ends(ends, names) for ends in self.ends):
            missing.append(" or ".join(f"{ends.source} and {ends.dest}" for ends in self.ends))
        return missing

    def _ends(self, ends: Ends, names: Mapping[str, str]) -> BoundEnds | None:
        wanted = [ends.source, ends.dest, *([ends.direction] if ends.direction else [])]
        bound = [names.get(name.casefold()) for name in wanted]
        if None in bound:
            return None
        source, dest, *direction = (name for name in bound if name is not None)
        return BoundEnds(source, dest, direction[0] if direction else None)

    def bind(self, found: Iterable[str], *, sparse: bool = False) -> Binding:
        """Find the declared columns in a log.

        Parameters
        ----------
        found
            Names of the log's columns.
        sparse
            Whether a column may first appear later in the log, as in JSON lines; then those
            that were not found are bound by their declared names.
        """
        names = self.names(found)
        columns = []
        for column in self.columns:
            groups = [(c,) if isinstance(c, str) else c for c in column.choices]
            bound = next((g for g in groups if all(n.casefold() in names for n in g)), None)
            if bound is None and sparse and groups:
                bound = groups[0]
            if bound is None and column.kind != "one":
                continue
            present = tuple(names.get(name.casefold(), name) for name in bound or ())
            columns.append(BoundColumn(column.target, column.kind, column.unit, present))
        return Binding(
            nulls=list(self.nulls),
            endpoints=[e for ends in self.ends if (e := self._ends(ends, names))],
            fields=columns,
            keep=[
                (names.get(name.casefold(), name), list(values))
                for name, values in self.keep
                if sparse or name.casefold() in names
            ],
        )


@dataclass(frozen=True)
class BoundEnds:
    """`Ends` under the names of a log."""

    source: str
    dest: str
    direction: str | None


@dataclass(frozen=True)
class BoundColumn:
    """A `Column` under the names of a log."""

    target: str
    kind: str
    unit: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Binding:
    """A `Format` under the names of a log: what the core reads by."""

    nulls: list[str]
    endpoints: list[BoundEnds]
    fields: list[BoundColumn]
    keep: list[tuple[str, list[str]]]

    def columns(self) -> set[str]:
        """Columns of the log that are read."""
        ends = {n for e in self.endpoints for n in (e.source, e.dest, e.direction) if n}
        fields = {name for column in self.fields for name in column.columns}
        return ends | fields | {name for name, _ in self.keep}


@dataclass(frozen=True)
class TextLayout:
    """How records stand in a text file; without names they are JSON lines."""

    names: list[str]
    delimiter: str = ","
    quoted: bool = True
    comment: str | None = None
