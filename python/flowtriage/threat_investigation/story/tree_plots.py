"""Bokeh plots of how many peers an address has: by context, and as a tree.

Names come from the network. They reach the browser as plain text only: on axes, in glyphs of
text, and in rows of a hover box.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
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

from flowtriage.humanize import sanitize
from flowtriage.threat_investigation.story.trees import BRANCHES, Branch, Dendrogram, Stats
from flowtriage.viz.colours import DIRECTIONS, TWO_WAY, UNKNOWN
from flowtriage.viz.figures import (
    FAINT,
    INK,
    RULE,
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
_MAX_BRANCHES, _LABEL, _NAME = 15, 40, 200
_INBOUND, _OUTBOUND, _TWO_WAY = BRANCHES.values()
_COLOURS = {_INBOUND: DIRECTIONS["I"], _OUTBOUND: DIRECTIONS["O"], _TWO_WAY: TWO_WAY}
_ROW, _GAP = 24, 0.6


def plot_stats(stats: Stats) -> LayoutDOM:
    """Draw how many peers there are of each context, and in which direction.

    Parameters
    ----------
    stats
        What to draw.

    Returns
    -------
    bokeh.models.LayoutDOM
        A bar for each of the 15 contexts with the most peers and one for all others, made of a
        part for each direction: purple inbound, blue outbound, dark blue two-way.
    """
    title = f"Peers of {sanitize(stats.name, _LABEL)} by network context"
    rows = _contexts(stats.branches)
    if not rows:
        return message_plot(title, _EMPTY)
    names = [name for name, _ in rows]
    most = max(parts.total() for _, parts in rows)
    plot = _figure(title, 100 + _ROW * len(rows))
    plot.x_range = Range1d(start=0, end=most * 1.1)
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
            "context": [sanitize(name, _NAME) for name in names],
            "direction": [sanitize(direction, _NAME)] * len(rows),
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
        items.append(legend_item(sanitize(direction, _LABEL), sum(peers), [bar]))
    middles = [at + 0.5 for at in range(len(rows))]
    _write(plot, ends, middles, [f"{end:,}" for end in ends], x_offset=6, text_color=FAINT)
    _box(plot, bars, [("context", "@context"), ("direction", "@direction")])
    add_legend(plot, items)
    plot.yaxis.ticker = FixedTicker(ticks=middles)
    plot.yaxis.major_label_overrides = {
        middle: PlainText(text=sanitize(name, _LABEL))
        for middle, name in zip(middles, names, strict=True)
    }
    return alone(plot)


def plot_dendrogram(dendrogram: Dendrogram) -> LayoutDOM:
    """Draw the tree of an address: directions, and the contexts of its peers in each.

    Parameters
    ----------
    dendrogram
        What to draw.

    Returns
    -------
    bokeh.models.LayoutDOM
        The address at the left, the contexts at the right: of each direction the 15 with the
        most peers, and one for all others. A line is the wider the more peers it leads to.
    """
    title = f"Peers of {sanitize(dendrogram.name, _LABEL)} as a tree"
    if not dendrogram.branches:
        return message_plot(title, _EMPTY)
    groups = _laid_out(dendrogram.branches)
    ends = [node for node, _ in groups]
    leaves = [leaf for _, found in groups for leaf in found]
    depth = max(node.y for node in (*ends, *leaves)) + 0.5
    middle, peers = (ends[0].y + ends[-1].y) / 2, sum(node.peers for node in ends)
    root = _Node(0, middle, dendrogram.name, peers, INK)
    plot = without_axes(_figure(title, 80 + round(_ROW * depth)))
    plot.x_range = Range1d(start=-0.03, end=3.2)
    plot.y_range = Range1d(start=depth + 0.3, end=-0.5)
    _link(plot, [(root, node) for node in ends], peers)
    _link(plot, [(node, leaf) for node, found in groups for leaf in found], peers)
    _mark(plot, [root, *ends, *leaves])
    total = f"{peers:,} peer" + ("" if peers == 1 else "s")
    _write(plot, [0], [middle], [total], y_offset=9, text_baseline="top")
    _label(plot, ends, y_offset=-8, text_baseline="bottom", text_align="center")
    _label(plot, leaves, x_offset=10)
    return alone(plot)


@dataclass(frozen=True)
class _Node:
    """A branch, and where it is drawn."""

    x: float
    y: float
    name: str
    peers: int
    colour: str


def _laid_out(branches: Sequence[Branch]) -> list[tuple[_Node, list[_Node]]]:
    """Place each direction in the middle of its contexts, which stand one below the other."""
    groups, top = [], 0.5
    for branch in branches:
        colour = _COLOURS.get(branch.name, UNKNOWN)
        kept = _greatest(branch.branches)
        leaves = [_Node(2, top + at, *leaf, colour) for at, leaf in enumerate(kept)]
        peers = branch.peers or sum(leaf.peers for leaf in leaves)
        below = max(len(leaves), 1)
        groups.append((_Node(1, top + (below - 1) / 2, branch.name, peers, colour), leaves))
        top += below + _GAP
    return groups


def _greatest(branches: Sequence[Branch]) -> list[tuple[str, int]]:
    """Name the contexts with the most peers, and count the rest as one."""
    ordered = sorted(branches, key=lambda branch: (-branch.peers, branch.name))
    kept = [(branch.name, branch.peers) for branch in ordered[:_MAX_BRANCHES]]
    if rest := ordered[_MAX_BRANCHES:]:
        kept.append((_others(len(rest)), sum(branch.peers for branch in rest)))
    return kept


def _contexts(directions: Sequence[Branch]) -> list[tuple[str, Counter[str]]]:
    """Count the peers of each context by direction, in the same order."""
    counts: dict[str, Counter[str]] = {}
    for direction in directions:
        for leaf in direction.branches:
            counts.setdefault(leaf.name, Counter())[direction.name] += leaf.peers
    names = sorted(counts, key=lambda name: (-counts[name].total(), name))
    kept = [(name, counts[name]) for name in names[:_MAX_BRANCHES]]
    if rest := names[_MAX_BRANCHES:]:
        others: Counter[str] = Counter()
        for name in rest:
            others.update(counts[name])
        kept.append((_others(len(rest)), others))
    return kept


def _others(count: int) -> str:
    return f"{count:,} other context" + ("s" if count > 1 else "")


def _figure(title: str, height: int) -> Any:
    plot = wide_figure(title, height=height, tools="save", min_width=480)
    plot.xgrid.grid_line_color = RULE
    plot.ygrid.visible = False
    quiet_axes(plot)
    plot.yaxis.major_label_text_color = INK
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    plot.xaxis.ticker.min_interval = 1
    return plot


def _box(plot: Any, renderers: list[Any], rows: list[tuple[str, str]]) -> None:
    add_hover(plot, renderers, [*rows, ("peers", "@peers{0,0}")])


def _write(plot: Any, x: Sequence[float], y: Sequence[float], text: list[str], **look: Any) -> None:
    look = {"text_color": INK, "text_baseline": "middle", "text_font_size": "11px"} | look
    columns = {"x": list(x), "y": list(y), "text": text}
    plot.text("x", "y", "text", source=ColumnDataSource(columns), **look)


def _link(plot: Any, links: list[tuple[_Node, _Node]], total: int) -> None:
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


def _mark(plot: Any, nodes: list[_Node]) -> None:
    columns = {
        "x": [node.x for node in nodes],
        "y": [node.y for node in nodes],
        "colour": [node.colour for node in nodes],
        "name": [sanitize(node.name, _NAME) for node in nodes],
        "peers": [node.peers for node in nodes],
    }
    dots = plot.scatter("x", "y", size=9, color="colour", source=ColumnDataSource(columns))
    _box(plot, [dots], [("name", "@name")])


def _label(plot: Any, nodes: list[_Node], **look: Any) -> None:
    x, y = [node.x for node in nodes], [node.y for node in nodes]
    texts = [f"{sanitize(node.name, _LABEL)} · {node.peers:,}" for node in nodes]
    _write(plot, x, y, texts, **look)
