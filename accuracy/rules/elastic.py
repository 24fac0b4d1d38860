"""Elastic's beaconing transform, derived again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa

from accuracy import alarms
from accuracy.kinds import BEACON
from accuracy.rules.flow_frame import SERVICE, flow_frame
from accuracy.rules.rule import Rule

_WINDOW, _BUCKET = 6 * 3600, 60
_BUCKETS = _WINDOW // _BUCKET
_EVENTS = 6
_COVARIANCE, _COUNT_VARIATION, _BYTE_VARIATION = 0.7, 0.1, 0.05


def _run(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    starts = flow_frame(flows, internal)
    origin = pl.col("time").min()
    elapsed = (pl.col("time") - origin).floor().cast(pl.Int64)
    placed = starts.with_columns(window=elapsed // _WINDOW, bucket=elapsed % _WINDOW // _BUCKET)
    group = [*SERVICE, "window"]
    bytes_of = pl.col("src_bytes").cast(pl.Float64)
    windows = (
        placed.group_by(group)
        .agg(pl.len().alias("events"), (bytes_of.std(ddof=0) / bytes_of.mean()).alias("variation"))
        .filter((pl.col("events") >= _EVENTS) & (pl.col("variation") <= _BYTE_VARIATION))
        .sort(group)
        .with_row_index("row")
    )
    counted = placed.join(windows, on=group, nulls_equal=True)
    counts = np.zeros((windows.height, _BUCKETS))
    np.add.at(counts, (counted["row"].to_numpy(), counted["bucket"].to_numpy()), 1)
    score = _regularity(counts)
    found = windows.with_columns(score=score).filter(pl.col("score") >= _COVARIANCE)
    best = found.group_by(SERVICE).agg(pl.col("score").max())
    return alarms.frame(best.with_columns(detector=pl.lit("beacons")))


def _regularity(counts: np.ndarray) -> np.ndarray:
    """Return the largest autocovariance of each row; 1 if its counts hardly vary."""
    centred = counts - counts.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, 2 * _BUCKETS, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, axis=1)[:, : _BUCKETS // 2]
    lags = np.arange(covariance.shape[1])
    unbiased = covariance * _BUCKETS / (_BUCKETS - lags)
    power = np.maximum(covariance[:, :1], 1e-9)
    largest = (unbiased[:, 1:] / power).max(axis=1, initial=0.0)
    even = counts.std(axis=1) <= _COUNT_VARIATION * counts.mean(axis=1)
    return np.where(even, 1.0, largest)


ELASTIC = Rule(
    "Elastic",
    (BEACON,),
    f"Windows of 6 h, buckets of {_BUCKET} s; autocovariance of the counts at some lag of at least "
    f"{_COVARIANCE}, or a variation of the counts of at most {_COUNT_VARIATION}; variation of the "
    f"bytes sent of at most {_BYTE_VARIATION}; at least {_EVENTS} flows. The original groups by "
    "process, which flow logs do not have; its list of popular destinations is left out.",
    _run,
)
