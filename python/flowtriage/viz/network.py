"""The graph of suspicious connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from bokeh.models import ColumnDataSource, LayoutDOM, Range1d

from flowtriage.enrich.reputation.severity import Severity
from flowtriage.humanize import UNKNOWN as DASH
from flowtriage.humanize import counted, sanitize
from flowtriage.quality.sums import exact_sum
from flowtriage.viz.colours import DENIED, DIRECTIONS, INK, UNKNOWN, WHITE
from flowtriage.viz.figures import (
    CHARACTER,
    add_hover,
    add_legend,
    add_notes,
    alone,
    legend_item,
    message_plot,
    wide_figure,
    without_axes,
)
from flowtriage.viz.graph import Floats, Graph, Indices, graph_of, layout

_LABEL, _NAME = 24, 120
_USUAL_WIDTH, _LINE = 900, 14
_NODE_SHARE = 0.25
"""Share of a line, at either end, where the pointer selects the node instead."""
_LEFT, _RIGHT, _BOTTOM, _TOP = -2.0, 2.0, -1.4, 1.2
_COUNTS = [("connections", "@connections{0,0}"), ("first rank", "@rank{0,0}")]
_KINDS = {
    "known as bad": DENIED,
    "internal": DIRECTIONS["O"],
    "external": DIRECTIONS["X"],
    "not known": UNKNOWN,
    "several addresses": WHITE,
}


def connection_network(
    rows: pa.Table, title: str, severity_of: Callable[[str], Severity]
) -> LayoutDOM:
    """Draw rows of `flow_scores`, in order of rank, as a graph.

    A node is an address, sized by its connections; a line is a pair of source and destination,
    tapering towards the destination. Above 120 addresses, those with a single neighbour share a
    node, then the connections of the highest rank numbers are dropped; a note reports both.
    `severity_of` parses a reputation: from severity warning on, an address is known as bad.
    """
    if not rows.num_rows:
        return message_plot(title, "No suspicious connection to review")
    graph = graph_of(rows)
    ends = np.stack([graph.edges[name].to_numpy() for name in ("source", "dest")], axis=1)
    position = layout(graph.nodes.num_rows, ends)
    plot = without_axes(
        wide_figure(
            title,
            height=240 + min(16 * graph.nodes.num_rows, 320),
            x_range=Range1d(start=_LEFT, end=_RIGHT),
            y_range=Range1d(start=_BOTTOM, end=_TOP),
            tools="pan,wheel_zoom,box_zoom,reset,save",
        )
    )
    names = _names(graph)
    _draw_edges(plot, graph, position, ends, names)
    _draw_nodes(plot, graph, position, names, _kinds(graph.nodes, severity_of))
    add_notes(plot, _notes(graph))
    return alone(plot)


def _draw_edges(plot: Any, graph: Graph, position: Floats, ends: Indices, names: list[str]) -> None:
    start, end = position[ends[:, 0]], position[ends[:, 1]]
    along = end - start
    length = np.maximum(np.sqrt((along**2).sum(axis=1)), 1e-9)
    count = graph.edges["connections"].to_numpy()
    half = 0.006 * np.minimum(1 + np.log2(count), 4) / length
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * half[:, None]
    corners = np.stack([start + across, start - across, end], axis=1)
    order = np.arange(len(ends)) / max(len(ends) - 1, 1)
    plot.patches(
        xs="xs",
        ys="ys",
        fill_color=INK,
        fill_alpha="depth",
        line_color=None,
        source=ColumnDataSource(
            {
                "xs": corners[:, :, 0].tolist(),
                "ys": corners[:, :, 1].tolist(),
                "depth": 0.75 - 0.5 * order,
            }
        ),
    )
    edges = graph.edges
    start, end = start + _NODE_SHARE * along, end - _NODE_SHARE * along
    lines = plot.segment(
        x0="x0",
        y0="y0",
        x1="x1",
        y1="y1",
        line_width=9,
        line_alpha=0,
        hover_line_alpha=0.2,
        hover_line_color=INK,
        source=ColumnDataSource(
            {
                **dict(zip(("x0", "y0"), start.T, strict=True)),
                **dict(zip(("x1", "y1"), end.T, strict=True)),
                "from": [names[at] for at in ends[:, 0]],
                "to": [names[at] for at in ends[:, 1]],
                "connections": count,
                "rank": edges["rank"].to_numpy(),
                "score": [DASH if s is None else f"{s:.3g}" for s in edges["score"].to_pylist()],
            }
        ),
    )
    rows = [("from", "@from"), ("to", "@to"), *_COUNTS, ("lowest score", "@score")]
    add_hover(plot, [lines], rows, point_policy="snap_to_data", line_policy="interp")


def _draw_nodes(plot: Any, graph: Graph, position: Floats, names: list[str], kinds: Any) -> None:
    nodes = graph.nodes
    count = nodes["connections"].to_numpy()
    columns = {
        "x": position[:, 0],
        "y": position[:, 1],
        "size": np.minimum(9 + 4 * np.sqrt(count), 40),
        "name": np.array(names, dtype=object),
        "kind": kinds,
        "connections": count,
        "rank": nodes["rank"].to_numpy(),
        **{name: _shown(nodes[name]) for name in ("geoloc", "context", "rep")},
    }
    drawn, items = [], []
    for kind, colour in _KINDS.items():
        here = kinds == kind
        if not here.any():
            continue
        look = {"fill_color": colour, "line_color": INK if colour == WHITE else "white"}
        source = ColumnDataSource({name: values[here] for name, values in columns.items()})
        drawn.append(plot.circle("x", "y", size="size", source=source, **look))
        items.append(legend_item(kind, here.sum(), drawn[-1:]))
    rows = [("address", "@name"), ("side", "@kind"), *_COUNTS, ("location", "@geoloc")]
    rows += [("network", "@context"), ("reputation", "@rep")]
    add_hover(plot, drawn, rows, point_policy="snap_to_data")
    add_legend(plot, items, swatch=24)
    texts = np.array([sanitize(name, _LABEL) for name in names], dtype=object)
    below = columns["size"] / 2 + 2
    pixels = np.array([_USUAL_WIDTH / (_RIGHT - _LEFT), plot.height / (_BOTTOM - _TOP)])
    centre = position * pixels + np.stack([0 * below, below], axis=1)
    shown = _without_overlap(centre, texts, np.lexsort((columns["rank"], -count)))
    plot.text(
        x=position[shown, 0],
        y=position[shown, 1],
        text=texts[shown],
        y_offset=below[shown],
        text_align="center",
        text_baseline="top",
        text_font_size="11px",
        text_color=INK,
    )


def _without_overlap(centre: Floats, texts: Any, order: Any) -> Any:
    """Choose the labels that do not overlap one chosen before, in the given order; in pixels."""
    half = np.array([len(text) for text in texts]) * CHARACTER / 2
    chosen: list[int] = []
    for at in order:
        distance = np.abs(centre[chosen] - centre[at])
        wide = distance[:, 0] < half[chosen] + half[at]
        if not (wide & (distance[:, 1] < _LINE)).any():
            chosen.append(int(at))
    return np.array(chosen)


def _names(graph: Graph) -> list[str]:
    grouped = graph.nodes["grouped"].to_pylist()
    names = graph.nodes["name"].to_pylist()
    return [
        sanitize(name, _NAME) if name else f"{count:,} more"
        for name, count in zip(names, grouped, strict=True)
    ]


def _kinds(nodes: pa.Table, severity_of: Callable[[str], Severity]) -> Any:
    columns = (nodes[column].to_pylist() for column in ("name", "internal", "rep"))
    kinds = [
        "several addresses"
        if not name
        else "known as bad"
        if rep and severity_of(rep) >= Severity.WARNING
        else {True: "internal", False: "external"}.get(internal, "not known")
        for name, internal, rep in zip(*columns, strict=True)
    ]
    return np.array(kinds)


def _shown(values: pa.ChunkedArray) -> Any:
    texts = pc.fill_null(values, DASH).to_pylist()
    return np.array([sanitize(text, _NAME) for text in texts], dtype=object)


def _notes(graph: Graph) -> list[str]:
    notes = [
        "Lines taper from source to destination; darker lines have lower ranks. Hover over a node "
        "to read its address."
    ]
    single = int(pc.sum(pc.equal(graph.nodes["name"], "").cast(pa.int64())).as_py())
    grouped = int(pc.sum(graph.nodes["grouped"]).as_py()) - graph.nodes.num_rows + single
    drawn = exact_sum(graph.edges["connections"])
    if single:
        share = counted(grouped, "with a single neighbour shares", "with a single neighbour share")
        notes.append(
            f"{graph.addresses:,} addresses exceed the limit of nodes: {share} a node (“more”)."
        )
    if drawn < graph.connections:
        notes.append(
            f"Connections shown: {drawn:,} of {graph.connections:,}, by rank; give an address "
            "(ip=) to see others."
        )
    return notes
