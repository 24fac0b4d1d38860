"""Quality of flows, measured over their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from flowtriage._core import FlowParts, QualityMeter
from flowtriage.humanize import counted
from flowtriage.inputs.arrow import PartsReader
from flowtriage.schema import SCHEMA

INTERNAL = "RFC 1918, RFC 4193, carrier-grade NAT and link-local"
"""Networks that are internal by default."""
_MIN_COUNTED, _EQUAL = 20, 0.95
"""Number and share of rows with equal counters from which these are no coincidence."""
EXACT_ROWS, EXACT_ROWS_OF_STREAM = 14_000_000, 1_000_000
"""Rows up to which repeated ones are counted exactly: of reports, and of functions that stream."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Quality:
    """Quality of flows.

    Attributes
    ----------
    rows
        Number of rows.
    flows, denied_flows
        Allowed and denied flows that they stand for.
    nulls
        Number of null values, by column of the flows.
    empty
        Columns without any value.
    max_record_duration
        Maximum duration of a record; None if no record has an end.
    long_records
        Records that last more than a year.
    gaps
        Number of coverage gaps: ranges of time in which no flow starts, longer than five minutes
        and than twice the maximum record duration.
    longest_gap
        Start and end of the longest gap.
    time_outliers
        Rows that start more than ten years from the median start, or more than 30 days from at
        least nine tenths of the others.
    repeats
        Rows that repeat an earlier one in times, endpoints, counters and host.
    exporters
        Number of exporters, if the format records them; else 0.
    duplicates
        Duplicate observations: rows about flows that another exporter reported too.
        `deduplicate=True` drops them.
    superseded
        Records of flows that a later record supersedes; `read_flows` drops them.
    unidirectional
        Rows with packets or bytes in one direction only.
    counted
        Rows with bytes, except those of ICMP, whose answers have the size of their requests.
    equal_sides
        Of these, rows with the same bytes and packets in both directions.
    uncounted_initiators
        TCP rows in which the responder sent packets and the initiator none: the exporter missed
        those of the initiator, as with checksum offload at a sensor on the host itself.
    packets_without_bytes
        Rows in which an endpoint sent packets, but 0 bytes.
    bytes_without_packets
        Rows in which an endpoint sent bytes, but 0 packets.
    direction_conflicts
        Rows whose logged direction contradicts their addresses.
    counter_overflows
        Rows with a 32-bit counter that overflowed: it is 2^32 - 1, or the bytes are fewer than
        the packet headers need and plausible with 2^32 more.
    start, end
        First start, and last end or start, in UTC.
    estimated
        Names of the counts above that were estimated from a sample of the flows to bound memory:
        `repeats` beyond 14 million rows, `duplicates` and `superseded` beyond 2 million; for
        results of a log that is not held in memory, beyond a fourteenth of these.
    """

    rows: int
    flows: int
    denied_flows: int
    nulls: dict[str, int]
    empty: list[str]
    max_record_duration: timedelta | None
    long_records: int
    gaps: int
    longest_gap: tuple[datetime, datetime] | None
    time_outliers: int
    repeats: int
    exporters: int
    duplicates: int
    superseded: int
    unidirectional: int
    counted: int
    equal_sides: int
    uncounted_initiators: int
    packets_without_bytes: int
    bytes_without_packets: int
    direction_conflicts: int
    counter_overflows: int
    start: datetime | None
    end: datetime | None
    estimated: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        gap = self.longest_gap
        duration = self.max_record_duration
        return asdict(self) | {
            "longest_gap": [time.isoformat() for time in gap] if gap else None,
            "max_record_duration": duration.total_seconds() if duration is not None else None,
            "start": self.start.isoformat() if self.start else None,
            "end": self.end.isoformat() if self.end else None,
        }

    @property
    def repeats_sides(self) -> bool:
        """Whether so many rows have equal counters that each side may have those of both."""
        least = max(_MIN_COUNTED, self.counted * _EQUAL)
        return self.equal_sides >= least

    def uncounted(self) -> dict[str, int]:
        """Return the number of rows with one counter of 0 beside the other one, by label."""
        return {
            "Packets without bytes": self.packets_without_bytes,
            "Bytes without packets": self.bytes_without_packets,
        }

    def facts(self, internal: str) -> dict[str, str]:
        """Return the quality as label and text, without empty facts."""
        partly = {n: c for n, c in self.nulls.items() if c and n not in self.empty}
        facts = {}
        if self.empty:
            facts["Empty columns"] = ", ".join(self.empty)
        if partly:
            facts["Missing values"] = ", ".join(f"{c:,} {name}" for name, c in partly.items())
        if self.max_record_duration:
            facts["Maximum record duration"] = str(self.max_record_duration)
        if self.long_records:
            facts["Long records"] = (
                f"{counted(self.long_records, 'lasts', 'last')} more than a year; the longest "
                f"{self.max_record_duration}"
            )
        if self.longest_gap:
            first, last = self.longest_gap
            facts["Coverage gaps"] = (
                f"{self.gaps:,}; the longest {first:%Y-%m-%d %H:%M:%S} – {last:%Y-%m-%d %H:%M:%S}"
            )
        if self.time_outliers:
            facts["Time outliers"] = (
                f"{counted(self.time_outliers, 'row starts', 'rows start')} more than 30 days from "
                "all others"
            )
        if self.repeats:
            facts["Repeated rows"] = self._count("repeats")
        if self.duplicates:
            facts["Multiple exporters"] = (
                f"{self.exporters:,}; {self._count('duplicates')} duplicate "
                f"{'observation' if self.duplicates == 1 else 'observations'} "
                "(deduplicate=True drops them)"
            )
        if self.superseded:
            facts["Superseded records"] = (
                f"{self._count('superseded')}; later records of the same flows contain more"
            )
        if self.unidirectional:
            facts["Unidirectional records"] = f"{self.unidirectional:,} of {self.rows:,}"
        if self.repeats_sides:
            facts["Equal counters on both sides"] = (
                f"{self.equal_sides:,} of {counted(self.counted, 'row')} with bytes: if the source "
                "gives the total of a flow to both endpoints, sums of both are twice too high"
            )
        if self.uncounted_initiators:
            facts["Initiator not counted"] = (
                f"{self.uncounted_initiators:,} of {counted(self.rows, 'row')}: TCP responses "
                "without packets of the initiator; uploads are under-counted"
            )
        for label, count in self.uncounted().items():
            if count:
                sent, missing = label.lower().split(" without ")
                facts[label] = (
                    f"{count:,} of {counted(self.rows, 'row')}: an endpoint sent {sent}, "
                    f"but 0 {missing}; totals of {missing} are too low"
                )
        if self.direction_conflicts:
            one, several = (
                f"{rows} whose logged direction contradicts {their} addresses"
                for rows, their in (("row", "its"), ("rows", "their"))
            )
            conflicts = counted(self.direction_conflicts, one, several)
            facts["Direction conflicts"] = f"{conflicts} (internal: {internal})"
        if self.counter_overflows:
            facts["32-bit counter overflow"] = (
                f"{counted(self.counter_overflows, 'row')}; totals are too low"
            )
        return facts

    def _count(self, name: str) -> str:
        return f"{'about ' if name in self.estimated else ''}{getattr(self, name):,}"


