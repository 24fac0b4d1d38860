"""The part of the scorecard that comes from the synthetic grid."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from accuracy.document.markdown import cell, left_table, ratio, table
from accuracy.document.text import GRID
from accuracy.synthetic.beacons import PROXY
from accuracy.synthetic.scores import GridScore, accepted

_CONSTANT, _VARIED, _NIGHT = "constant size", "varied size", "night sleep, "
_VARIANTS = (_CONSTANT, _VARIED, _NIGHT + _CONSTANT, _NIGHT + _VARIED)


def section(grid: Sequence[GridScore], hard: Sequence[GridScore]) -> str:
    """Render recall by cell, beside the peers."""
    ours = grid[0]
    parts = [GRID.format(beacons=ours.planted.height, host_days=ours.host_days), _summary(grid)]
    parts += [
        "flowtriage, recall by period (rows) and jitter:\n",
        _cross(ours.planted, "period", "jitter"),
        "By loss (rows) and jitter:\n",
        _cross(ours.planted, "loss", "jitter"),
        "By number of calls in the log, all rules:\n",
        _by(grid, _calls(), ["below 12", "12 to 23", "24 to 99", "100 or more"]),
        "By path, all rules:\n",
        _by(grid, pl.col("path"), ours.planted["path"].unique(maintain_order=True).sort()),
        "By night sleep and size, all rules:\n",
        _by(grid, _variant(), _VARIANTS),
        _hard(hard),
        _false(ours),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _summary(grid: Sequence[GridScore]) -> str:
    header = ("Rule", "recall, target cells", "without the proxy", "recall, all cells",
              "false alarms", "false per host-day")  # fmt: skip
    rows = []
    for each in grid:
        inside, whole = each.tally(accepted()), each.tally()
        rate = ratio(whole.false_per_host_day)
        outside = each.tally(accepted() & (pl.col("path") != PROXY))
        recalls = (ratio(part.recall) for part in (inside, outside, whole))
        rows.append((each.rule, *recalls, f"{whole.false:,}", rate))
    return table(header, rows)


def _cross(planted: pl.DataFrame, down: str, across: str) -> str:
    columns = planted[across].unique().sort().to_list()
    wide = planted.pivot(across, index=down, values="found", aggregate_function="mean").sort(down)
    rows = [(_label(down, row[0]), *map(ratio, row[1:])) for row in
            wide.select(down, *map(str, columns)).iter_rows()]  # fmt: skip
    return table((down, *(f"{share:.0%}" for share in columns)), rows)


def _label(name: str, value: float) -> str:
    if name != "period":
        return f"{value:.0%}"
    return f"{value} s" if value < 3600 else f"{value / 3600:g} h"


def _by(grid: Sequence[GridScore], group: pl.Expr, order: Sequence[str] | pl.Series) -> str:
    names = list(order)
    rows = []
    for each in grid:
        means = each.planted.group_by(group.alias("group")).agg(pl.col("found").mean())
        found = dict(means.iter_rows())
        rows.append((each.rule, *(ratio(found.get(name)) for name in names)))
    sizes = dict(grid[0].planted.group_by(group.alias("group")).len().iter_rows())
    return table(("Rule", *(f"{name} ({sizes.get(name, 0):,})" for name in names)), rows)


def _calls() -> pl.Expr:
    count = pl.col("calls")
    return (
        pl.when(count < 12)
        .then(pl.lit("below 12"))
        .when(count < 24)
        .then(pl.lit("12 to 23"))
        .when(count < 100)
        .then(pl.lit("24 to 99"))
        .otherwise(pl.lit("100 or more"))
    )


def _variant() -> pl.Expr:
    size = pl.when(pl.col("varied")).then(pl.lit(_VARIED)).otherwise(pl.lit(_CONSTANT))
    return pl.when(pl.col("sleeps")).then(pl.lit(_NIGHT) + size).otherwise(size)


def _hard(hard: Sequence[GridScore]) -> str:
    if not hard:
        return ""
    order = hard[0].planted["path"].unique().sort()
    return (
        "Paths that hide the rhythm or the network (periods 60 s to 1 h, jitter and loss up to "
        f"20 and 10 %), left out of the target:\n\n{_by(hard, pl.col('path'), order)}"
    )


def _false(ours: GridScore) -> str:
    if not ours.false.height:
        return "flowtriage raised no false alarm on the grid."
    keys = ["detector", "severity", "dst_port", "protocol"]
    counted = ours.false.group_by(keys).len("count").sort("count", *keys, descending=True)
    rows = [
        (cell(detector), severity, f"{port or '–'}/{protocol or '–'}", f"{count:,}")
        for detector, severity, port, protocol, count in counted.head(20).iter_rows()
    ]
    header = ("Detector", "Severity", "Port", "False alarms")
    return f"False alarms of flowtriage on the grid:\n\n{left_table(header, rows)}"
