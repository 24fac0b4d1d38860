"""Flows per minute of the ingest summary."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from bokeh.models import ColumnDataSource, DataRange1d, LayoutDOM, NumeralTickFormatter

from flowtriage.errors import InputError
from flowtriage.quality.sums import aggregated
from flowtriage.viz.colours import TOTAL
from flowtriage.viz.figures import legend_item, message_plot
from flowtriage.viz.series import Style, bin_series
from flowtriage.viz.time_axis import hover_box, timeline_figure, with_slider

MAX_BARS = 1500
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_STYLE = Style(label=str, colours=lambda names: dict.fromkeys(names, TOTAL))


def flows_per_minute(summary: pa.Table, days: str) -> LayoutDOM:
    """Draw the flows per minute of `flow_ingest_summary`, denied ones included, over a slider.

    Above `MAX_BARS` minutes several share a bar; the title has their number.
    """
    if not summary.num_rows:
        return message_plot("Flows per minute", f"No flows stored for {days}")
    try:
        minutes = pc.strptime(summary["tdate"], format="%Y-%m-%d %H:%M", unit="us")
    except pa.ArrowInvalid as error:
        raise InputError(f"flow_ingest_summary, column tdate: not a time ({error})") from None
    width = _width(minutes)
    binned = bin_series(_timeline(minutes, summary["total"], width), _STYLE)
    [series] = binned.series
    title = "Flows per minute" if width == 1 else f"Flows per {width} minutes"
    plot = timeline_figure(binned, title, 300, DataRange1d(start=0))
    plot.yaxis.axis_label = "flows"
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
    bars = plot.quad(
        left="left",
        right="right",
        bottom=0,
        top="flows",
        source=ColumnDataSource(series.columns),
        fill_color=TOTAL,
        line_color=None,
    )
    hover_box(plot, binned, [bars], [("flows", "@flows{0,0}")])
    note = f"Minutes with flows on {days} (UTC): {summary.num_rows:,}"
    if width > 1:
        note += f"; minutes per bar: {width}"
    return with_slider(plot, binned, [legend_item("flows", series.flows, [bars])], f"{note}.", 70)


def _width(minutes: pa.ChunkedArray) -> int:
    """Return the number of minutes per bar."""
    limits = pc.min_max(minutes)
    covered = (limits["max"].as_py() - limits["min"].as_py()).total_seconds() / 60 + 1
    return next((width for width in _WIDTHS if covered / width <= MAX_BARS), _WIDTHS[-1])


def _timeline(minutes: pa.ChunkedArray, flows: pa.ChunkedArray, width: int) -> pa.Table:
    """Return a table like that of `flowtriage.timeline`, with a single series."""
    start = pc.floor_temporal(minutes, multiple=width, unit="minute")
    counted = pa.table({"start": start, "flows": flows})
    bars = aggregated(counted, "start", [("flows", "sum")])
    null = pa.nulls(bars.num_rows, pa.int64())
    start = pc.assume_timezone(bars["start"], "UTC")
    return pa.table(
        {
            "bin_start": start,
            "bin_end": pc.add(start, pa.scalar(width * 60_000_000, pa.duration("us"))),
            "series": pa.repeat("flows", bars.num_rows),
            "flows": bars["flows_sum"],
            **dict.fromkeys(("denied_flows", "src_bytes", "dst_bytes"), null),
        }
    )
