"""What a log format is: where each canonical column comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pyarrow as pa

Kind: TypeAlias = Literal[
    "time",
    "duration",
    "port",
    "count",
    "difference",
    "number",
    "text",
    "observer",
    "protocol",
    "direction",
    "flags",
    "one",
]
Unit: TypeAlias = Literal["s", "ms", "us"]
Condition: TypeAlias = tuple[str, tuple[str, ...]]
"""A column and the values that it may have; empty text stands for a missing value."""
BadRowTuple: TypeAlias = tuple[int, str | None, str | None, str]
"""Number, column, value and reason of a bad row."""
Outcome: TypeAlias = tuple[pa.Table, dict[str, float], dict[str, int], list[BadRowTuple]]
"""Flows; what to add to the counts of a report; records of other things by the value that tells;
and the first bad rows."""
_VERDICTS = ("direction", "direction_reason")
"""Columns that stand for a verdict, so there are none where the log has none."""


@dataclass(frozen=True)
class FieldMapping:
    """One column of the canonical schema and where it comes from.

    Parameters
    ----------
    target
        Name in the canonical schema.
    kind
        How values are read: `time` (ISO 8601 or a number since 1970), `duration` (added to
        `start_time`), `port` (decimal or hexadecimal), `count` (a whole number from 0),
        `difference` (of two columns), `number`, `text`, `observer` (the second of three
        columns where the first, a direction, is inbound, else the third), `protocol`,
        `direction`, `flags` (letters or a number), `one` (the number 1 for every record).
    choices
        Columns of the log, the best first. A tuple stands for the sum of its columns of counts,
        for the difference of two, or for the first of its columns of text that is filled.
    unit
        Unit of numbers that are times; `hex` of flags in hexadecimal; `icmp` of ports where type
        and code of ICMP stand, with a point between.
    nulls
        Texts that mean a missing value in this column.
    values
        Texts that stand for others; for empty text if they mean a missing value.
    when
        Conditions without which a count is 0.
    """

    target: str
    kind: Kind
    choices: tuple[str | tuple[str, ...], ...] = ()
    unit: Unit | Literal["hex", "icmp"] | None = None
    nulls: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Endpoints:
    """Columns of the two addresses of a flow.

    With `direction`, `source` is the observed machine and `dest` its peer, and the column of that
    name tells which of them began. Both may hold several addresses, each with counters of its own
    as Azure writes them. Where a record was expanded into a row for each of its peers, with all
    counts in each, `among` is the column that still names all peers.
    """

    source: str
    dest: str
    direction: str | None = None
    among: str | None = None


@dataclass(frozen=True)
class Tuples:
    """Records that are texts in an array of JSON objects.

    Parameters
    ----------
    path
        Where the array is, such as `properties.flows[].flowTuples[]`.
    names
        Names of the values in a text.
    least
        How many values there are at least.
    delimiter
        What stands between them.
    """

    path: str
    names: tuple[str, ...]
    least: int
    delimiter: str = ","


@dataclass(frozen=True)
class Headerless:
    """A text without a header, told by its first line.

    Parameters
    ----------
    line
        Regular expression that the first line matches.
    names
        Names of the columns.
    delimiter
        What stands between values.
    """

    line: str
    names: tuple[str, ...]
    delimiter: str


@dataclass(frozen=True)
class Trailer:
    """Lines that end a text: the first of them as it is, then totals under their names.

    Parameters
    ----------
    first
        The first line.
    totals
        Names of totals, and the canonical columns that they are the sums of.
    """

    first: str
    totals: tuple[tuple[str, tuple[str, ...]], ...]


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
    endpoints
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
    reversed
        Conditions of records whose second address began the flow.
    tuples
        Where and what the records are, if they are texts in arrays.
    headerless
        Forms of the log that have no header.
    trailer
        Lines that end a log.
    zoneless
        Whether times are written in the local time of whoever wrote the log.
    exporters
        Whether one flow may be in the log several times, once for each `host` that saw it.
    counters
        What counters are of: `record`, which is what was counted since the record before; `flow`,
        which is all since the flow began, so that a later record of it takes the place of an
        earlier one; None if whoever writes such logs decides.
    limits
        What the format cannot support, as a reader should know it.
    """

    name: str
    title: str
    signature: tuple[str | tuple[str, ...], ...]
    endpoints: tuple[Endpoints, ...]
    columns: tuple[FieldMapping, ...]
    nulls: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    keep: tuple[Condition, ...] = ()
    reversed: tuple[Condition, ...] = ()
    tuples: Tuples | None = None
    headerless: tuple[Headerless, ...] = ()
    trailer: Trailer | None = None
    zoneless: bool = False
    exporters: bool = False
    counters: Literal["record", "flow"] | None = "record"
    limits: tuple[str, ...] = ()

    def names(self, found: Iterable[str]) -> dict[str, str]:
        """Columns found in a log, by the name under which they are declared, in lower case."""
        out: dict[str, str] = {}
        found = list(found)
        if self.tuples and self.tuples.path in found:
            out.update((name, name) for name in self.tuples.names)
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
        if not any(self._ends(ends, names) for ends in self.endpoints):
            missing.append(" or ".join(f"{ends.source} and {ends.dest}" for ends in self.endpoints))
        return missing

    def _ends(self, ends: Endpoints, names: Mapping[str, str]) -> BoundEndpoints | None:
        source, dest, direction, among = (
            None if name is None else names.get(name.casefold())
            for name in (ends.source, ends.dest, ends.direction, ends.among)
        )
        if source is None or dest is None or (ends.direction and direction is None):
            return None
        return BoundEndpoints(source, dest, direction, among)

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
        columns: dict[str, BoundColumn] = {}
        later: dict[str, BoundColumn] = {}
        for column in self.columns:
            groups = [(c,) if isinstance(c, str) else c for c in column.choices]
            bound = next((g for g in groups if all(n.casefold() in names for n in g)), None)
            known = bound is not None or not groups
            when = _bound(column.when, names, sparse)
            if when is None or not (known or (sparse and column.target not in _VERDICTS)):
                continue
            present = tuple(names.get(n.casefold(), n) for n in bound or (groups or [()])[0])
            found_column = BoundColumn(
                column.target, column.kind, column.unit, present, column.nulls, column.values, when
            )
            (columns if known else later).setdefault(column.target, found_column)
        fields = later | columns
        order = dict.fromkeys(column.target for column in self.columns)
        return Binding(
            nulls=list(self.nulls),
            endpoints=[e for ends in self.endpoints if (e := self._ends(ends, names))],
            fields=[fields[target] for target in order if target in fields],
            keep=_known(self.keep, names, sparse),
            reversed=_known(self.reversed, names, sparse),
        )


