"""Scan rules of Zeek and SiLK, derived again."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from accuracy import alarms
from accuracy.kinds import SCAN
from accuracy.rules.flow_frame import flow_frame
from accuracy.rules.rule import Rule

_WINDOW, _HOSTS, _PORTS = 300, 25, 15
_HIT, _MISS, _LIMIT = math.log(0.25), math.log(4), math.log(99)


def _run_zeek(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    failed = flow_frame(flows, internal).filter(
        (pl.col("protocol") == "tcp") & pl.col("failed") & pl.col("dst_port").is_not_null()
    )
    placed = failed.with_columns(window=(pl.col("time") / _WINDOW).floor())
    sweeps = _many(placed, ["source", "dst_port"], "dest", _HOSTS, "host_sweeps")
    scans = _many(placed, ["source", "dest"], "dst_port", _PORTS, "port_scans")
    return pl.concat([sweeps, scans])


def _many(
    flows: pl.DataFrame, key: list[str], counted: str, least: int, detector: str
) -> pl.DataFrame:
    """Return the keys that meet at least so many distinct values in one window."""
    windows = flows.group_by(*key, "window").agg(pl.col(counted).n_unique().alias("met"))
    found = windows.filter(pl.col("met") >= least).select(key).unique()
    return alarms.frame(found.with_columns(detector=pl.lit(detector), protocol=pl.lit("tcp")))


def _run_walk(flows: pa.Table, internal: Sequence[str] | None) -> pl.DataFrame:
    attempts = flow_frame(flows, internal).filter(pl.col("protocol") == "tcp")
    first = attempts.sort("time").unique(["source", "dest"], keep="first", maintain_order=True)
    step = pl.when(pl.col("failed")).then(_MISS).otherwise(_HIT)
    walk = first.with_columns(ratio=step.cum_sum().over("source"))
    undecided = (pl.col("ratio") <= -_LIMIT).cast(pl.Int8).cum_max().over("source") == 0
    found = walk.filter(undecided & (pl.col("ratio") > _LIMIT)).select("source").unique()
    return alarms.frame(found.with_columns(detector=pl.lit("scans"), protocol=pl.lit("tcp")))


ZEEK = Rule(
    "Zeek scan",
    (SCAN,),
    f"TCP; in {_WINDOW // 60} minutes (windows that do not overlap) at least {_HOSTS} failed hosts "
    f"on one port, or at least {_PORTS} failed ports on one host.",
    _run_zeek,
)
WALK = Rule(
    "SiLK TRW",
    (SCAN,),
    "TCP; threshold random walk over the first contact with each destination, prior 0.8 and 0.2, "
    "scanner above a likelihood ratio of 99. It names the scanner only: one alarm covers all that "
    "the truth says of that source.",
    _run_walk,
)
