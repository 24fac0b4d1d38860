"""Microsoft Sentinel's rule PossibleBeaconingActivity, derived again."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from accuracy import alarms
from accuracy.kinds import BEACON
from accuracy.rules.flow_frame import SERVICE, flow_frame
from accuracy.rules.rule import Rule

_SHARE, _GAP, _EVENTS = 0.8, 10, 15


def _run(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    starts = flow_frame(flows, internal).filter(pl.col("direction") == "outbound")
    seconds = starts.with_columns(second=pl.col("time").floor().cast(pl.Int64))
    gaps = (
        seconds.sort(*SERVICE, "second")
        .with_columns(gap=pl.col("second").diff().over(SERVICE), hour=pl.col("second") // 3600)
        .filter(pl.col("gap") > _GAP)
    )
    equal = gaps.group_by(*SERVICE, "hour", "gap").len("equal")
    hours = equal.group_by(*SERVICE, "hour").agg(
        pl.col("equal").sum().alias("events"),
        (pl.col("equal").max() / pl.col("equal").sum()).alias("score"),
    )
    found = hours.filter((pl.col("events") > _EVENTS) & (pl.col("score") >= _SHARE))
    best = found.group_by(SERVICE).agg(pl.col("score").max())
    return alarms.frame(best.with_columns(detector=pl.lit("beacons")))


SENTINEL = Rule(
    "Sentinel",
    (BEACON,),
    f"Outbound only; in one hour more than {_EVENTS} gaps above {_GAP} s, at least {_SHARE:.0%} of "
    "them equal to the second.",
    _run,
)
