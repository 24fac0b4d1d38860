"""Columns to draw for each series of a timeline table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import InputError
from flowtriage.humanize import UNKNOWN, human_bytes, sanitize, thousands
from flowtriage.inputs.timespan import impossible_time
from flowtriage.quality.sums import added, aggregated, exact_sum
from flowtriage.viz.colours import OTHER

MAX_SERIES = 15
LABEL_LENGTH = 22
NAME_LENGTH = 120
Floats = npt.NDArray[np.float64]
Columns = dict[str, Any]
_SUMS = ("flows", "denied_flows", "src_bytes", "dst_bytes")


@dataclass(frozen=True)
class Style:
    """Labels, colours and order of the keys of a timeline.

    Keys beyond those of `order` follow by number of flows; the smallest beyond `max_series` are
    folded into one. A null key has no label.
    """

    label: Callable[[str], str]
    colours: Callable[[Iterable[str | None]], dict[str | None, str]]
    order: Sequence[str] = ()
    max_series: int = MAX_SERIES


@dataclass(frozen=True)
class Series:
    """One series, ready to be drawn.

    `name` is for the hover box, `label` for the axis and the legend. `flows` counts the allowed
    flows. `denied` and `columns` have one row for each non-empty bin: `left` and `right` in
    milliseconds since 1970, allowed `flows` as numbers, and `denied_text`, `sent` and `received`
    as text.
    """

    name: str
    label: str
    colour: str
    flows: int
    denied: Floats
    columns: Columns


@dataclass(frozen=True)
class Binned:
    """A timeline, folded to the maximum number of series.

    `totals` has the columns `left`, `right`, `denied` and `all` (allowed and denied flows) over
    all series. `start`, `end` and the `width` of a bin are in milliseconds; `untimed` is the
    number of flows without a time.
    """

    series: tuple[Series, ...]
    totals: Columns
    start: float
    end: float
    width: float
    untimed: int


def bin_series(timeline: pa.Table, style: Style) -> Binned:
    """Split the result of `flowtriage.timeline` into series, and one for all beyond the maximum."""
    known = pc.is_valid(timeline["bin_start"])
    untimed = _flow_count(timeline.filter(pc.invert(known)))
    timed = timeline.filter(known)
    if column := impossible_time(timed):
        raise InputError(f"timeline, column {column}: a time is not within the years 1 to 9999")
    if timed.num_rows == 0:
        return Binned((), {}, 0.0, 0.0, 0.0, untimed)
    kept, folded = _top_keys(timed, style)
    cells = _fold(timed, kept)
    colours = style.colours(kept)
    names = [(_name(key, style), colours[key]) for key in kept]
    names += [(f"other ({folded})", OTHER)] if folded else []
    series = [_series(cells, code, *name) for code, name in enumerate(names)]
    totals = _totals(timed)
    widths = totals["right"] - totals["left"]
    return Binned(
        series=tuple(series),
        totals=totals,
        start=float(totals["left"].min()),
        end=float(totals["right"].max()),
        width=float(widths.max()),
        untimed=untimed,
    )


def _name(key: str | None, style: Style) -> str:
    if key is None:
        return "unknown"
    return sanitize(style.label(key), NAME_LENGTH) if key.strip() else "(empty)"


def _flow_count(table: pa.Table) -> int:
    return sum(exact_sum(table[column]) for column in ("flows", "denied_flows"))


def _top_keys(timed: pa.Table, style: Style) -> tuple[list[str | None], int]:
    """Return the top keys by flows, denied ones included, in display order; count the rest."""
    sums = aggregated(timed, "series", [("flows", "sum"), ("denied_flows", "sum")])
    allowed = pc.fill_null(sums["flows_sum"], 0)
    both = added(allowed, pc.fill_null(sums["denied_flows_sum"], 0), "flows")
    keys = sums["series"].to_pylist()
    size = dict(zip(keys, zip(both.to_pylist(), allowed.to_pylist(), strict=True), strict=True))
    position = {key: at for at, key in enumerate(style.order)}

    def rank(key: str | None, measure: int) -> tuple[int, int, bool, str]:
        return position.get(key or "", len(position)), -size[key][measure], key is None, key or ""

    kept = sorted(size, key=lambda key: rank(key, 0))[: style.max_series]
    return sorted(kept, key=lambda key: rank(key, 1)), len(size) - len(kept)


def _fold(timed: pa.Table, kept: Sequence[str | None]) -> pa.Table:
    """Sum the cells by bin and by index of the key in `kept`; all other keys share an index."""
    names = pc.cast(timed["series"], pa.string())
    index = pc.index_in(names, value_set=pa.array(kept, pa.string()), skip_nulls=False)
    coded = timed.append_column("code", pc.fill_null(index, len(kept)))
    known_only = pc.ScalarAggregateOptions(min_count=1)
    keys = ["code", "bin_start", "bin_end"]
    cells = aggregated(coded, keys, [(name, "sum", known_only) for name in _SUMS])
    return cells.sort_by([("code", "ascending"), ("bin_start", "ascending")])


def _series(cells: pa.Table, code: int, name: str, colour: str) -> Series:
    mine = cells.filter(pc.equal(cells["code"], code))
    flows = _numbers(mine, "flows")
    return Series(
        name=name,
        label=sanitize(name, LABEL_LENGTH),
        colour=colour,
        flows=int(flows.sum()),
        denied=_numbers(mine, "denied_flows"),
        columns={
            "left": _milliseconds(mine["bin_start"]),
            "right": _milliseconds(mine["bin_end"]),
            "flows": flows,
            "denied_text": _texts(thousands(mine["denied_flows_sum"])),
            "sent": _texts(human_bytes(mine["src_bytes_sum"])),
            "received": _texts(human_bytes(mine["dst_bytes_sum"])),
        },
    )


def _totals(timed: pa.Table) -> Columns:
    measures = [("flows", "sum"), ("denied_flows", "sum")]
    sums = aggregated(timed, ["bin_start", "bin_end"], measures).sort_by("bin_start")
    flows, denied = _numbers(sums, "flows"), _numbers(sums, "denied_flows")
    return {
        "left": _milliseconds(sums["bin_start"]),
        "right": _milliseconds(sums["bin_end"]),
        "all": flows + denied,
        "denied": denied,
    }


def _numbers(table: pa.Table, name: str) -> Floats:
    values = pc.fill_null(table[f"{name}_sum"], 0)
    return np.asarray(values.to_numpy(), dtype=np.float64)


def _milliseconds(times: pa.ChunkedArray) -> Floats:
    micros = pc.cast(pc.cast(times, pa.timestamp("us", "UTC")), pa.int64())
    return np.asarray(micros.to_numpy(), dtype=np.float64) / 1000.0


def _texts(values: pa.ChunkedArray) -> list[str]:
    texts: list[str] = pc.fill_null(values, UNKNOWN).to_pylist()
    return texts
