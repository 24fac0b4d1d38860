"""What was found while reading."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.formats.declaration import Format
from flowtriage.quality.rows import INTERNAL, Quality, quality

MAX_LISTED = 10
"""Bad rows that are told one by one."""
_COUNTS = (
    "rows_read",
    "rows_bad",
    "rows_expanded",
    "rows_counted",
    "rows_repeated",
    "repeated_flows",
    "repeated_bytes",
    "rows_outside",
    "rows_migrated",
    "rows_superseded",
    "rows_reported_again",
    "rows_stitched",
)
"""Counts of a report that add up when it takes on those of an earlier one."""
_OF = {
    "record": "of each record alone (deltas)",
    "flow": "of the flow since it began",
    None: "as their source counted",
}


@dataclass(frozen=True)
class BadRow:
    """A record that could not be used.

    Parameters
    ----------
    source
        File or table that it stands in.
    number
        Line of the file, counted from 1, or row of the table, counted from 0.
    column
        Column to blame, if one is.
    value
        What stands there; the beginning of it, if it is long.
    reason
        What is wrong.
    by_row
        Whether `number` is that of a row.
    """

    source: str
    number: int
    column: str | None
    value: str | None
    reason: str
    by_row: bool = False

    def __str__(self) -> str:
        """Say where and why in one line."""
        where = f"{self.source}, {'row' if self.by_row else 'line'} {self.number}"
        column = f", column {self.column}" if self.column else ""
        value = f"{self.value!r} " if self.value is not None else ""
        return f"{where}{column}: {value}{self.reason}"


class Total(NamedTuple):
    """A total that a log tells itself, and the sum over the flows that were read."""

    source: str
    name: str
    stated: int
    read: int


@dataclass
class ReadReport:
    """What was found while reading flows.

    Attributes
    ----------
    formats
        Names of the formats found.
    sources
        Files and tables that were read.
    rows_read
        Records read, bad ones included.
    rows_bad
        Records that could not be used.
    bad_rows
        The first ten of them.
    skipped
        Records of other things than flows, by the column and value that tell.
    rows_expanded
        Records that name several peers and so gave several flows, each with all the counts of
        the record.
    rows_counted
        Flows that have counters of their own among those of their record.
    rows_repeated
        Flows that repeat the counts of one record, be it that reading or the source expanded it.
    repeated_flows, repeated_bytes
        By how much these make the totals too high, at most.
    rows_outside
        Flows outside the timespan asked for, or without a time where one was asked for.
    totals
        Totals that logs tell themselves, beside those of the flows that were read.
    limits
        What the formats cannot support.
    counters
        For each format what its counters are of: `record`, what was counted since the record
        before (a delta); `flow`, all since the flow began; None where its source decides.
    internal
        Networks that count as internal; None for the default ones.
    passed_over
        Files in folders that were not read, and why.
    rows_migrated
        Rows of an old Azure table about machines that the new one tells of already.
    rows_superseded
        Rows that told an earlier state of a flow, of which a later row tells more; left out.
    rows_reported_again
        Rows about flows that another machine reported too, left out by `deduplicate=True`.
    rows_stitched
        Records that were joined to the record that they answer, by `stitch=True`.
    flows
        Flows that resulted, as rows.
    start, end
        First start and last end or start of these, UTC.
    """

    formats: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)
    rows_read: int = 0
    rows_bad: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    rows_expanded: int = 0
    rows_counted: int = 0
    rows_repeated: int = 0
    repeated_flows: float = 0.0
    repeated_bytes: float = 0.0
    rows_outside: int = 0
    rows_migrated: int = 0
    rows_superseded: int = 0
    rows_reported_again: int = 0
    rows_stitched: int = 0
    totals: list[Total] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    counters: dict[str, str | None] = field(default_factory=dict)
    internal: list[str] | None = None
    passed_over: dict[str, str] = field(default_factory=dict)
    flows: int = 0
    start: datetime | None = None
    end: datetime | None = None
    _table: pa.Table | None = field(default=None, repr=False, compare=False)
    _quality: Quality | None = field(default=None, repr=False, compare=False)
    _reporters: bool = field(default=False, repr=False, compare=False)

    @property
    def quality(self) -> Quality | None:
        """How far the flows can be trusted, as their rows tell; looked at when first asked for."""
        if self._quality is None and self._table is not None:
            reader = self._table.to_reader()
            self._quality = quality(reader, self.internal, reporters=self._reporters, states=False)
        return self._quality

    def about(self, flows: pa.Table) -> None:
        """Note the flows that the report is about."""
        self.flows = flows.num_rows
        self.start = pc.min(flows["start_time"]).as_py()
        ends = [pc.max(flows[name]).as_py() for name in ("start_time", "end_time")]
        self.end = max((end for end in ends if end), default=None)
        self._table = flows

    def look_at(self, flows: pa.RecordBatchReader) -> None:
        """Look at flows as they pass by, which the report is about; none of them is kept."""
        found = quality(flows, self.internal, reporters=True, states=True)
        states = found.earlier_states if set(self.counters.values()) == {"flow"} else 0
        self._quality = replace(found, earlier_states=states)
        if not self._reporters:
            self._quality = replace(self._quality, reporters=0, reported_again=0)
        self.flows, self.start, self.end = found.rows, found.start, found.end

    @property
    def format(self) -> str:
        """Name of the format; several are joined by a comma."""
        return ", ".join(sorted(self.formats))

    @property
    def rows_skipped(self) -> int:
        """Records of other things than flows."""
        return sum(self.skipped.values())

    def found(self, format: Format) -> None:
        """Note the format of a source."""
        self.formats.add(format.name)
        self._reporters |= format.reporters
        self.counters[format.name] = format.counters
        zone = ["times have no zone; they are taken as UTC unless tz= says otherwise"]
        for limit in (*format.limits, *(zone if format.zoneless else [])):
            if limit not in self.limits:
                self.limits.append(limit)

    def add(self, counts: Mapping[str, float], skipped: Mapping[str, int]) -> None:
        """Add to the counts that are attributes of these names, and to `skipped`."""
        for name, count in counts.items():
            kind = type(getattr(self, name))
            setattr(self, name, kind(getattr(self, name) + count))
        for value, count in skipped.items():
            self.skipped[value] = self.skipped.get(value, 0) + count

    def take_over(self, earlier: ReadReport) -> None:
        """Take on what an earlier report found of flows that are read again."""
        self.formats |= earlier.formats
        self.sources += earlier.sources
        self.add({name: getattr(earlier, name) for name in _COUNTS}, earlier.skipped)
        self.tell(earlier.bad_rows)
        self.passed_over |= earlier.passed_over
        self.totals += earlier.totals
        self.limits += [limit for limit in earlier.limits if limit not in self.limits]
        self.counters |= earlier.counters
        self._reporters |= earlier._reporters

    def refuse(self, row: BadRow) -> None:
        """Count a bad row, and tell it before all others: it is about more than its own value."""
        self.rows_bad += 1
        self.bad_rows = [row, *self.bad_rows][:MAX_LISTED]

    def pass_over(self, file: str, reason: str) -> None:
        """Note a file in a folder that is not read."""
        self.passed_over[file] = reason

    def tell(self, rows: Iterable[BadRow]) -> None:
        """Tell bad rows that are counted already."""
        self.bad_rows = [*self.bad_rows, *rows][:MAX_LISTED]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary of plain values."""
        return {
            "format": self.format,
            "sources": list(self.sources),
            "rows_read": self.rows_read,
            "rows_bad": self.rows_bad,
            "bad_rows": [str(row) for row in self.bad_rows],
            "rows_skipped": self.rows_skipped,
            "skipped": dict(self.skipped),
            **{name: round(getattr(self, name)) for name in _COUNTS[2:]},
            "totals": [total._asdict() for total in self.totals],
            "limits": list(self.limits),
            "counters": dict(self.counters),
            "internal": None if self.internal is None else list(self.internal),
            "passed_over": dict(self.passed_over),
            "flows": self.flows,
            "start": self.start.isoformat() if self.start else None,
            "end": self.end.isoformat() if self.end else None,
            "quality": self.quality.to_dict() if self.quality else None,
        }

    def facts(self) -> dict[str, str]:
        """Return what a reader of the flows should know, as label and text; no empty facts."""
        span = (
            f"{self.start:%Y-%m-%d %H:%M:%S} – {self.end:%Y-%m-%d %H:%M:%S} UTC"
            if self.start and self.end
            else "no times"
        )
        facts = {
            "Source": ", ".join(self.sources),
            "Format": self.format,
            "Rows read": f"{self.rows_read:,}",
            "Rows bad": f"{self.rows_bad:,}",
            "Flows": f"{self.flows:,}",
            "Time span": span,
        }
        if self.skipped:
            facts["Rows of other things"] = _listed(self.skipped)
        if self.rows_outside:
            facts["Outside the timespan"] = f"{self.rows_outside:,}"
        if self.rows_counted:
            facts["Flows with own counters"] = f"{self.rows_counted:,} of the peers of their row"
        if self.rows_expanded:
            facts["Rows with several peers"] = (
                f"{self.rows_expanded:,} (each peer has all the counts of its row)"
            )
        if self.rows_repeated:
            facts["Totals may be inflated"] = (
                f"by up to {self.repeated_flows:,.0f} flows and {self.repeated_bytes:,.0f} bytes: "
                f"{self.rows_repeated:,} rows repeat the counts of one record"
            )
        if self.rows_migrated:
            facts["Told by the new table"] = f"{self.rows_migrated:,} rows of the old one left out"
        if self.rows_superseded:
            facts["Earlier states"] = (
                f"{self.rows_superseded:,} rows left out; later ones of the same flow tell more"
            )
        if self.rows_reported_again:
            facts["Reported again"] = f"{self.rows_reported_again:,} rows left out"
        if self.rows_stitched:
            facts["Stitched"] = f"{self.rows_stitched:,} answers joined to their records"
        for total in self.totals:
            same = "as read" if total.stated == total.read else f"but {total.read:,} were read"
            facts[f"Own total of {total.name}"] = f"{total.stated:,}, {same} ({total.source})"
        if self.counters:
            facts["Counters"] = "; ".join(f"{n}: {_OF[of]}" for n, of in self.counters.items())
        internal = INTERNAL if self.internal is None else _few(self.internal)
        facts["Internal by default" if self.internal is None else "Internal"] = internal
        if self.quality:
            facts |= self.quality.facts(internal)
        if self.limits:
            facts["Cannot support"] = "; ".join(self.limits)
        if self.passed_over:
            facts["Files passed over"] = _few(list(self.passed_over))
        return facts

    def __str__(self) -> str:
        """Show the report as text."""
        facts = self.facts()
        width = max(map(len, facts))
        lines = [f"{label:<{width}}  {text}" for label, text in facts.items()]
        if self.rows_bad:
            lines.append(f"first {len(self.bad_rows)} bad rows:")
            lines.extend(f"  {row}" for row in self.bad_rows)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for label, text in self.facts().items()
        )
        bad = "".join(f"<li>{html.escape(str(row))}</li>" for row in self.bad_rows)
        listing = f"<p>First {len(self.bad_rows)} bad rows:</p><ul>{bad}</ul>" if bad else ""
        return f"<table>{rows}</table>{listing}"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_LISTED:,} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


def _listed(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(most) - MAX_LISTED:,} more kinds" if len(most) > MAX_LISTED else ""
    return (
        f"{sum(counts.values()):,} ({', '.join(f'{n:,} {v}' for v, n in most[:MAX_LISTED])}{more})"
    )
