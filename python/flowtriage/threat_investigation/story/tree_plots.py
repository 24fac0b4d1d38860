"""Bokeh plots of the number of peers: bars by network context, and a dendrogram.

Names are untrusted text. They reach the browser as plain text only: axis labels, text glyphs and
hover rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.models import (
    ColumnDataSource,
    FixedTicker,
    LayoutDOM,
    NumeralTickFormatter,
    PlainText,
    Range1d,
)

from flowtriage.humanize import counted, sanitize
from flowtriage.threat_investigation.story.trees import BRANCHES, Branch, Dendrogram, Stats
from flowtriage.viz.colours import DIRECTIONS, FAINT, INK, RULE, TWO_WAY, UNKNOWN
from flowtriage.viz.figures import (
    add_hover,
    add_legend,
    alone,
    legend_item,
    message_plot,
    quiet_axes,
    wide_figure,
    without_axes,
)

_EMPTY = "No peers"
_PEERS_ROW = ("peers", "@peers{0,0}")
_MAX_BRANCHES, _LABEL_LENGTH, _NAME_LENGTH = 15, 40, 200
_INBOUND, _OUTBOUND, _TWO_WAY = BRANCHES.values()
_COLOURS = {_INBOUND: DIRECTIONS["I"], _OUTBOUND: DIRECTIONS["O"], _TWO_WAY: TWO_WAY}
_ROW_HEIGHT, _GAP = 24, 0.6


def plot_stats(stats: Stats) -> LayoutDOM:
    """Plot the number of peers by network context and direction.

    Parameters
    ----------
    stats
        The stats.

    Returns
    -------
    bokeh.models.LayoutDOM
        One stacked bar for each of the top 15 contexts by peers and one for all others. Colours
        are directions: purple inbound, blue outbound, dark blue two-way.
    """
    title = f"Peers of {sanitize(stats.name, _LABEL_LENGTH)} by network context"
    counts: dict[str, Counter[str]] = {}
    for branch in stats.branches:
        for leaf in branch.branches:
            counts.setdefault(leaf.name, Counter())[branch.name] += leaf.peers
    rows = _top_contexts(counts.items())
    if not rows:
        return message_plot(title, _EMPTY)
    names = [name for name, _ in rows]
    longest = max(parts.total() for _, parts in rows)
    plot = _figure(title, 100 + _ROW_HEIGHT * len(rows))
    plot.x_range = Range1d(start=0, end=longest * 1.1)
    plot.y_range = Range1d(start=len(rows), end=0)
    items, bars, ends = [], [], [0] * len(rows)
    for direction in dict.fromkeys(branch.name for branch in stats.branches):
        peers = [parts[direction] for _, parts in rows]
        if not any(peers):
            continue
        starts, ends = ends, [end + one for end, one in zip(ends, peers, strict=True)]
        columns = {
            "left": starts,
            "right": ends,
            "top": [at + 0.18 for at in range(len(rows))],
            "bottom": [at + 0.82 for at in range(len(rows))],
            "context": [sanitize(name, _NAME_LENGTH) for name in names],
            "direction": [sanitize(direction, _NAME_LENGTH)] * len(rows),
            "peers": peers,
        }
        bar = plot.quad(
            left="left",
            right="right",
            top="top",
            bottom="bottom",
            source=ColumnDataSource(columns),
            line_color=None,
            fill_color=_COLOURS.get(direction, UNKNOWN),
        )
        bars.append(bar)
        items.append(legend_item(sanitize(direction, _LABEL_LENGTH), sum(peers), [bar]))
    middles = [at + 0.5 for at in range(len(rows))]
    _add_text(plot, ends, middles, [f"{end:,}" for end in ends], x_offset=6, text_color=FAINT)
    add_hover(plot, bars, [("context", "@context"), ("direction", "@direction"), _PEERS_ROW])
    add_legend(plot, items)
    plot.yaxis.ticker = FixedTicker(ticks=middles)
    plot.yaxis.major_label_overrides = {
        middle: PlainText(text=sanitize(name, _LABEL_LENGTH))
        for middle, name in zip(middles, names, strict=True)
    }
    return alone(plot)


def plot_dendrogram(dendrogram: Dendrogram) -> LayoutDOM:
    """Plot the number of peers as a tree of directions and network contexts.

    Parameters
    ----------
    dendrogram
        The dendrogram.

    Returns
    -------
    bokeh.models.LayoutDOM
        The address at the left, then the directions, then the top 15 contexts by peers of each
        direction and one node for all others. Line width grows with the number of peers.
    """
    title = f"Peers of {sanitize(dendrogram.name, _LABEL_LENGTH)} as a tree"
    if not dendrogram.branches:
        return message_plot(title, _EMPTY)
    groups = _layout(dendrogram.branches)
    ends = [node for node, _ in groups]
    leaves = [leaf for _, contexts in groups for leaf in contexts]
    depth = max(node.y for node in (*ends, *leaves)) + 0.5
    middle, peers = (ends[0].y + ends[-1].y) / 2, sum(node.peers for node in ends)
    root = _Node(0, middle, dendrogram.name, peers, INK)
    plot = without_axes(_figure(title, 80 + round(_ROW_HEIGHT * depth)))
    plot.x_range = Range1d(start=-0.03, end=3.2)
    plot.y_range = Range1d(start=depth + 0.3, end=-0.5)
    _add_links(plot, [(root, node) for node in ends], peers)
    _add_links(plot, [(node, leaf) for node, contexts in groups for leaf in contexts], peers)
    _add_nodes(plot, [root, *ends, *leaves])
    total = counted(peers, "peer")
    _add_text(plot, [0], [middle], [total], y_offset=9, text_baseline="top")
    _add_labels(plot, ends, y_offset=-8, text_baseline="bottom", text_align="center")
    _add_labels(plot, leaves, x_offset=10)
    return alone(plot)


@dataclass(frozen=True)
class _Node:
    """A branch and its position in the plot."""

    x: float
    y: float
    name: str
    peers: int
    colour: str


def _layout(branches: Sequence[Branch]) -> list[tuple[_Node, list[_Node]]]:
    """Position the contexts one below the other, each direction centred on its contexts."""
    groups, top = [], 0.5
    for branch in branches:
        colour = _COLOURS.get(branch.name, UNKNOWN)
        contexts = _top_contexts((leaf.name, Counter(all=leaf.peers)) for leaf in branch.branches)
        leaves = [
            _Node(2, top + at, name, peers.total(), colour)
            for at, (name, peers) in enumerate(contexts)
        ]
        peers = branch.peers or sum(leaf.peers for leaf in leaves)
        rows = max(len(leaves), 1)
        groups.append((_Node(1, top + (rows - 1) / 2, branch.name, peers, colour), leaves))
        top += rows + _GAP
    return groups


def _top_contexts(counts: Iterable[tuple[str, Counter[str]]]) -> list[tuple[str, Counter[str]]]:
    """Return the top contexts by peers, and all others as one."""
    ordered = sorted(counts, key=lambda context: (-context[1].total(), context[0]))
    top, rest = ordered[:_MAX_BRANCHES], ordered[_MAX_BRANCHES:]
    if rest:
        name = counted(len(rest), "other context")
        top.append((name, sum((peers for _, peers in rest), Counter())))
    return top


def _figure(title: str, height: int) -> Any:
    plot = wide_figure(title, height=height, tools="save", min_width=480)
    plot.xgrid.grid_line_color = RULE
    plot.ygrid.visible = False
    quiet_axes(plot)
    plot.yaxis.major_label_text_color = INK
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    plot.xaxis.ticker.min_interval = 1
    return plot


def _add_text(
    plot: Any, x: Sequence[float], y: Sequence[float], text: list[str], **style: Any
) -> None:
    style = {"text_color": INK, "text_baseline": "middle", "text_font_size": "11px"} | style
    columns = {"x": list(x), "y": list(y), "text": text}
    plot.text("x", "y", "text", source=ColumnDataSource(columns), **style)


def _add_links(plot: Any, links: list[tuple[_Node, _Node]], total: int) -> None:
    columns = {
        "x0": [start.x for start, _ in links],
        "y0": [start.y for start, _ in links],
        "x1": [end.x for _, end in links],
        "y1": [end.y for _, end in links],
        "half": [end.x - 0.5 for _, end in links],
        "colour": [end.colour for _, end in links],
        "width": [1 + 6 * math.sqrt(end.peers / max(total, 1)) for _, end in links],
    }
    plot.bezier(
        *("x0", "y0", "x1", "y1"),
        *("half", "y0", "half", "y1"),
        source=ColumnDataSource(columns),
        line_color="colour",
        line_width="width",
        line_alpha=0.35,
    )


def _add_nodes(plot: Any, nodes: list[_Node]) -> None:
    columns = {
        "x": [node.x for node in nodes],
        "y": [node.y for node in nodes],
        "colour": [node.colour for node in nodes],
        "name": [sanitize(node.name, _NAME_LENGTH) for node in nodes],
        "peers": [node.peers for node in nodes],
    }
    dots = plot.scatter("x", "y", size=9, color="colour", source=ColumnDataSource(columns))
    add_hover(plot, [dots], [("name", "@name"), _PEERS_ROW])


def _add_labels(plot: Any, nodes: list[_Node], **style: Any) -> None:
    x, y = [node.x for node in nodes], [node.y for node in nodes]
    texts = [f"{sanitize(node.name, _LABEL_LENGTH)} · {node.peers:,}" for node in nodes]
    _add_text(plot, x, y, texts, **style)
