"""The chord diagram of traffic between addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, DataRange1d, LayoutDOM

from flowtriage.humanize import counted, human_bytes, sanitize, thousands
from flowtriage.viz.colours import INK, OTHER, protocol_colours
from flowtriage.viz.figures import (
    CHARACTER,
    add_hover,
    add_notes,
    message_plot,
    quiet_figure,
    without_axes,
)
from flowtriage.viz.graph import Floats

MAX_ARCS = 24
_LABEL, _NAME = 22, 120
_WIDTH = 640


def chord_diagram(rows: pa.Table, title: str, ip: str | None = None) -> LayoutDOM:
    """Draw rows of the table `flow_chords` as ribbons in a circle; the arc of `ip` is the first.

    An arc is an address, a ribbon a pair. The width of a ribbon at an address is the square root
    of the bytes (packets, if no bytes are known) that it sent to the other; the colour is that of
    the address that sent more. Addresses beyond the top `MAX_ARCS` by traffic share an arc.
    """
    rows = rows.filter(pc.not_equal(rows["srcip"], rows["dstip"]))
    if not rows.num_rows:
        return message_plot(title, "No address has suspicious connections with several others")
    chords = _chords(rows, ip)
    arcs = arcs_of(np.sqrt(chords.sent))
    longest = max(len(sanitize(name, _LABEL)) for name in chords.names)
    reach = 339 / (_WIDTH / 2 - min(longest * CHARACTER, 200))
    plot = without_axes(
        quiet_figure(
            title,
            width=_WIDTH,
            height=_WIDTH + 60,
            match_aspect=True,
            x_range=DataRange1d(range_padding=0),
            y_range=DataRange1d(range_padding=0),
            tools="",
            toolbar_location=None,
            min_border=0,
        )
    )
    plot.circle([-reach, reach], [-reach, reach], size=0)  # space for the labels
    _draw_ribbons(plot, chords, arcs)
    _draw_arcs(plot, chords, arcs)
    add_notes(plot, _notes(chords))
    return column(plot)


@dataclass(frozen=True)
class _Chords:
    """Traffic between addresses, from row to column; `sent` has the widths, in units `measure`."""

    names: list[str]
    colours: list[str]
    sent: Any
    bytes: Any
    packets: Any
    measure: str
    addresses: int


def _chords(rows: pa.Table, ip: str | None) -> _Chords:
    # The table has the sums of two addresses twice if both have several peers.
    sums = rows.group_by(["srcip", "dstip"], use_threads=False).aggregate(
        [("ibyt", "max"), ("ipkt", "max")]
    )
    ends = [sums[name] for name in ("srcip", "dstip")]
    names = pa.chunked_array([*ends[0].chunks, *ends[1].chunks]).unique()
    codes = [pc.index_in(end, names).to_numpy() for end in ends]
    counts = [pc.fill_null(sums[name], 0).to_numpy() for name in ("ibyt_max", "ipkt_max")]
    measure = next((at for at in (0, 1) if counts[at].any()), 2)
    counts.append(np.ones(sums.num_rows, np.int64))
    total: Any = sum(np.bincount(code, counts[measure], len(names)) for code in codes)
    first = pc.fill_null(pc.equal(names, ip), False).to_numpy(zero_copy_only=False)
    order = np.lexsort((np.arange(len(names)), -total, ~first))
    arc = np.empty(len(names), np.int64)
    arc[order] = np.minimum(np.arange(len(names)), MAX_ARCS)
    size = min(len(names), MAX_ARCS + 1)
    at = arc[codes[0]], arc[codes[1]]
    tables = np.zeros((len(counts), size, size))
    for table, count in zip(tables, counts, strict=True):
        np.add.at(table, at, count)
        np.fill_diagonal(table, 0)
    shown = names.take(order[:MAX_ARCS]).to_pylist()
    colours = list(protocol_colours(shown).values())
    if size > MAX_ARCS:
        shown.append(counted(len(names) - MAX_ARCS, "other"))
        colours.append(OTHER)
    unit = ("bytes", "packets", "connections")[measure]
    return _Chords(shown, colours, tables[measure], tables[0], tables[1], unit, len(names))


def _draw_ribbons(plot: Any, chords: _Chords, arcs: Arcs) -> None:
    names = [sanitize(name, _NAME) for name in chords.names]
    amounts = {
        "bytes": _texts(chords.bytes, human_bytes),
        "packets": _texts(chords.packets, thousands),
    }
    pairs = np.argwhere(np.triu(chords.sent + chords.sent.T) > 0)
    swap = chords.sent[pairs[:, 0], pairs[:, 1]] < chords.sent[pairs[:, 1], pairs[:, 0]]
    pairs[swap] = pairs[swap][:, ::-1]
    total = chords.sent[pairs[:, 0], pairs[:, 1]] + chords.sent[pairs[:, 1], pairs[:, 0]]
    pairs = pairs[np.argsort(-total, kind="stable")]
    shapes = [ribbon(arcs, one, other) for one, other in pairs]
    columns: dict[str, Any] = {
        "xs": [shape[:, 0] for shape in shapes],
        "ys": [shape[:, 1] for shape in shapes],
        "colour": [chords.colours[one] for one, _ in pairs],
        "one": [names[one] for one, _ in pairs],
        "other": [names[other] for _, other in pairs],
    }
    for name, table in amounts.items():
        columns[f"{name}_sent"] = [table[one][other] for one, other in pairs]
        columns[f"{name}_got"] = [table[other][one] for one, other in pairs]
    drawn = plot.patches(
        xs="xs",
        ys="ys",
        fill_color="colour",
        fill_alpha=0.55,
        line_color="white",
        line_width=0.5,
        hover_fill_alpha=0.95,
        hover_fill_color="colour",
        source=ColumnDataSource(columns),
    )
    rows = [("one", "@one"), ("sent", "@bytes_sent, @packets_sent packets")]
    rows += [("other", "@other"), ("sent", "@bytes_got, @packets_got packets")]
    add_hover(plot, [drawn], rows)


def _draw_arcs(plot: Any, chords: _Chords, arcs: Arcs) -> None:
    names = [sanitize(name, _NAME) for name in chords.names]
    shapes = [ring(arcs, at) for at in range(len(names))]
    sent, got = chords.bytes.sum(axis=1), chords.bytes.sum(axis=0)
    drawn = plot.patches(
        xs="xs",
        ys="ys",
        fill_color="colour",
        line_color=None,
        source=ColumnDataSource(
            {
                "xs": [shape[:, 0] for shape in shapes],
                "ys": [shape[:, 1] for shape in shapes],
                "colour": chords.colours,
                "name": names,
                "sent": _texts(sent, human_bytes),
                "got": _texts(got, human_bytes),
                "peers": ((chords.sent + chords.sent.T) > 0).sum(axis=1),
            }
        ),
    )
    rows = [("address", "@name"), ("sent", "@sent"), ("received", "@got"), ("peers", "@peers")]
    add_hover(plot, [drawn], rows)
    middle = (arcs.start + arcs.end) / 2
    left = np.cos(middle) < 0
    for side, align in ((left, "right"), (~left, "left")):
        plot.text(
            x=1.08 * np.cos(middle[side]),
            y=1.08 * np.sin(middle[side]),
            text=[sanitize(chords.names[at], _LABEL) for at in np.flatnonzero(side)],
            angle=middle[side] + (np.pi if align == "right" else 0),
            text_align=align,
            text_baseline="middle",
            text_font_size="11px",
            text_color=INK,
        )


def _texts(values: Any, write: Any) -> Any:
    texts = write(pa.array(values.ravel().astype(np.int64))).to_pylist()
    return np.array(texts, dtype=object).reshape(values.shape)


def _notes(chords: _Chords) -> list[str]:
    notes = [f"Width: square root of {chords.measure} sent. Colour: the address that sent more."]
    if chords.addresses > MAX_ARCS:
        notes.append(
            f"{chords.addresses:,} addresses exceed the limit of arcs: the "
            f"{chords.addresses - MAX_ARCS:,} with the least traffic share one."
        )
    return notes


_GAP = np.radians(3.5)
_STEP = np.radians(2)
_INNER, _OUTER = 0.985, 1.05
_CURVE = np.linspace(0, 1, 25)[1:-1, None]


@dataclass(frozen=True)
class Arcs:
    """Arcs, clockwise from the top, as angles in radians.

    `slots` has the angles of the ribbon from one arc to another, at the first; shape (arcs, arcs,
    2).
    """

    start: Floats
    end: Floats
    slots: Floats


def arcs_of(width: Floats) -> Arcs:
    """Divide the circle into arcs as wide as their ribbons, with gaps between.

    The width is that of each ribbon at its start, shape (arcs, arcs).

    Examples
    --------
    >>> arcs = arcs_of(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> np.degrees(arcs.start - arcs.end).round().tolist()
    [176.0, 176.0]
    """
    count = len(width)
    scale = (2 * np.pi - _GAP * count) / width.sum()
    size = width.sum(axis=1) * scale
    before = np.cumsum(size) - size
    start = np.pi / 2 - (before + _GAP * (np.arange(count) + 0.5))
    # Ribbons leave an arc in the order of the arcs around the circle, so that fewer cross.
    turn = (np.arange(count)[None, :] - np.arange(count)[:, None]) % count
    order = np.argsort(-turn, axis=1, kind="stable")
    ordered = np.take_along_axis(width * scale, order, axis=1)
    ends = np.cumsum(ordered, axis=1)
    slots = np.empty((count, count, 2))
    np.put_along_axis(slots[:, :, 0], order, start[:, None] - (ends - ordered), axis=1)
    np.put_along_axis(slots[:, :, 1], order, start[:, None] - ends, axis=1)
    return Arcs(start, start - size, slots)


def ring(arcs: Arcs, at: int) -> Floats:
    """Return the outline of an arc, shape (points, 2)."""
    inner = _arc(arcs.start[at], arcs.end[at])
    return np.concatenate([inner, inner[::-1] * (_OUTER / _INNER)])


def ribbon(arcs: Arcs, one: int, other: int) -> Floats:
    """Return the outline of a ribbon, shape (points, 2)."""
    start, end = _arc(*arcs.slots[one, other]), _arc(*arcs.slots[other, one])
    return np.concatenate([start, _curve(start[-1], end[0]), end, _curve(end[-1], start[0])])


def _arc(start: float, end: float) -> Floats:
    points = np.linspace(start, end, 2 + int(abs(end - start) / _STEP))
    return np.asarray(_INNER * np.stack([np.cos(points), np.sin(points)], axis=1))


def _curve(start: Floats, end: Floats) -> Floats:
    """Bend a line towards the centre (a quadratic Bézier curve)."""
    return np.asarray((1 - _CURVE) ** 2 * start + _CURVE**2 * end)
