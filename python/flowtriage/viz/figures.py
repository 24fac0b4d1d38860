"""What all plots share: figure, message, legend above, notes below.

Figures are typed as ``Any``, because Bokeh types its properties as descriptors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, LayoutDOM, Range1d
from bokeh.models.annotations import Legend, Title
from bokeh.plotting import figure

INK, FAINT, RULE = "#24292F", "#57606A", "#E4E7EB"
CHARACTER = 6.3
"""Width of a character of a label, in pixels."""


def quiet_figure(title: str, **options: Any) -> Any:
    """Make an empty figure of which nothing stands out but its title.

    Parameters
    ----------
    title
        Title, kept short: the toolbar stands beside it.
    **options
        As Bokeh's `figure` takes them.
    """
    plot: Any = figure(title=title, **({"outline_line_color": None} | options))
    plot.title.text_font_size = "12px"
    plot.title.text_color = INK
    return plot


def wide_figure(title: str, **options: Any) -> Any:
    """Make a quiet figure as wide as there is room, with its tools above."""
    usual = {"toolbar_location": "above", "sizing_mode": "stretch_width", "min_width": 320}
    plot = quiet_figure(title, **(usual | options))
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    return plot


def without_axes(plot: Any) -> Any:
    """Hide the axes and the grid of a figure whose places mean nothing."""
    plot.axis.visible = False
    plot.grid.visible = False
    return plot


def alone(plot: Any) -> LayoutDOM:
    """Lay a figure out by itself."""
    return column(plot, sizing_mode="stretch_width")


def message_plot(title: str, message: str, notes: Sequence[str] = ()) -> LayoutDOM:
    """Make a plot that says why there is nothing to draw."""
    plot = without_axes(
        quiet_figure(
            title,
            height=120,
            x_range=Range1d(start=0, end=1),
            y_range=Range1d(start=0, end=1),
            tools="",
            toolbar_location=None,
            sizing_mode="stretch_width",
            outline_line_color=RULE,
        )
    )
    plot.text(
        "x",
        "y",
        "text",
        source=ColumnDataSource({"x": [0.5], "y": [0.5], "text": [message]}),
        text_align="center",
        text_baseline="middle",
        text_color=FAINT,
        text_font_size="14px",
    )
    add_notes(plot, notes)
    return alone(plot)


def legend_above(items: list[Any]) -> Any:
    """Make a legend of one line, to stand above a figure."""
    return Legend(
        items=items,
        orientation="horizontal",
        border_line_color=None,
        background_fill_alpha=0,
        label_text_font_size="11px",
        label_text_color=INK,
        glyph_width=12,
        glyph_height=12,
        spacing=16,
        padding=0,
    )


def add_notes(plot: Any, notes: Sequence[str]) -> None:
    """Write lines of text under a figure."""
    for note in notes:
        line = Title(
            text=note,
            text_font_size="11px",
            text_font_style="normal",
            text_color=FAINT,
            standoff=2,
        )
        plot.add_layout(line, "below")
