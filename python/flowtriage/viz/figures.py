"""Parts of all plots: figure, axes, message, legend, hover box and notes.

Figures are typed as ``Any``, because Bokeh types its properties as descriptors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, HoverTool, LayoutDOM, Range1d
from bokeh.models.annotations import Legend, LegendItem, Title
from bokeh.plotting import figure

from flowtriage.viz.colours import FAINT, INK, RULE

CHARACTER = 6.3
"""Width of a character of a label, in pixels."""


def quiet_figure(title: str, **options: Any) -> Any:
    """Make an empty figure in which only the title stands out, with options of Bokeh's `figure`.

    The title must be short, because the toolbar is beside it.
    """
    plot: Any = figure(title=title, **({"outline_line_color": None} | options))
    plot.title.text_font_size = "12px"
    plot.title.text_color = INK
    return plot


def wide_figure(title: str, **options: Any) -> Any:
    """Make a quiet figure of full width, with its tools above."""
    usual = {"toolbar_location": "above", "sizing_mode": "stretch_width", "min_width": 320}
    plot = quiet_figure(title, **(usual | options))
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    return plot


def without_axes(plot: Any) -> Any:
    """Hide the axes and the grid of a figure whose positions have no meaning."""
    plot.axis.visible = plot.grid.visible = False
    return plot


def quiet_axes(plot: Any) -> None:
    """Draw the axes of a figure in faint colours."""
    plot.axis.axis_line_color = plot.axis.major_tick_line_color = RULE
    plot.axis.minor_tick_line_color = None
    plot.axis.major_label_text_color = FAINT


def add_hover(plot: Any, renderers: list[Any], rows: list[tuple[str, str]], **options: Any) -> None:
    """Show a hover box at the pointer, with options of Bokeh's `HoverTool`.

    A row has a label and a Bokeh template, which, unlike one in HTML, shows values as text.
    """
    usual = {"point_policy": "follow_mouse"}
    plot.add_tools(HoverTool(renderers=renderers, tooltips=rows, **(usual | options)))


def alone(plot: Any) -> LayoutDOM:
    """Lay out a single figure."""
    return column(plot, sizing_mode="stretch_width")


def message_plot(title: str, message: str, notes: Sequence[str] = ()) -> LayoutDOM:
    """Make a plot with a message why there is nothing to draw."""
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


def legend_item(label: str, count: int | None, renderers: list[Any]) -> Any:
    """Make a legend entry of a name and a count, if there is one."""
    text = label if count is None else f"{label} · {count:,}"
    return LegendItem(label={"value": text}, renderers=renderers)


def add_legend(plot: Any, items: list[Any], swatch: int = 12) -> None:
    """Add a legend of one line above a figure, with swatches of that size in pixels."""
    legend = Legend(
        items=items,
        orientation="horizontal",
        location="top_left",
        border_line_color=None,
        background_fill_alpha=0,
        label_text_font_size="11px",
        label_text_color=INK,
        glyph_width=swatch,
        glyph_height=swatch,
        spacing=16,
        padding=0,
    )
    plot.add_layout(legend, "above")


def add_notes(plot: Any, notes: Sequence[str]) -> None:
    """Add lines of text below a figure."""
    for note in notes:
        look = {"text_font_size": "11px", "text_font_style": "normal", "text_color": FAINT}
        plot.add_layout(Title(text=note, standoff=2, **look), "below")
