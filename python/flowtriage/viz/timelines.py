"""Bokeh timelines of network flows, drawn from binned counts.

Series names are untrusted. They reach the browser as plain text only: as labels of axis and
legend, and as the name of a renderer, which the hover box shows as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from bokeh.models import (
    ColumnDataSource,
    DataRange1d,
    FixedTicker,
    LayoutDOM,
    NumeralTickFormatter,
    PlainText,
    Quad,
    Range1d,
)
from bokeh.models.renderers import GlyphRenderer

from flowtriage.viz.colours import DENIED, RULE, direction_colours, protocol_colours
from flowtriage.viz.figures import CHARACTER, legend_item
from flowtriage.viz.series import Binned, Floats, Series, Style, bin_series
from flowtriage.viz.time_axis import empty_figure, hover_box, timeline_figure, with_slider

DIRECTION_NAMES = {
    "I": "I inbound",
    "O": "O outbound",
    "L": "L internal",
    "X": "X external",
    "U": "U unknown",
}
_PROTOCOL = Style(label=str, colours=protocol_colours)
_PEER = Style(label=str, colours=protocol_colours, max_series=100)
_DIRECTION = Style(
    label=lambda code: DIRECTION_NAMES.get(code, code),
    colours=direction_colours,
    order=tuple(DIRECTION_NAMES),
)
_BASELINE, _RISE, _DROP, _MIN_HEIGHT = 0.24, 0.7, 0.2, 0.12
_COUNTS = [
    ("flows", "@flows{0,0}"),
    ("denied", "@denied_text"),
    ("source sent", "@sent"),
    ("destination sent", "@received"),
]


def plot_flows_by_protocol(timeline: pa.Table) -> LayoutDOM:
    """Timeline of network flows by protocol type.

    Parameters
    ----------
    timeline
        Result of ``flowtriage.timeline(flows, by="service")``.

    Returns
    -------
    bokeh.models.LayoutDOM
        One lane for each protocol, the busiest on top, over a range slider. The height of a bar
        is the square root of the flows in the bin relative to the peak of the lane; its depth
        of colour is relative to all lanes. Red bars below are denied flows.
    """
    return _lanes(bin_series(timeline, _PROTOCOL), "protocol", 26)


def plot_flows_by_direction(timeline: pa.Table) -> LayoutDOM:
    """Timeline of network flows by direction.

    Parameters
    ----------
    timeline
        Result of ``flowtriage.timeline(flows, by="direction")``.

    Returns
    -------
    bokeh.models.LayoutDOM
        As `plot_flows_by_protocol`, with a lane for each direction.
    """
    return _lanes(bin_series(timeline, _DIRECTION), "direction", 40)


def plot_flows_by_peer(timeline: pa.Table) -> LayoutDOM:
    """Timeline of the flows of one address by peer.

    Parameters
    ----------
    timeline
        Result of ``flowtriage.timeline(flows, by="peer")``.

    Returns
    -------
    bokeh.models.LayoutDOM
        As `plot_flows_by_protocol`, with a lane for each peer, up to 100.
    """
    return _lanes(bin_series(timeline, _PEER), "peer", 26)


def plot_flow_values(timeline: pa.Table) -> LayoutDOM:
    """Timeline of network flows quantity.

    Parameters
    ----------
    timeline
        Result of ``flowtriage.timeline(flows, by="service")``.

    Returns
    -------
    bokeh.models.LayoutDOM
        Flows of each time bin as stacked bars over a range slider. The smallest series is at
        the bottom, so that hiding the largest ones in the legend leaves no gap; the vertical
        axis fits the visible series. Denied flows are below zero.
    """
    binned = bin_series(timeline, _PROTOCOL)
    title = "Number of network flows by protocol"
    if not binned.series:
        return empty_figure(binned, title)
    denied = int(binned.totals["denied"].sum())
    y_range: Any = DataRange1d(only_visible=True)
    if not denied:
        y_range.start = 0
    height = 110 + 16 * max(14, len(binned.series) + 1)
    plot = timeline_figure(binned, title, height, y_range)
    plot.yaxis.axis_label = "flows per bin"
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
    items, bars = [], []
    for series, (bottom, top) in zip(binned.series, _stack(binned.series), strict=True):
        columns = series.columns | {"bottom": bottom, "top": top}
        bar = _bars(plot, columns, "bottom", "top", fill_color=series.colour, name=series.name)
        bars.append(bar)
        items.append(legend_item(series.label, series.flows, [bar]))
    hover_box(plot, binned, bars, [("protocol", "$name"), *_COUNTS])
    note = "Click a protocol in the legend to hide it."
    if denied:
        columns = binned.totals | {"depth": -binned.totals["denied"]}
        bar = _bars(plot, columns, 0.0, "depth", fill_color=DENIED, name="all protocols")
        hover_box(plot, binned, [bar], [("denied", "@denied{0,0}"), ("protocol", "$name")])
        items.append(legend_item("denied", denied, [bar]))
        note += " Red, below zero: denied."
    return with_slider(plot, binned, items, note, left=70)


def _lanes(binned: Binned, key: str, lane_height: int) -> LayoutDOM:
    title = f"Network flows by {key}"
    if not binned.series:
        return empty_figure(binned, title)
    count = len(binned.series)
    plot = timeline_figure(binned, title, 92 + lane_height * count, Range1d(start=0, end=count))
    peak = max(1.0, *(float(series.columns["flows"].max()) for series in binned.series))
    empty = ColumnDataSource({"left": [binned.start], "right": [binned.start]})
    items, cells = [], []
    for at, series in enumerate(binned.series):
        cell, *marks = _lane(plot, series, count - 1 - at, peak)
        # The legend takes its swatch from the last renderer: an empty bar in full colour.
        swatch = _bars(plot, empty, 0, 0, fill_color=series.colour)
        cells.append(cell)
        items.append(legend_item(series.label, series.flows, [cell, *marks, swatch]))
    hover_box(plot, binned, cells, [(key, "$name"), *_COUNTS])
    plot.ygrid.ticker = FixedTicker(ticks=list(range(count + 1)))
    plot.yaxis.ticker = FixedTicker(ticks=[count - at - 0.5 for at in range(count)])
    plot.yaxis.major_label_overrides = {
        count - at - 0.5: PlainText(text=series.label) for at, series in enumerate(binned.series)
    }
    note = "Height: flows relative to the peak of the lane. Depth of colour: relative to all lanes."
    if binned.totals["denied"].any():
        note += " Red, below: denied."
    longest = max(len(series.label) for series in binned.series)
    return with_slider(plot, binned, items, note, left=24 + round(longest * CHARACTER))


def _lane(plot: Any, series: Series, floor: int, peak: float) -> list[Any]:
    """Draw one lane: cells for the hover box, denied flows, and the flows on top."""
    base = floor + _BASELINE
    columns = series.columns | {
        "up": base + _RISE * _height(series.columns["flows"]),
        "down": base - _DROP * _height(series.denied),
        "depth": 0.45 + 0.55 * np.log1p(series.columns["flows"]) / np.log1p(peak),
    }
    source = ColumnDataSource(columns)
    look: Any = {"fill_color": RULE, "fill_alpha": 0, "on_hover": RULE}
    cell = _bars(plot, source, floor, floor + 1, name=series.name, **look)
    denied = _bars(plot, source, "down", base, fill_color=DENIED)
    allowed = _bars(plot, source, base, "up", fill_color=series.colour, fill_alpha="depth")
    return [cell, denied, allowed]


def _height(counts: Floats) -> Floats:
    """Scale counts to 0..1 by the largest; a single flow stays visible."""
    share = np.sqrt(counts / max(float(counts.max()), 1.0))
    return np.where(counts > 0, np.maximum(share, _MIN_HEIGHT), 0.0)


def _bars(
    plot: Any,
    columns: ColumnDataSource | dict[str, Any],
    bottom: str | float,
    top: str | float,
    *,
    fill_color: str,
    fill_alpha: str | float = 1.0,
    name: str | None = None,
    on_hover: str | None = None,
) -> Any:
    """Draw bars with one glyph; `plot.quad` makes five."""
    source = columns if isinstance(columns, ColumnDataSource) else ColumnDataSource(columns)
    sides: Any = {"left": "left", "right": "right", "bottom": bottom, "top": top}
    sides["line_color"] = None
    bar = GlyphRenderer(
        data_source=source,
        glyph=Quad(fill_color=fill_color, fill_alpha=fill_alpha, **sides),
        hover_glyph=on_hover and Quad(fill_color=on_hover, fill_alpha=0.8, **sides),
        name=name,
    )
    plot.renderers.append(bar)
    return bar


def _stack(series: Sequence[Series]) -> list[tuple[Floats, Floats]]:
    """Stack the series of each bin, the last at the bottom."""
    bins = np.unique(np.concatenate([one.columns["left"] for one in series]))
    height = np.zeros(len(bins))
    stacked = []
    for one in reversed(series):
        at = np.searchsorted(bins, one.columns["left"])
        bottom = height[at]
        height[at] += one.columns["flows"]
        stacked.append((bottom, height[at]))
    return stacked[::-1]
