"""The timelines of flows: what they count, how they look, and what they refuse to run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

pytest.importorskip("bokeh")

import bokeh.models as bm
from bokeh.embed import json_item

from flowtriage.humanize import sanitize
from flowtriage.viz.colours import DENIED
from flowtriage.viz.timelines import plot_flow_values as values
from flowtriage.viz.timelines import plot_flows_by_direction as by_direction
from flowtriage.viz.timelines import plot_flows_by_protocol as by_protocol

START = 1_772_409_600_000_000  # 2026-03-02 00:00 UTC, in microseconds
WIDTH = 300_000_000
PLOTS = [by_protocol, by_direction, values]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "@{flows}",
    "@flows{safe}",
    "$$\\frac{1}{2}$$",
    "$color[swatch]:flows",
    "</script><script>alert(1)</script>",
    "invoice\u202egpj.exe\nsecond line",
]

Row = tuple[int | None, str | None, int, int | None]


def timeline(rows: Sequence[Row], width: int = WIDTH) -> pa.Table:
    """Build a timeline from (bin, series, flows, denied flows)."""
    moment = pa.timestamp("us", "UTC")
    starts = [None if at is None else START + at * width for at, *_ in rows]
    ends = [None if start is None else start + width for start in starts]
    flows = [row[2] for row in rows]
    counts = pa.array(flows, pa.int64())
    return pa.table(
        {
            "bin_start": pa.array(starts, pa.int64()).cast(moment),
            "bin_end": pa.array(ends, pa.int64()).cast(moment),
            "series": pa.array([row[1] for row in rows], pa.string()),
            "flows": counts,
            "denied_flows": pa.array([row[3] for row in rows], pa.int64()),
            "src_bytes": pa.array([flow * 1000 for flow in flows], pa.int64()),
            "dst_bytes": pa.nulls(len(rows), pa.int64()),
            "src_packets": counts,
            "dst_packets": counts,
        }
    )


def random_rows(series: int, bins: int, seed: int) -> list[Row]:
    random = np.random.default_rng(seed)
    flows = random.integers(0, 500, (bins, series))
    denied = random.integers(0, 20, (bins, series))
    kept = random.random((bins, series)) < 0.6
    return [
        (at, None if one == 3 else f"svc-{one:03}", int(flows[at, one]), int(denied[at, one]))
        for at in range(bins)
        for one in range(series)
        if kept[at, one]
    ]


def of_type(layout: bm.LayoutDOM, kind: type) -> list[Any]:
    return sorted(layout.select({"type": kind}), key=lambda model: int(model.id.lstrip("p")))


def legend_labels(layout: bm.LayoutDOM) -> list[str]:
    [legend] = of_type(layout, bm.Legend)
    return [item.label.value for item in legend.items]


def titles(layout: bm.LayoutDOM) -> list[str]:
    return [title.text for title in of_type(layout, bm.Title)]


def series_columns(layout: bm.LayoutDOM) -> dict[str, dict[str, Any]]:
    """Columns by series name, of everything the hover box of the series can name."""
    [hover, *_] = of_type(layout, bm.HoverTool)
    return {renderer.name: renderer.data_source.data for renderer in hover.renderers}


@pytest.mark.parametrize("plot", PLOTS)
def test_an_empty_timeline_has_a_message(plot: Any) -> None:
    layout = plot(timeline([]))
    assert "No flows in this time span" in json.dumps(json_item(layout))
    assert not of_type(layout, bm.RangeTool)


@pytest.mark.parametrize("plot", PLOTS)
def test_flows_without_a_time_are_mentioned_not_drawn(plot: Any) -> None:
    layout = plot(timeline([(0, "O", 5, 1), (None, "O", 1200, 34), (None, None, 0, 2)]))
    assert "Flows without a time, not shown: 1,236" in titles(layout)
    assert [list(columns["flows"]) for columns in series_columns(layout).values()] == [[5.0]]
    only_untimed = plot(timeline([(None, "O", 1, 0)]))
    assert "Flows without a time, not shown: 1" in titles(only_untimed)
    assert not [text for text in titles(plot(timeline([(0, "O", 1, 0)]))) if "no time" in text]


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(("series", "bins"), [(1, 1), (4, 30), (16, 20), (70, 12)])
def test_no_flow_is_lost_or_counted_twice(plot: Any, series: int, bins: int) -> None:
    table = timeline([*random_rows(series, bins, seed=series), (0, "svc-000x", 7, None)])
    columns = series_columns(plot(table)).values()
    assert sum(one["flows"].sum() for one in columns) == pc.sum(table["flows"]).as_py()
    denied = sum(
        int(text.replace(",", ""))
        for one in columns
        for text in one["denied_text"]
        if text[0].isdigit()
    )
    assert denied == pc.sum(table["denied_flows"], min_count=0).as_py()
    labels = legend_labels(plot(table))
    distinct = len(set(table["series"].to_pylist()))
    kept = [label for label in labels if not label.startswith(("other", "denied"))]
    assert len(kept) == min(distinct, 15)


def test_small_series_are_folded_and_the_legend_counts_them() -> None:
    rows: list[Row] = [(0, f"big-{at:02}", 100 + at, 0) for at in range(14)]
    rows += [(0, f"small-{at:02}", 2, 0) for at in range(25)]
    rows += [(0, "scanned", 0, 5000)]
    labels = legend_labels(by_protocol(timeline(rows)))
    assert labels[0] == "big-13 · 113"
    assert labels[-2:] == ["scanned · 0", "other (25) · 50"]
    assert len(labels) == 16


def test_lanes_run_from_the_busiest_and_keep_hidden_things_together() -> None:
    layout = by_protocol(timeline([(0, "dns", 5, 0), (0, "ssl", 50, 2), (1, None, 7, 0)]))
    assert legend_labels(layout) == ["ssl · 50", "unknown · 7", "dns · 5"]
    [legend] = of_type(layout, bm.Legend)
    assert legend.click_policy == "hide"
    cells = series_columns(layout)
    for item in legend.items:
        name = item.label.value.split(" · ")[0]
        with_data = [one for one in item.renderers if one.data_source.data.get("flows") is not None]
        assert {id(one.data_source.data) for one in with_data} == {id(cells[name])}
        assert len(with_data) == 3
    overrides = layout.children[0].yaxis[0].major_label_overrides
    assert [overrides[at].text for at in (2.5, 1.5, 0.5)] == ["ssl", "unknown", "dns"]


def test_bars_in_a_lane_stay_in_it_and_grow_with_the_flows() -> None:
    layout = by_protocol(timeline([(0, "a", 1, 0), (1, "a", 400, 9), (0, "b", 2, 0)]))
    upper, lower = series_columns(layout).values()
    assert 1 < upper["up"][0] < upper["up"][1] < 2
    assert upper["up"][0] - upper["down"][0] >= 0.05
    assert upper["down"][1] > 1
    assert upper["down"][1] < upper["down"][0]
    assert 0 < lower["up"][0] < 1


def test_directions_are_named_and_in_order() -> None:
    rows: list[Row] = [(0, code, at + 1, 0) for at, code in enumerate("UXLOI")]
    layout = by_direction(timeline([*rows, (0, None, 99, 0)]))
    names = ", ".join(label.split(" · ")[0] for label in legend_labels(layout))
    assert names == "I inbound, O outbound, L internal, X external, U unknown, unknown"


def test_stacked_bars_tile_each_slot_with_the_smallest_at_the_bottom() -> None:
    rows = random_rows(series=20, bins=15, seed=5)
    columns = list(series_columns(values(timeline(rows))).values())
    totals: dict[float, float] = {}
    for one in reversed(columns):
        for left, bottom, top, flows in zip(
            one["left"], one["bottom"], one["top"], one["flows"], strict=True
        ):
            assert bottom == totals.get(left, 0.0)
            assert top - bottom == flows
            totals[left] = top
    assert sum(totals.values()) == sum(row[2] for row in rows)
    sums = [one["flows"].sum() for one in columns[:-1]]
    assert sums == sorted(sums, reverse=True)


def test_denied_flows_hang_below_the_axis_only_if_there_are_any() -> None:
    with_denied = values(timeline([(0, "a", 5, 3), (0, "b", 1, 4), (2, "a", 0, 0)]))
    assert legend_labels(with_denied)[-1] == "denied · 7"
    [bar] = [
        renderer
        for tool in of_type(with_denied, bm.HoverTool)[1:]
        for renderer in tool.renderers
        if renderer.glyph.fill_color == DENIED
    ]
    assert list(bar.data_source.data["depth"]) == [-7.0, 0.0]
    without = values(timeline([(0, "a", 5, 0), (1, "b", 1, None)]))
    assert legend_labels(without) == ["a · 5", "b · 1"]
    assert without.children[0].y_range.start == 0


@pytest.mark.parametrize("plot", PLOTS)
def test_a_range_slider_moves_the_figure(plot: Any) -> None:
    layout = plot(timeline([(0, "O", 5, 0), (9, "I", 1, 0)]))
    main, slider = layout.children
    [tool] = of_type(slider, bm.RangeTool)
    assert tool.x_range is main.x_range
    assert slider.x_range is not main.x_range
    assert main.x_range.start < START / 1000
    assert main.x_range.end > (START + 10 * WIDTH) / 1000
    assert layout.sizing_mode == "stretch_width"
    label = main.xaxis[0].axis_label
    assert label == "Time (UTC), 2026-03-02 00:00 \N{EN DASH} 00:50, bins of 5 min"


@pytest.mark.parametrize("width", [1, 1_000, 1_000_000, 86_400_000_000])
@pytest.mark.parametrize("plot", PLOTS)
def test_one_slot_of_any_width_is_drawn(plot: Any, width: int) -> None:
    layout = plot(timeline([(0, "O", 5, 1)], width))
    main = layout.children[0]
    assert main.x_range.end - main.x_range.start == pytest.approx(3 * width / 1000, rel=0.05)


def test_the_hover_box_shows_time_flows_and_bytes_as_text() -> None:
    layout = by_protocol(timeline([(0, "dns", 1_500, 1_234), (1, "dns", 1, None)]))
    [hover] = of_type(layout, bm.HoverTool)
    assert isinstance(hover.tooltips, list)
    template = dict(hover.tooltips)
    assert " ".join(template) == "protocol time flows denied source sent destination sent"
    assert template["protocol"] == "$name"
    assert "UTC" in template["time"]
    assert "safe" not in json.dumps(hover.tooltips)
    columns = series_columns(layout)["dns"]
    assert columns["sent"] == ["1.5 MB", "1 kB"]
    assert columns["received"] == ["\N{EN DASH}"] * 2
    assert columns["denied_text"] == ["1,234", "\N{EN DASH}"]


def test_untrusted_names_are_plain_text_everywhere() -> None:
    layout = by_protocol(timeline([(0, name, 5, 0) for name in HOSTILE]))
    labels = layout.children[0].yaxis[0].major_label_overrides.values()
    assert all(isinstance(label, bm.PlainText) for label in labels)
    assert {label.text for label in labels} == {sanitize(name, 22) for name in HOSTILE}
    assert set(series_columns(layout)) == {sanitize(name) for name in HOSTILE}
    assert "\u202e" not in "".join(legend_labels(layout))
    assert "\n" not in "".join(legend_labels(layout))


def test_nameless_series_are_distinct() -> None:
    layout = values(timeline([(0, None, 3, 0), (0, "", 2, 0), (0, " ", 1, 0)]))
    assert legend_labels(layout) == ["unknown · 3", "(empty) · 2", "(empty) · 1"]


@pytest.mark.parametrize("plot", PLOTS)
def test_the_size_does_not_explode(plot: Any) -> None:
    rows: list[Row] = [
        (at, f"service-{one:02}", 10**6 + at * one, 10**4 + one)
        for at in range(400)
        for one in range(60)
    ]
    assert len(json.dumps(json_item(plot(timeline(rows))))) < 1_000_000


@pytest.mark.parametrize("plot", PLOTS)
def test_the_input_may_be_chunked_and_is_not_changed(plot: Any) -> None:
    rows = random_rows(series=6, bins=10, seed=1)
    whole = timeline(rows)
    pieces = pa.concat_tables([whole.slice(0, 7), whole.slice(7)])
    before = pieces.to_pylist()
    assert legend_labels(plot(pieces)) == legend_labels(plot(whole))
    assert pieces.to_pylist() == before


def test_a_protocol_has_one_colour_in_both_of_its_plots() -> None:
    table = timeline(random_rows(series=18, bins=8, seed=2))
    by_plot = []
    for plot in (by_protocol, values):
        [legend] = of_type(plot(table), bm.Legend)
        by_plot.append(
            {
                item.label.value: item.renderers[-1].glyph.fill_color
                for item in legend.items
                if not item.label.value.startswith("denied")
            }
        )
    assert by_plot[0] == by_plot[1]


@pytest.mark.parametrize("plot", PLOTS)
def test_every_bar_finds_its_columns(plot: Any) -> None:
    layout = plot(timeline(random_rows(series=5, bins=6, seed=3)))
    for renderer in of_type(layout, bm.GlyphRenderer):
        columns = renderer.data_source.data
        assert len({len(column) for column in columns.values()}) == 1
        for edge in ("left", "right", "top", "bottom", "fill_alpha"):
            value = getattr(renderer.glyph, edge)
            assert not isinstance(getattr(value, "field", value), str) or value in columns
