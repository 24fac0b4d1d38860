"""Small pictures of the flows behind findings: their rhythm or their volume."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.detect.matching import MatchingFlows
from flowtriage.detect.words import bytes_text, duration
from flowtriage.render.sparkline import Sparkline

_MAX_INTERVALS = 96
_SECOND, _DAY = 1_000_000, 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_200, 1_800),
    *(3_600, 7_200, 10_800, 14_400, 21_600, 43_200, _DAY, 2 * _DAY, 7 * _DAY),
)
"""Seconds of an interval."""
_COLUMNS = tuple("start_time end_time dst_ip src_bytes dst_bytes flows denied_flows".split())


@dataclass(frozen=True)
class TimeAxis:
    """Intervals of equal length, in microseconds since 1970, that cover some flows."""

    origin: int
    step: int
    count: int

    @classmethod
    def of(cls, flows: pa.Table) -> TimeAxis | None:
        """Return the axis of flows; None if none of them has a time."""
        starts = pc.min_max(_micros(flows["start_time"]))
        first, last = starts["min"].as_py(), starts["max"].as_py()
        if first is None:
            return None
        span = last - first
        fitting = (s for s in _STEPS if span < (_MAX_INTERVALS - 1) * s * _SECOND)
        days = -(-span // ((_MAX_INTERVALS - 1) * _DAY * _SECOND))
        step = next(fitting, days * _DAY) * _SECOND
        origin = first // step * step
        return cls(origin, step, (last - origin) // step + 1)

    def at(self, times: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the numbers of the intervals of times, limited to the axis."""
        at = pc.divide(pc.subtract(_micros(times), self.origin), self.step)
        return pc.max_element_wise(0, pc.min_element_wise(at, self.count - 1, skip_nulls=False))

    def label(self, interval: int) -> str:
        """Return the start of an interval as text."""
        seconds = (self.origin + interval * self.step) // _SECOND
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
        return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def picture(finding: Mapping[str, Any], matching: MatchingFlows, axis: TimeAxis) -> Sparkline:
    """Draw the flows of a finding: bytes of uploads, open connections, or the number of flows."""
    flows = matching.columns(finding["flows_filter"], _COLUMNS)
    flows = flows.filter(pc.is_valid(flows["start_time"]))
    interval = f"per {duration(axis.step / _SECOND)}"
    if finding["detector"] == "uploads":
        amounts = _sums(axis, flows, _sent(flows, finding["source"]))
        unit, peak = f"bytes sent {interval}", bytes_text(max(amounts))
    elif finding["detector"] == "long_connections":
        amounts = _open(axis, flows)
        unit, peak = "open connections", f"{max(amounts):,.0f}"
    else:
        counts = (pc.fill_null(flows[name], 0) for name in ("flows", "denied_flows"))
        sums = (_sums(axis, flows, count) for count in counts)
        amounts = [allowed + denied for allowed, denied in zip(*sums, strict=True)]
        unit, peak = f"flows {interval}", f"{max(amounts):,.0f}"
    ends = axis.label(0), f"{axis.label(axis.count)} UTC"
    return Sparkline(tuple(amounts), unit, *ends, peak)


def _sent(flows: pa.Table, source: str | None) -> pa.ChunkedArray:
    """Return the bytes that the source of a finding sent."""
    back = pc.fill_null(pc.equal(flows["dst_ip"], pa.scalar(source, pa.string())), False)
    return pc.fill_null(pc.if_else(back, flows["dst_bytes"], flows["src_bytes"]), 0)


def _sums(axis: TimeAxis, flows: pa.Table, amounts: pa.ChunkedArray) -> list[float]:
    columns = {
        "at": axis.at(flows["start_time"]),
        "amount": pc.cast(amounts, pa.float64(), safe=False),
    }
    sums = pa.table(columns).group_by("at").aggregate([("amount", "sum")])
    by_interval = dict(zip(sums["at"].to_pylist(), sums["amount_sum"].to_pylist(), strict=True))
    return [by_interval.get(at, 0.0) for at in range(axis.count)]


def _open(axis: TimeAxis, flows: pa.Table) -> list[float]:
    """Count the connections that are open in each interval."""
    one = pa.chunked_array([pa.repeat(pa.scalar(1.0), flows.num_rows)])
    opened = _sums(axis, flows, one)
    ends = pc.coalesce(flows["end_time"], flows["start_time"])
    closed = _sums(axis, pa.table({"start_time": ends}), one)
    before = accumulate(closed[:-1], initial=0.0)
    return [a - b for a, b in zip(accumulate(opened), before, strict=True)]


def _micros(times: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(pc.cast(times, pa.timestamp("us", "UTC")), pa.int64())
