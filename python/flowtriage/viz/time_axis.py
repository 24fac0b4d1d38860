"""Parts of all timelines: figure, range slider, legend and hover box.

Figures are typed as ``Any``, because Bokeh types its properties as descriptors.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bokeh.layouts import column
from bokeh.models import (
    ColumnDataSource,
    DatetimeTickFormatter,
    LayoutDOM,
    Range,
    Range1d,
    RangeTool,
)
from bokeh.models.annotations import Legend
from bokeh.plotting import figure

from flowtriage.viz.colours import DIRECTIONS, FAINT, INK, PANEL, RULE, TOTAL
from flowtriage.viz.figures import (
    CHARACTER,
    add_hover,
    add_notes,
    message_plot,
    quiet_axes,
    wide_figure,
)
from flowtriage.viz.series import Binned

DASH = "\N{EN DASH}"
EMPTY = "No flows in this time span"
_DAY = 86_400_000
_UNITS = ((_DAY, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms"))
_CLOCKS = ((60_000, "%H:%M"), (1_000, "%H:%M:%S"), (0, "%H:%M:%S.%3N"))


def timeline_figure(binned: Binned, title: str, height: int, y_range: Range) -> Any:
    """Make an empty figure with a UTC time axis that fits all bins; the height is in pixels."""
    pad = max(binned.width * 3 - (binned.end - binned.start), binned.width) / 2
    plot = wide_figure(
        title,
        height=height,
        x_range=Range1d(start=binned.start - pad, end=binned.end + pad),
        y_range=y_range,
        x_axis_type="datetime",
        tools="xpan,xbox_zoom,xwheel_zoom,reset,save",
        active_drag="xpan",
    )
    plot.xgrid.grid_line_color = plot.ygrid.grid_line_color = RULE
    plot.xaxis.axis_label = f"{_span(binned)}, bins of {_duration(binned.width)}"
    _time_axis(plot)
    return plot


def hover_box(plot: Any, binned: Binned, renderers: list[Any], rows: list[tuple[str, str]]) -> None:
    """Show a hover box with the time of the bin below the first row, as `add_hover` does."""
    day, clock = "%Y-%m-%d ", _clock(binned.width)
    end = clock if binned.width < _DAY / 2 else day + clock
    bin_time = f"@left{{{day}{clock}}} {DASH} @right{{{end}}} UTC"
    rows = [*rows[:1], ("time", bin_time), *rows[1:]]
    formatters = {"@left": "datetime", "@right": "datetime"}
    add_hover(plot, renderers, rows, formatters=formatters)


def with_slider(plot: Any, binned: Binned, items: list[Any], note: str, left: int) -> LayoutDOM:
    """Add a legend beside a figure, and a range slider and notes below it.

    The width of the area left of the frame, in pixels, aligns both frames.
    """
    legend = Legend(
        items=items,
        click_policy="hide",
        location="top_left",
        border_line_color=None,
        background_fill_alpha=0,
        label_text_font_size="11px",
        label_text_color=INK,
        glyph_width=12,
        glyph_height=12,
        label_height=12,
        label_standoff=6,
        spacing=4,
        margin=6,
    )
    plot.add_layout(legend, "right")
    longest = max(len(str(item.label.value)) for item in items)
    right = 36 + round(longest * CHARACTER)
    slider = _slider(plot, binned)
    for part in (plot, slider):
        part.min_border_left, part.min_border_right = left, right
    add_notes(slider, [note, *untimed_note(binned)])
    return column(plot, slider, sizing_mode="stretch_width", spacing=0)


def empty_figure(binned: Binned, title: str) -> LayoutDOM:
    """Make the figure of a time span without flows."""
    return message_plot(title, EMPTY, untimed_note(binned))


def untimed_note(binned: Binned) -> list[str]:
    """Report the number of flows without a time."""
    if not binned.untimed:
        return []
    return [f"Flows without a time, not shown: {binned.untimed:,}"]


def _slider(plot: Any, binned: Binned) -> Any:
    slider: Any = figure(
        frame_height=32,
        x_range=Range1d(start=plot.x_range.start, end=plot.x_range.end),
        y_range=Range1d(start=0, end=max(float(binned.totals["all"].max()), 1.0) * 1.05),
        x_axis_type="datetime",
        y_axis_type=None,
        tools="",
        toolbar_location=None,
        sizing_mode="stretch_width",
        min_width=320,
        outline_line_color=RULE,
        background_fill_color=PANEL,
    )
    slider.grid.visible = False
    slider.quad(
        left="left",
        right="right",
        bottom=0,
        top="all",
        source=ColumnDataSource(binned.totals),
        fill_color=TOTAL,
        line_color=None,
    )
    tool: Any = RangeTool(x_range=plot.x_range)
    tool.overlay.fill_color = tool.overlay.line_color = DIRECTIONS["O"]
    tool.overlay.fill_alpha, tool.overlay.line_alpha = 0.12, 0.6
    tool.overlay.line_dash = "solid"
    slider.add_tools(tool)
    _time_axis(slider)
    return slider


def _time_axis(plot: Any) -> None:
    quiet_axes(plot)
    plot.axis.axis_label_text_color = FAINT
    plot.axis.axis_label_text_font_size = "11px"
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_standoff = 4
    plot.xaxis.formatter = DatetimeTickFormatter(
        milliseconds="%H:%M:%S.%3N",
        seconds="%H:%M:%S",
        minsec="%H:%M:%S",
        minutes="%H:%M",
        hourmin="%H:%M",
        hours="%H:%M",
        days="%d %b",
        months="%b %Y",
        years="%Y",
        strip_leading_zeros=False,
    )


def _duration(width: float) -> str:
    size, unit = next(((s, u) for s, u in _UNITS if width >= s), _UNITS[-1])
    return f"{width / size:.4g} {unit}"


def _clock(width: float) -> str:
    return next(clock for shortest, clock in _CLOCKS if width >= shortest)


def _span(binned: Binned) -> str:
    first, last = (datetime.fromtimestamp(at / 1000, UTC) for at in (binned.start, binned.end))
    clock = "%H:%M" if binned.width % 60_000 == 0 else "%H:%M:%S"
    end = last.strftime(clock if first.date() == last.date() else f"%Y-%m-%d {clock}")
    return f"Time (UTC), {first.strftime(f'%Y-%m-%d {clock}')} {DASH} {end}"