class Meter:
    """Measures the quality of flows part by part, in bounded memory.

    `exporters`: the format records the exporter of a flow; `superseded`: it has cumulative
    counters, so that records may supersede others. Counts of rows that resemble each other are
    exact up to `max_rows`, and those of records up to a seventh of it.
    """

    def __init__(
        self,
        internal: Sequence[str] | None,
        *,
        exporters: bool,
        superseded: bool,
        max_rows: int = EXACT_ROWS,
    ) -> None:
        networks = None if internal is None else list(internal)
        self._exporters, self._superseded = exporters, superseded
        self._meter = QualityMeter(networks, exporters or superseded, max_rows)
        self._names: set[str] = set()

    def add(self, flows: pa.Table | FlowParts) -> None:
        """Add flows in the canonical schema, of which some columns may be absent."""
        if isinstance(flows, FlowParts):
            self._names.update(SCHEMA.names)
            self._meter.add(PartsReader([flows]))
        else:
            self._names.update(flows.schema.names)
            self._meter.add(flows.to_reader())

    def finish(self) -> Quality:
        """Return the quality of all flows."""
        found = self._meter.finish()
        rows = found["rows"]
        nulls = {name: n for name, n in found["nulls"] if name in self._names}
        duration, gap = found["max_record_duration"], found["longest_gap"]
        return Quality(
            rows=rows,
            flows=found["flows"],
            denied_flows=found["denied_flows"],
            nulls=nulls,
            empty=[name for name, count in nulls.items() if count == rows > 0],
            max_record_duration=None if duration is None else timedelta(microseconds=duration),
            long_records=found["long_records"],
            gaps=found["gaps"],
            longest_gap=gap and (_at(gap[0]), _at(gap[1])),
            time_outliers=found["time_outliers"],
            repeats=found["repeats"],
            exporters=found["exporters"] if self._exporters else 0,
            duplicates=found["duplicates"] if self._exporters else 0,
            superseded=found["superseded"] if self._superseded else 0,
            unidirectional=found["unidirectional"],
            counted=found["counted"],
            equal_sides=found["equal_sides"],
            uncounted_initiators=found["uncounted_initiators"],
            packets_without_bytes=found["packets_without_bytes"],
            bytes_without_packets=found["bytes_without_packets"],
            direction_conflicts=found["direction_conflicts"],
            counter_overflows=found["counter_overflows"],
            start=_time(found["first"]),
            end=_time(found["last"]),
            estimated=found["estimated"],
        )


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _at(microseconds)


def _at(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
