"""How far flows can be trusted, as their own rows tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from flowtriage._core import quality as _quality

INTERNAL = "RFC 1918, RFC 4193, carrier-grade NAT and link-local"
"""What counts as internal where nobody names networks."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Quality:
    """How far flows can be trusted.

    Attributes
    ----------
    rows
        Number of rows.
    nulls
        Number of rows without a value, by column of the canonical schema.
    empty
        Columns without any value.
    longest_record
        The longest time that one record sums up; None if no record tells its end.
    gaps
        Stretches without the start of a flow, longer than five minutes and than two of the
        longest records.
    longest_gap
        Start and end of the longest of these.
    repeats
        Rows that are the same as an earlier one in time, ends, counters and host.
    reporters
        Number of machines that reported flows, where the format tells; else 0.
    reported_again
        Rows about flows that another machine reported too; `deduplicate=True` leaves them out.
    earlier_states
        Rows that tell an earlier state of a flow, of which a later row tells more; `read_flows`
        leaves them out.
    one_way
        Rows with packets or bytes in one direction only.
    contradictions
        Rows whose reported direction is the opposite of what the addresses tell, or which are
        reported as internal or external against the addresses.
    rollovers
        Rows with a counter of 32 bits that ran full: it stands at 2^32 - 1, or its bytes are
        fewer than the headers of its packets alone and possible with 2^32 more.
    start, end
        First start and last end or start, UTC.
    about
        Names of the counts above that were estimated from a share of the flows, since there were
        more than fit into memory: `repeats` beyond 14 million rows, `reported_again` and
        `earlier_states` beyond 2 million.
    """

    rows: int
    nulls: dict[str, int]
    empty: list[str]
    longest_record: timedelta | None
    gaps: int
    longest_gap: tuple[datetime, datetime] | None
    repeats: int
    reporters: int
    reported_again: int
    earlier_states: int
    one_way: int
    contradictions: int
    rollovers: int
    start: datetime | None
    end: datetime | None
    about: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        gap = self.longest_gap
        record = self.longest_record
        return asdict(self) | {
            "longest_gap": [time.isoformat() for time in gap] if gap else None,
            "longest_record": record.total_seconds() if record is not None else None,
            "start": self.start.isoformat() if self.start else None,
            "end": self.end.isoformat() if self.end else None,
        }

    def facts(self, internal: str) -> dict[str, str]:
        """Return what a reader should know, as label and text; no empty facts.

        Parameters
        ----------
        internal
            What counts as internal, in words.
        """
        partly = {n: c for n, c in self.nulls.items() if c and n not in self.empty}
        facts = {}
        if self.empty:
            facts["Columns without values"] = ", ".join(self.empty)
        if partly:
            facts["Missing values"] = ", ".join(
                f"{count:,} {name}" for name, count in partly.items()
            )
        if self.longest_record:
            facts["Longest record"] = str(self.longest_record)
        if self.longest_gap:
            first, last = self.longest_gap
            facts["Gaps in time"] = (
                f"{self.gaps:,}; the longest {first:%Y-%m-%d %H:%M:%S} – {last:%Y-%m-%d %H:%M:%S}"
            )
        if self.repeats:
            facts["Repeated rows"] = self._count("repeats")
        if self.reported_again:
            facts["Several reporters"] = (
                f"{self.reporters:,}; {self._count('reported_again')} rows are about flows that "
                "another reported too (deduplicate=True leaves them out)"
            )
        if self.earlier_states:
            facts["Earlier states"] = (
                f"{self._count('earlier_states')} rows, of flows of which a later row tells more"
            )
        if self.one_way:
            facts["One direction only"] = f"{self.one_way:,} of {self.rows:,} rows"
        if self.contradictions:
            facts["Direction contradicted"] = (
                f"{self.contradictions:,} rows are reported against what their addresses tell "
                f"(internal: {internal})"
            )
        if self.rollovers:
            facts["Counters ran full"] = (
                f"{self.rollovers:,} rows have a counter of 32 bits that stands at its end or "
                "began again from 0; totals are too low"
            )
        return facts

    def _count(self, name: str) -> str:
        return f"{'about ' if name in self.about else ''}{getattr(self, name):,}"


def quality(
    flows: pa.RecordBatchReader,
    internal: Sequence[str] | None,
    *,
    reporters: bool,
    states: bool,
) -> Quality:
    """Look at all rows of flows, in memory that does not grow with them.

    Parameters
    ----------
    flows
        Flows in the canonical schema.
    internal
        Networks that count as internal; None takes the default ones.
    reporters
        Whether their format tells which machine reported a flow.
    states
        Whether several rows may tell one flow, each all since it began.
    """
    found = _quality(flows, None if internal is None else list(internal), reporters or states)
    rows, nulls = found["rows"], dict(found["nulls"])
    record, gap = found["longest_record"], found["longest_gap"]
    return Quality(
        rows=rows,
        nulls=nulls,
        empty=[name for name, count in nulls.items() if count == rows > 0],
        longest_record=None if record is None else timedelta(microseconds=record),
        gaps=found["gaps"],
        longest_gap=gap and (_at(gap[0]), _at(gap[1])),
        repeats=found["repeats"],
        reporters=found["reporters"] if reporters else 0,
        reported_again=found["reported_again"] if reporters else 0,
        earlier_states=found["earlier_states"] if states else 0,
        one_way=found["one_way"],
        contradictions=found["contradictions"],
        rollovers=found["rollovers"],
        start=_time(found["first"]),
        end=_time(found["last"]),
        about=found["about"],
    )


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _at(microseconds)


def _at(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
