"""Plots of stored results: values, limits and untrusted text."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("bokeh")
pytest.importorskip("duckdb")

from bokeh.embed import json_item
from bokeh.models import GlyphRenderer, Title

import flowtriage as ft
from flowtriage.oa import plots, queries
from flowtriage.render.plots import plot_frame
from flowtriage.viz.chords import MAX_ARCS
from flowtriage.viz.graph import MAX_NODES, graph_of
from flowtriage.viz.per_minute import MAX_BARS

pytestmark = pytest.mark.extra
DAY = dt.date(2013, 9, 15)
HOSTILE = '"><img src=x onerror="parent.ran = 1"></script><script>parent.ran = 1</script>\u202e'
PIXEL = """([x, y]) => {
  const view = Object.values(Bokeh.index)[0].child_views[0];
  const place = view.canvas_view.el.getBoundingClientRect();
  return [place.x + view.frame.x_scale.compute(x), place.y + view.frame.y_scale.compute(y)];
}"""
Ends = list[tuple[str, str]]


@pytest.fixture
def store(tmp_path: Path) -> ft.FlowStore:
    return ft.FlowStore(f"duckdb:///{tmp_path}/flows.duckdb")


def star(size: int) -> Ends:
    """One address that is connected to all others."""
    return [("10.0.0.1", f"192.0.{n // 250}.{n % 250}") for n in range(size - 1)]


def pairs(size: int) -> Ends:
    """Addresses two by two."""
    return [(f"10.0.{n // 250}.{n % 250}", f"2001:db8::{n:x}") for n in range(size // 2)]


def fill(store: ft.FlowStore, ends: Ends, **values: Any) -> pa.Table:
    """Store connections, in order of rank, and as many bytes between their ends as 1,000 times."""
    rows = [
        {
            "tstart": f"{DAY} 10:00:00",
            "srcip": source,
            "dstip": dest,
            "sport": rank,
            "rank": rank,
            "score": rank / 1e6,
            "srcip_internal": source.startswith("10."),
            "destip_internal": dest.startswith("10."),
            **values,
        }
        for rank, (source, dest) in enumerate(ends)
    ]
    sums = [
        {"ip_threat": source, "srcip": source, "dstip": dest, "ibyt": 1000 * (n + 1), "ipkt": n}
        for n, (source, dest) in enumerate(dict.fromkeys(ends))
    ]
    with store.transaction() as transaction:
        transaction.append("flow_scores", DAY, pa.Table.from_pylist(rows))
        transaction.append("flow_chords", DAY, pa.Table.from_pylist(sums))
    return store.read("flow_scores", day=DAY, order=["rank"])


def minutes(store: ft.FlowStore, day: dt.date, counts: dict[str, int]) -> None:
    table = pa.table({"tdate": [f"{day} {m}" for m in counts], "total": list(counts.values())})
    with store.transaction() as transaction:
        transaction.append("flow_ingest_summary", day, table)


def columns(plot: Any, name: str) -> list[dict[str, Any]]:
    """Columns of the renderers that have one of that name."""
    sources = [renderer.data_source.data for renderer in plot.select({"type": GlyphRenderer})]
    return [data for data in sources if name in data]


def written(plot: Any) -> str:
    """All text in titles and under the plot."""
    return "\n".join(str(title.text) for title in plot.select({"type": Title}))


def test_every_minute_has_its_bar(store: ft.FlowStore) -> None:
    minutes(store, DAY, {"10:00": 5, "10:01": 7, "23:59": 1})
    plot = plots.ingest_per_minute(store, DAY)
    [bars] = columns(plot, "flows")
    assert bars["flows"].tolist() == [5, 7, 1]
    at = dt.datetime(2013, 9, 15, 10, 1, tzinfo=dt.UTC).timestamp() * 1000
    assert (bars["left"][1], bars["right"][1]) == (at, at + 60_000)
    assert "Flows per minute" in written(plot)
    assert "Minutes with flows on 2013-09-15 (UTC): 3." in written(plot)


def test_bars_of_many_days_cover_several_minutes_and_state_it(store: ft.FlowStore) -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(10)]
    whole = {f"{hour:02}:{minute:02}": 1 for hour in range(24) for minute in range(60)}
    for day in days:
        minutes(store, day, whole)
    plot = plots.ingest_per_minute(store, days[0], days[-1])
    [bars] = columns(plot, "flows")
    assert len(bars["flows"]) == 14_400 / 10 <= MAX_BARS
    assert set(bars["flows"]) == {10}
    assert "Flows per 10 minutes" in written(plot)
    assert "minutes per bar: 10." in written(plot)


def test_a_day_without_anything_says_so(store: ft.FlowStore) -> None:
    for draw in (plots.ingest_per_minute, plots.chord_diagram, plots.suspicious_network):
        plot = draw(store, DAY)
        [[text]] = [data["text"] for data in columns(plot, "text")]
        assert text.startswith("No ")


def test_a_node_for_each_address_and_a_line_for_each_pair(store: ft.FlowStore) -> None:
    ends = [("10.0.0.1", "192.0.2.1"), ("192.0.2.1", "10.0.0.1"), ("10.0.0.1", "192.0.2.1")]
    ends += [("10.0.0.2", "192.0.2.1"), ("10.0.0.3", "10.0.0.3")]
    rows = fill(store, ends, dst_rep="list:High:3:x", dst_geoloc="NL")
    graph = graph_of(rows)
    names = graph.nodes["name"].to_pylist()
    assert sorted(names) == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1"]
    assert dict(zip(names, graph.nodes["connections"].to_pylist(), strict=True)) == {
        "10.0.0.1": 3,
        "192.0.2.1": 4,
        "10.0.0.2": 1,
        "10.0.0.3": 2,
    }
    found = {
        (names[edge["source"]], names[edge["dest"]]): (edge["connections"], edge["rank"])
        for edge in graph.edges.to_pylist()
    }
    assert found == {
        ("10.0.0.1", "192.0.2.1"): (2, 0),
        ("192.0.2.1", "10.0.0.1"): (1, 1),
        ("10.0.0.2", "192.0.2.1"): (1, 3),
        ("10.0.0.3", "10.0.0.3"): (1, 4),
    }
    kinds = {
        name: kind
        for data in columns(plots.suspicious_network(store, DAY), "kind")
        for name, kind in zip(data["name"], data["kind"], strict=True)
    }
    assert kinds["10.0.0.2"] == "internal"
    assert kinds["192.0.2.1"] == "known as bad"


def test_a_scored_connection_leaves_the_graph(store: ft.FlowStore) -> None:
    fill(store, star(4))
    queries.score_connection(store, DAY, 3, dstip="192.0.0.1")
    [lines] = columns(plots.suspicious_network(store, DAY), "from")
    assert lines["to"] == ["192.0.0.0", "192.0.0.2"]
    [one] = columns(plots.suspicious_network(store, DAY, ip="192.0.0.2"), "from")
    assert one["to"] == ["192.0.0.2"]


@pytest.mark.parametrize("shape", [star, pairs])
@pytest.mark.parametrize("size", [1, 20, 2000])
def test_a_graph_of_any_size_can_be_read(store: ft.FlowStore, shape: Any, size: int) -> None:
    ends = shape(size) or [("10.0.0.1", "10.0.0.1")]
    fill(store, ends)
    plot = plots.suspicious_network(store, DAY, limit=5000)
    nodes = columns(plot, "kind")
    drawn = sum(len(data["name"]) for data in nodes)
    assert drawn <= MAX_NODES
    assert len(json.dumps(json_item(plot))) < 300_000
    [lines] = columns(plot, "from")
    shown = int(sum(lines["connections"]))
    if size <= 20:
        assert (drawn, shown) == (size, len(ends))
    elif shape is star:
        assert shown == len(ends)
        assert "1,935 with a single neighbour" in written(plot)
        assert "1,935 more" in lines["to"]
    else:
        assert shown == MAX_NODES / 2
        assert "Connections shown: 60 of 1,000, by rank" in written(plot)
    for data in nodes:
        assert np.isfinite(data["x"]).all()


def test_ribbons_show_bytes_sent(store: ft.FlowStore) -> None:
    sums = [("a", "b", 100), ("b", "a", 400), ("a", "c", 900)]
    rows = [
        {"ip_threat": threat, "srcip": source, "dstip": dest, "ibyt": sent, "ipkt": 1}
        for threat in ("a", "b")
        for source, dest, sent in sums
    ]
    with store.transaction() as transaction:
        transaction.append("flow_chords", DAY, pa.Table.from_pylist(rows))
    plot = plots.chord_diagram(store, DAY)
    [ribbons] = columns(plot, "one")
    shown = list(
        zip(*(ribbons[n] for n in ("one", "other", "bytes_sent", "bytes_got")), strict=True)
    )
    assert shown == [("a", "c", "900 B", "0 B"), ("b", "a", "400 B", "100 B")]
    [arcs] = columns(plot, "peers")
    assert sorted(zip(arcs["name"], arcs["sent"], arcs["got"], strict=True)) == [
        ("a", "1 kB", "400 B"),
        ("b", "400 B", "100 B"),
        ("c", "0 B", "900 B"),
    ]


@pytest.mark.parametrize("known", ["ibyt", "ipkt", None])
def test_packets_stand_in_for_bytes(store: ft.FlowStore, known: str | None) -> None:
    rows = [{"ip_threat": "a", "srcip": "a", "dstip": dest} for dest in "bc"]
    with store.transaction() as transaction:
        transaction.append(
            "flow_chords",
            DAY,
            pa.Table.from_pylist([row | {known: 5} for row in rows if known] or rows),
        )
    what = {"ibyt": "bytes", "ipkt": "packets", None: "connections"}[known]
    plot = plots.chord_diagram(store, DAY)
    assert f"square root of {what} sent" in written(plot)
    assert len(columns(plot, "one")[0]["one"]) == 2


def test_many_addresses_share_an_arc(store: ft.FlowStore) -> None:
    fill(store, star(2000))
    plot = plots.chord_diagram(store, DAY)
    [arcs] = columns(plot, "peers")
    assert len(arcs["name"]) == MAX_ARCS + 1
    assert arcs["name"][0] == "10.0.0.1"
    assert arcs["name"][-1] == "1,976 others"
    assert "2,000 addresses exceed the limit of arcs" in written(plot)
    asked = plots.chord_diagram(store, DAY, ip="10.0.0.1")
    assert columns(asked, "peers")[0]["name"][0] == "10.0.0.1"


@pytest.mark.browser
def test_hostile_text_is_shown_as_text(store: ft.FlowStore, browser: Any) -> None:
    ends = [(HOSTILE, "192.0.2.1"), (HOSTILE, "$$x^2$$"), (HOSTILE, "@{name}")]
    fill(store, ends, **dict.fromkeys(("src_geoloc", "src_context", "src_rep"), HOSTILE))
    minutes(store, DAY, {"10:00": 5})
    drawn = {
        "network": plots.suspicious_network(store, DAY),
        "chords": plots.chord_diagram(store, DAY, ip=HOSTILE),
        "ingest": plots.ingest_per_minute(store, DAY),
    }
    html = plot_frame(drawn)
    page = browser.new_page(viewport={"width": 1100, "height": 1500})
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.set_content(html)
    frame = page.frame_locator("iframe")
    for number in (1, 2, 3):
        frame.locator(f"#plot-{number} canvas").first.wait_for(timeout=20_000)
    at = next(
        (data["x"][n], data["y"][n])
        for data in columns(drawn["network"], "kind")
        for n, name in enumerate(data["name"])
        if name.startswith('"><img')
    )
    inner = page.frames[1]
    x, y = inner.evaluate(PIXEL, [float(value) for value in at])
    outer = page.locator("iframe").bounding_box()
    page.mouse.move(outer["x"] + x - 2, outer["y"] + y)
    page.mouse.move(outer["x"] + x, outer["y"] + y)
    told = frame.get_by_text('"><img src=x onerror="parent.ran = 1"></script>').first
    told.wait_for(timeout=5_000)
    assert "\\u202e" in told.inner_text()
    assert page.evaluate("window.ran") is None
    assert trouble == []
    page.close()
