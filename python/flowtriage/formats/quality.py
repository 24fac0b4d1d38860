"""How far flows can be trusted, as their own rows tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage import _core

INTERNAL = "RFC 1918, RFC 4193, carrier-grade NAT and link-local"
"""What counts as internal where nobody names networks."""

_LEAST_GAP = timedelta(minutes=5)
_MICROSECOND = timedelta(microseconds=1)
_IDENTITY = ("start_time", "end_time", "src_ip", "dst_ip", "src_port", "dst_port", "protocol")
_COUNTERS = ("src_bytes", "dst_bytes", "src_packets", "dst_packets", "flows", "denied_flows")
_OPPOSITE = {"inbound": "outbound", "outbound": "inbound"}


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
    one_way
        Rows with packets or bytes in one direction only.
    contradictions
        Rows whose reported direction is the opposite of what the addresses tell, or which are
        reported as internal or external against the addresses, by the default internal networks.
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
    one_way: int
    contradictions: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        gap = self.longest_gap
        record = self.longest_record
        return asdict(self) | {
            "longest_gap": [time.isoformat() for time in gap] if gap else None,
            "longest_record": record.total_seconds() if record is not None else None,
        }

    def facts(self) -> dict[str, str]:
        """Return what a reader should know, as label and text; no empty facts."""
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
            facts["Repeated rows"] = f"{self.repeats:,}"
        if self.reported_again:
            facts["Several reporters"] = (
                f"{self.reporters:,}; {self.reported_again:,} rows are about flows that another "
                "reported too (deduplicate=True leaves them out)"
            )
        if self.one_way:
            facts["One direction only"] = f"{self.one_way:,} of {self.rows:,} rows"
        if self.contradictions:
            facts["Direction contradicted"] = (
                f"{self.contradictions:,} rows are reported against what their addresses tell "
                f"(internal by default: {INTERNAL})"
            )
        return facts


def quality(flows: pa.Table, reporters: bool) -> Quality:
    """Look at all rows of flows.

    Parameters
    ----------
    flows
        Flows in the canonical schema.
    reporters
        Whether their format tells which machine reported a flow.
    """
    nulls = {name: flows[name].null_count for name in _core.canonical_schema().names}
    starts, ends = (flows[name].cast(pa.int64()) for name in ("start_time", "end_time"))
    longest = pc.max(pc.subtract(ends, starts)).as_py()
    record = None if longest is None else longest * _MICROSECOND
    gaps, longest_gap = _gaps(flows["start_time"], record or timedelta())
    hosts = pc.count_distinct(flows["host"]).as_py() if reporters else 0
    again = 0
    if hosts > 1:
        again = flows.num_rows - _core.distinct_reports(flows.to_reader()).num_rows
    return Quality(
        rows=flows.num_rows,
        nulls=nulls,
        empty=[name for name, count in nulls.items() if count == flows.num_rows > 0],
        longest_record=record,
        gaps=gaps,
        longest_gap=longest_gap,
        repeats=_repeats(flows),
        reporters=hosts,
        reported_again=again,
        one_way=_one_way(flows),
        contradictions=_contradictions(flows),
    )


def _gaps(
    starts: pa.ChunkedArray, record: timedelta
) -> tuple[int, tuple[datetime, datetime] | None]:
    times = starts.combine_chunks().drop_null()
    if len(times) < 2:
        return 0, None
    times = times.take(pc.sort_indices(times))
    instants = times.cast(pa.int64())
    between = pc.subtract(instants[1:], instants[:-1])
    least = max(_LEAST_GAP, 2 * record) // _MICROSECOND
    gaps = pc.sum(pc.greater(between, least)).as_py()
    if not gaps:
        return 0, None
    place = pc.index(between, pc.max(between)).as_py()
    return gaps, (times[place].as_py(), times[place + 1].as_py())


def _repeats(flows: pa.Table) -> int:
    names = [*_IDENTITY, *_COUNTERS, "state", "host"]
    distinct = flows.select(names).group_by(names).aggregate([])
    return int(flows.num_rows - distinct.num_rows)


def _one_way(flows: pa.Table) -> int:
    def sent(side: str) -> pa.ChunkedArray:
        counts = (pc.fill_null(flows[f"{side}_{unit}"], 0) for unit in ("bytes", "packets"))
        first, second = (pc.greater(count, 0) for count in counts)
        return pc.or_(first, second)

    return int(pc.sum(pc.xor(sent("src"), sent("dst"))).as_py() or 0)


def _contradictions(flows: pa.Table) -> int:
    reported = flows["reported_direction"]
    if reported.null_count == len(reported):
        return 0
    unreported = flows.select(["src_ip", "dst_ip", "flows"])
    told = _core.classify_direction(unreported.to_reader(), None, [])["direction"]
    either_way = pc.is_in(reported, pa.array(list(_OPPOSITE)))
    unlike = pc.if_else(
        either_way,
        pc.and_(pc.is_in(told, pa.array(list(_OPPOSITE))), pc.not_equal(told, reported)),
        pc.and_(pc.not_equal(reported, "unknown"), pc.not_equal(told, reported)),
    )
    known = pc.not_equal(told, "unknown")
    return int(pc.sum(pc.and_(known, pc.fill_null(unlike, False))).as_py() or 0)
