"""Declaration of a log format: the source of each canonical column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from flowtriage.formats.conditions import (
    BoundCondition,
    Condition,
    bind_conditions,
    bind_required,
    condition_columns,
)
from flowtriage.formats.initiator import Initiator
from flowtriage.formats.layout import Headerless, Trailer, Tuples

Kind: TypeAlias = Literal[
    "time",
    "duration",
    "port",
    "count",
    "total",
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
BadRowTuple: TypeAlias = tuple[int, str | None, str | None, str]
"""Number, column, value and reason of a bad row."""
Dates: TypeAlias = dict[str, tuple[int, str, str]]
"""Number, column and value of the first dates that show the order of day and month, by order
(`mdy`, `dmy`), and of the first that is `ambiguous`."""
Outcome: TypeAlias = tuple[
    pa.Table, dict[str, float], dict[str, dict[str, int]], Dates, list[BadRowTuple]
]
"""Flows, counts and counts by value to add to a report, dates, and the first bad rows."""
_SUFFIXES = {"time": "_t"} | dict.fromkeys(("port", "count", "difference", "number"), "_d")
"""Suffixes of columns in Log Analytics by kind; others are strings."""
_CLASSIFICATION = ("direction", "direction_reason")
"""Columns of the classification; flows have them only if the log has."""


@dataclass(frozen=True)
class FieldMapping:
    """A canonical column and its source columns.

    Parameters
    ----------
    target
        Name in the canonical schema.
    kind
        Type of the values: `time` (ISO 8601 or a number since 1970), `duration` (added to
        `start_time`), `port` (decimal or hexadecimal), `count` (an integer from 0), `total`
        (a count of both endpoints, given as that of the source; the report counts such records),
        `difference` (of two columns), `number`, `text`, `observer` (the second of three
        columns if the first, a direction, is inbound, else the third), `protocol`,
        `direction`, `flags` (letters or a number), `one` (1 for every record).
    choices
        Columns of the log in order of preference; each record uses the first that is not null,
        also among several mappings of one canonical column. A tuple stands for the sum of its
        columns (`count`), their `difference`, or the first non-null of its string columns.
    unit
        Unit of numeric times; `hex` for hexadecimal flags; `icmp` for port columns that hold
        the ICMP type and code, separated by a point; `name` for pairs of a port, as a number or
        the name of a service, and a protocol.
    nulls
        Strings that stand for null in this column.
    values
        Replacements of strings; an empty string stands for null.
    when, when_any, unless
        Conditions that must all hold, of which one must hold, and none of which may hold;
        otherwise a count is 0.
    """

    target: str
    kind: Kind
    choices: tuple[str | tuple[str, ...], ...] = ()
    unit: Unit | Literal["hex", "icmp", "name"] | None = None
    nulls: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    when: tuple[Condition, ...] = ()
    when_any: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()

    def groups(self) -> list[tuple[str, ...]]:
        """Return the choices, each as a tuple of columns."""
        return [(choice,) if isinstance(choice, str) else choice for choice in self.choices]


@dataclass(frozen=True)
class Endpoints:
    """Columns of the two addresses of a flow.

    With `direction`, `source` is the observed machine and `dest` its peer, and the `direction`
    column identifies the initiator. With `several`, both may hold several addresses, each with its
    own counters, in Azure's notation. If the source expanded a record into one row per peer, all
    with the counters of the record, `among` is the column that names all its peers.
    """

    source: str
    dest: str
    direction: str | None = None
    among: str | None = None
    several: bool = False


@dataclass(frozen=True)
class Format:
    """The declaration of a log format.

    Parameters
    ----------
    name
        Short name, for `read_flows(format=…)`.
    title
        Display name.
    signature
        Columns by which the format is recognised; a tuple stands for any one of its columns.
    endpoints
        Columns of the addresses; each record uses the first that are not null.
    columns
        The other columns.
    written
        Columns that only `write_flows` writes. In a log with the first of them, they alone have
        their canonical columns, and the endpoints are as written.
    nulls
        Strings that stand for null, besides the empty string.
    suffixes
        Suffixes of column names that are ignored.
    keep
        Columns and their values in flow records, where a log has other records too; a record
        with a null there is a flow record.
    skip
        Columns and their values in records that are no flows.
    actions
        Columns that state whether a flow was allowed, with all words that have a meaning. Records
        with another word count as allowed, and the report counts them.
    initiator
        Columns that show who initiated a flow.
    translated
        Columns of an address and of the same address in the packet; the report counts records in
        which they differ.
    tuples
        Path and columns of the records, if they are strings in arrays.
    headerless
        Variants of the log without a header.
    trailer
        Trailer of the log.
    zoneless
        Whether times are in the local time of the writer, without a zone.
    exporters
        Whether a flow may occur several times, once for each `host` that exported it.
    counters
        Counter semantics: `record`, delta counters since the record before; `flow`, cumulative
        counters, so that a later record supersedes an earlier one; None if the writer decides.
    limits
        Limitations of the format, as the report lists them.
    """

    name: str
    title: str
    signature: tuple[str | tuple[str, ...], ...]
    endpoints: tuple[Endpoints, ...]
    columns: tuple[FieldMapping, ...]
    written: tuple[FieldMapping, ...] = ()
    nulls: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    keep: tuple[Condition, ...] = ()
    skip: tuple[Condition, ...] = ()
    actions: tuple[Condition, ...] = ()
    initiator: Initiator = field(default_factory=Initiator)
    translated: tuple[tuple[str, str], ...] = ()
    tuples: Tuples | None = None
    headerless: tuple[Headerless, ...] = ()
    trailer: Trailer | None = None
    zoneless: bool = False
    exporters: bool = False
    counters: Literal["record", "flow"] | None = "record"
    limits: tuple[str, ...] = ()

    def names(self, found: Iterable[str]) -> dict[str, str]:
        """Return the columns found in a log, by their declared names in lower case."""
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
        """Return the columns of the signature that a log lacks; none if it has this format."""
        names = self.names(found)
        choices = [(item,) if isinstance(item, str) else item for item in self.signature]
        missing = [
            " or ".join(choice)
            for choice in choices
            if not any(name.casefold() in names for name in choice)
        ]
        if not any(self._bind(ends, names, False) for ends in self.endpoints):
            missing.append(" or ".join(f"{ends.source} and {ends.dest}" for ends in self.endpoints))
        return missing

    def signature_of(self, found: Iterable[str]) -> set[str]:
        """Return the columns of a log that are in the signature, under the names of the log."""
        names = self.names(found)
        choices = ((item,) if isinstance(item, str) else item for item in self.signature)
        return {n for choice in choices for name in choice if (n := names.get(name.casefold()))}

    def _bind(self, ends: Endpoints, names: Mapping[str, str], sparse: bool) -> Endpoints | None:
        """Return the endpoints under the names of a log; None if it lacks one and is not sparse."""
        source, dest, direction, among = (
            None if name is None else names.get(name.casefold(), name if sparse else None)
            for name in (ends.source, ends.dest, ends.direction, ends.among)
        )
        if source is None or dest is None or (ends.direction and direction is None):
            return None
        return Endpoints(source, dest, direction, among, ends.several)

    def bind(self, found: Iterable[str], *, sparse: bool = False) -> Binding:
        """Bind the declared columns to those found in a log.

        In a sparse log, such as JSON lines, columns may first appear later: those not found are
        bound by their declared names.
        """
        names = self.names(found)
        if sparse and any(name.casefold().endswith(self.suffixes) for name in names.values()):
            names = SuffixedNames(names, self.columns)
        marks = [name.casefold() for column in self.written[:1] for (name,) in column.groups()]
        written = self.written if any(mark in names for mark in marks) else ()
        exact = {column.target for column in written}
        others = (column for column in self.columns if column.target not in exact)
        fields: dict[str, list[BoundColumn]] = {}
        for column in (*written, *others):
            fields.setdefault(column.target, []).extend(_alternatives(column, names, sparse))
        return Binding(
            nulls=list(self.nulls),
            endpoints=[e for ends in self.endpoints if (e := self._bind(ends, names, sparse))],
            fields=[field for target in fields for field in _necessary(fields[target])],
            keep=bind_conditions(self.keep, names, sparse),
            skip=bind_conditions(self.skip, names, sparse),
            actions=bind_conditions(() if written else self.actions, names, sparse),
            initiator=Initiator() if written else self.initiator.bind(names, sparse=sparse),
            translated=[
                (names.get(one.casefold(), one), names.get(other.casefold(), other))
                for one, other in self.translated
                if sparse or {one.casefold(), other.casefold()} <= set(names)
            ],
        )


def _alternatives(
    column: FieldMapping, names: Mapping[str, str], sparse: bool
) -> Iterator[BoundColumn]:
    """Yield the choices of a mapping found in a log, or in a sparse log all of them."""
    when = bind_required(column.when, names, sparse)
    when_any = bind_conditions(column.when_any, names, sparse)
    if when is None or (column.when_any and not when_any):
        return
    groups = column.groups()
    found = [group for group in groups if all(name.casefold() in names for name in group)]
    chosen = groups if sparse and column.target not in _CLASSIFICATION else found
    for group in chosen if groups else [()]:
        yield BoundColumn(
            column.target,
            column.kind,
            column.unit,
            tuple(names.get(name.casefold(), name) for name in group),
            column.nulls,
            column.values,
            when,
            when_any,
            bind_conditions(column.unless, names, sparse),
            found=group in found or not groups,
        )


def _necessary(alternatives: list[BoundColumn]) -> list[BoundColumn]:
    """Drop alternatives that have a value only where an earlier one has."""
    kept: list[BoundColumn] = []
    for column in alternatives:
        same = (set(k.columns) for k in kept if k.kind == column.kind != "difference")
        if not any(set(column.columns) <= columns for columns in same):
            kept.append(column)
    return kept


class SuffixedNames(dict[str, str]):
    """Names of a sparse log whose columns have suffixes of their types, as those of Log Analytics.

    Columns not found have them, too: `_t` for times, `_d` for numbers and `_s` for strings.
    """

    def __init__(self, names: Mapping[str, str], columns: Iterable[FieldMapping]) -> None:
        super().__init__(names)
        self._suffixes = {
            name.casefold(): _SUFFIXES[column.kind]
            for column in columns
            if column.kind in _SUFFIXES
            for group in column.groups()
            for name in group
        }

    def get(self, name: str, default: Any = None) -> Any:
        """Return the name of a column in the log; `default` is its declared name."""
        if name in self or default is None:
            return super().get(name)
        return f"{default}{self._suffixes.get(name, '_s')}"


@dataclass(frozen=True)
class BoundColumn:
    """A `FieldMapping` under the names of a log."""

    target: str
    kind: str
    unit: str | None
    columns: tuple[str, ...]
    nulls: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    when: list[BoundCondition] = field(default_factory=list)
    when_any: list[BoundCondition] = field(default_factory=list)
    unless: list[BoundCondition] = field(default_factory=list)
    found: bool = True
    """Whether the columns are in the log, as far as it is known."""


@dataclass(frozen=True)
class Binding:
    """A `Format` under the names of a log, as the core reads it."""

    nulls: list[str]
    endpoints: list[Endpoints]
    fields: list[BoundColumn]
    keep: list[BoundCondition]
    skip: list[BoundCondition] = field(default_factory=list)
    actions: list[BoundCondition] = field(default_factory=list)
    initiator: Initiator = field(default_factory=Initiator)
    translated: list[tuple[str, str]] = field(default_factory=list)
    zone: str = "UTC"
    date_order: str | None = None
    hosts: list[str] = field(default_factory=list)
    """Addresses and CIDR prefixes of the hosts whose flows are wanted; empty for all flows."""
    host_names: list[str] = field(default_factory=list)
    """Texts, in any case, of which a wanted record of other hosts contains one."""
    date_order_shown: bool = False
    """Whether earlier dates of the log show this order."""
    projected: list[str] | None = None
    """Canonical columns that are wanted, of flows that do not leave the core; None for all."""

    def each_is_one(self) -> bool:
        """Return whether every record counts as one flow."""
        return self._found("flows") == "one"

    def limits(self) -> list[str]:
        """Return limitations that only logs with these columns have."""
        if self._found("src_payload_bytes") and not self._found("src_bytes"):
            return ["bytes are missing: the log counts payload bytes only (src_payload_bytes)"]
        return []

    def _found(self, target: str) -> str:
        """Return the kind of the first column found for a canonical one; empty without one."""
        kinds = (column.kind for column in self.fields if column.target == target and column.found)
        return next(kinds, "")

    def columns(self) -> set[str]:
        """Return the columns of the log that are read."""
        ends = {n for e in self.endpoints for n in (e.source, e.dest, e.direction, e.among) if n}
        fields = {name for column in self.fields for name in column.columns}
        conditions = [*self.keep, *self.skip, *self.actions]
        for column in self.fields:
            conditions += [*column.when, *column.when_any, *column.unless]
        pairs = {name for pair in self.translated for name in pair}
        return ends | fields | condition_columns(conditions) | pairs | self.initiator.columns()