def _bound(
    conditions: Iterable[Condition], names: Mapping[str, str], sparse: bool
) -> list[Condition] | None:
    """Conditions under the names of a log; None if they cannot be met there."""
    absent = [c for c in conditions if not sparse and c[0].casefold() not in names]
    if any("" not in values for _, values in absent):
        return None
    return _known(conditions, names, sparse)


def _known(
    conditions: Iterable[Condition], names: Mapping[str, str], sparse: bool
) -> list[Condition]:
    return [
        (names.get(name.casefold(), name), values)
        for name, values in conditions
        if sparse or name.casefold() in names
    ]


@dataclass(frozen=True)
class BoundEndpoints:
    """`Endpoints` under the names of a log."""

    source: str
    dest: str
    direction: str | None
    among: str | None


@dataclass(frozen=True)
class BoundColumn:
    """A `FieldMapping` under the names of a log."""

    target: str
    kind: str
    unit: str | None
    columns: tuple[str, ...]
    nulls: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    when: list[Condition] = field(default_factory=list)


@dataclass(frozen=True)
class Binding:
    """A `Format` under the names of a log: what the core reads by."""

    nulls: list[str]
    endpoints: list[BoundEndpoints]
    fields: list[BoundColumn]
    keep: list[Condition]
    reversed: list[Condition]
    zone: str = "UTC"

    def each_is_one(self) -> bool:
        """Whether the log does not say how many flows a record stands for."""
        return any(field.target == "flows" and field.kind == "one" for field in self.fields)

    def columns(self) -> set[str]:
        """Columns of the log that are read."""
        ends = {n for e in self.endpoints for n in (e.source, e.dest, e.direction, e.among) if n}
        fields = {name for column in self.fields for name in column.columns}
        conditions = [*self.keep, *self.reversed, *(c for f in self.fields for c in f.when)]
        return ends | fields | {name for name, _ in conditions}


@dataclass(frozen=True)
class TextLayout:
    """How records stand in a text file; without names they are JSON.

    JSON is an object a line or, with `objects`, objects between anything.
    """

    names: list[str]
    delimiter: str = ","
    quoted: bool = True
    comment: str | None = None
    objects: bool = False
    tuples: Tuples | None = None


FORMAT = b"flowtriage.format"
"""Key of the format."""
COUNTERS = b"flowtriage.counters"
"""Key of what the counters are of."""


def table_metadata(format: Format, binding: Binding) -> dict[bytes, str]:
    """Return the marks of tables that are read from a log.

    Records that say how many flows they stand for are no states of one.
    """
    counters = format.counters if binding.each_is_one() else None
    return {FORMAT: format.name, COUNTERS: counters or ""}


def metadata_value(table: pa.Table, key: bytes) -> str | None:
    """Return a mark of a table."""
    found = (table.schema.metadata or {}).get(key)
    return None if found is None else found.decode()
