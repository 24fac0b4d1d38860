"""The beacon score of RITA v5, derived again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
import pyarrow as pa

from accuracy import alarms
from accuracy.kinds import BEACON
from accuracy.rules.flow_frame import PAIR, flow_frame
from accuracy.rules.rule import Rule

_TIMES, _GAPS, _FLOWS = 4, 3, 86_400
_BINS, _HOURS = 24, 12
_MIN_HOURS = 11
"""Active bins from which the histogram may have two levels."""


def _run(flows: pa.Table, internal: Sequence[str] | None, least: float) -> pl.DataFrame:
    starts = flow_frame(flows, internal)
    begin, span = starts["time"].min(), _span(starts)
    outbound = starts.filter(pl.col("direction") == "outbound").with_columns(
        second=pl.col("time").floor().cast(pl.Int64),
        bin=((pl.col("time") - begin) / span * _BINS).floor().cast(pl.Int64).clip(0, _BINS - 1),
    )
    times = outbound.select(*PAIR, "second").unique().sort(*PAIR, "second")
    gaps = times.with_columns(gap=pl.col("second").diff().over(PAIR)).filter(pl.col("gap") > 0)
    scores = (
        _spread(gaps, "gap")
        .join(_spread(outbound, "src_bytes"), on=PAIR, suffix="_size")
        .join(_histogram(outbound), on=PAIR)
        .join(_duration(outbound, span), on=PAIR)
        .filter(
            (pl.col("count") >= max(_GAPS, _TIMES - 1)) & (pl.col("count_size") < _FLOWS),
        )
        .with_columns(
            score=pl.mean_horizontal("spread", "spread_size", "histogram", "duration"),
            detector=pl.lit("beacons"),
        )
    )
    return alarms.frame(scores.filter(pl.col("score") >= least))


def _span(starts: pl.DataFrame) -> float:
    first, last = starts.select(pl.col("time").min(), last=pl.col("time").max()).row(0)
    return max(float(last - first), 1.0)


def _spread(values: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the mean of the scores of skewness and of the median absolute deviation."""
    value = pl.col(name).cast(pl.Float64)
    low, middle, high = (value.quantile(q, "nearest") for q in (0.25, 0.5, 0.75))
    grouped = values.with_columns(off=(value - value.median().over(PAIR)).abs()).group_by(PAIR)
    parts = grouped.agg(
        pl.len().alias("count"),
        low.alias("low"),
        middle.alias("middle"),
        high.alias("high"),
        value.median().alias("median"),
        pl.col("off").median(),
    )
    width = pl.col("high") - pl.col("low")
    flat = (width < 10) | (pl.col("middle") == pl.col("low")) | (pl.col("middle") == pl.col("high"))
    skew = (pl.col("low") + pl.col("high") - 2 * pl.col("middle")) / width
    deviation = ((pl.col("median") - pl.col("off")) / pl.col("median")).clip(0).fill_nan(0)
    skewness = pl.when(flat).then(1.0).otherwise(1 - skew.abs())
    return parts.select(*PAIR, "count", spread=(skewness + deviation) / 2)


def _histogram(flows: pl.DataFrame) -> pl.DataFrame:
    """Return the larger of evenness over the bins and share of the two commonest levels."""
    bins = flows.group_by(*PAIR, "bin").len("flows").with_columns(pl.col("flows").cast(pl.Float64))
    mean, squares = pl.col("flows").sum() / _BINS, (pl.col("flows") ** 2).sum() / _BINS
    even = bins.group_by(PAIR).agg(
        (1 - (squares - mean**2).clip(0).sqrt() / mean).clip(0).alias("even"),
        pl.len().alias("active"),
    )
    level = (pl.col("flows") / pl.col("flows").max().over(PAIR) * 20).ceil()
    levels = bins.with_columns(level=level).group_by(*PAIR, "level").len("bars")
    two = levels.group_by(PAIR).agg(pl.col("bars").top_k(2).sum().alias("two"))
    share = pl.col("two") / (pl.col("active") - 1).clip(1)
    modes = pl.when(pl.col("active") >= _MIN_HOURS).then(share.clip(0, 1)).otherwise(0.0)
    return even.join(two, on=PAIR).select(*PAIR, histogram=pl.max_horizontal("even", modes))


def _duration(flows: pl.DataFrame, span: float) -> pl.DataFrame:
    """Return the larger of covered share of the log and longest run of active bins."""
    covered = (pl.col("time").max() - pl.col("time").min()) / span
    whole = flows.group_by(PAIR).agg(covered.alias("covered"))
    bins = flows.select(*PAIR, "bin").unique().sort(*PAIR, "bin")
    run = pl.col("bin") - pl.int_range(pl.len()).over(PAIR)
    runs = bins.with_columns(run=run).group_by(*PAIR, "run").len("length")
    longest = runs.group_by(PAIR).agg((pl.col("length").max() / _HOURS).clip(0, 1).alias("run"))
    return whole.join(longest, on=PAIR).select(
        *PAIR, duration=pl.max_horizontal("covered", "run").clip(0, 1)
    )


def _rule(least: float) -> Rule:
    return Rule(
        f"RITA v5, score ≥ {least}",
        (BEACON,),
        "Outbound pairs of addresses with at least 4 distinct times; mean of the scores for times, "
        "sizes, histogram and duration. A distribution without skewness to measure scores 1 for "
        "it; the two-level histogram is derived from its description. Beacons through a proxy need "
        "an HTTP log in the original, so they are not found here.",
        partial(_run, least=least),
    )


RITA = (_rule(0.5), _rule(0.8))
