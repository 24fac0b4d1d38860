"""Gap share: most gaps between the calls of a pair are close to their median."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from accuracy import alarms
from accuracy.kinds import BEACON
from accuracy.rules.flow_frame import SERVICE, flow_frame
from accuracy.rules.rule import Rule

_CALLS, _SHARE, _WIDTH = 12, 0.6, 0.3


def _run(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    starts = flow_frame(flows, internal).sort(*SERVICE, "time")
    gap = pl.col("time").diff().over(SERVICE)
    limit = pl.max_horizontal(pl.lit(1.0), pl.col("gap").median().over(SERVICE) / 10)
    calls = starts.with_columns(gap=gap).filter(pl.col("gap").is_null() | (pl.col("gap") >= limit))
    near = (pl.col("gap") / pl.col("gap").median() - 1).abs() <= _WIDTH
    found = (
        calls.with_columns(gap=gap)
        .group_by(SERVICE)
        .agg(pl.len().alias("calls"), near.mean().alias("score"))
        .filter((pl.col("calls") >= _CALLS) & (pl.col("score") >= _SHARE))
    )
    return alarms.frame(found.with_columns(detector=pl.lit("beacons")))


GAP_SHARE = Rule(
    "gap share",
    (BEACON,),
    f"Source, destination, port and protocol; starts closer than 1 s or a tenth of the median gap "
    f"are one call; at least {_CALLS} calls, at least {_SHARE:.0%} of the gaps within "
    f"±{_WIDTH:.0%} of their median. No context, both directions.",
    _run,
)
