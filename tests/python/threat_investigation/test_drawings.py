"""Plots and map of a story, read from their data."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import pytest

pytest.importorskip("bokeh")

from bokeh.embed import json_item

from connection_sets import SCHEMA, connection_sets, peer
from flowtriage.threat_investigation.story.globe import Globe, Location
from flowtriage.threat_investigation.story.globe_plots import plot_globe
from flowtriage.threat_investigation.story.tree_plots import plot_dendrogram, plot_stats
from flowtriage.threat_investigation.story.trees import Dendrogram, Stats

IP = "10.0.0.5"
DIRECTIONS = ("inbound", "outbound", "two-way")


def drawn(plot: Any, kind: str) -> list[dict[str, list[Any]]]:
    (figure,) = plot.children
    return [dict(r.data_source.data) for r in figure.renderers if type(r.glyph).__name__ == kind]


def texts(plot: Any) -> list[str]:
    return [text for columns in drawn(plot, "Text") for text in columns.get("text", [])]


def many(count: int) -> Any:
    """Peers at 50 locations, in 40 contexts of different sizes."""
    return connection_sets(
        *(
            peer(
                f"8.{at // 65_536}.{at // 256 % 256}.{at % 256}",
                DIRECTIONS[at % 3],
                context=f"context {int((at * 40) ** 0.5) % 40}",
                latitude=float(at % 50),
                longitude=float(at % 50),
            )
            for at in range(count)
        )
    )


def test_the_bars_add_up_to_the_peers() -> None:
    stats = Stats.of(many(2_000), IP)
    plot = plot_stats(stats)
    bars = drawn(plot, "Quad")
    assert [set(bar["direction"]) for bar in bars] == [
        {"Inbound Only"},
        {"Outbound Only"},
        {"two way"},
    ]
    assert [sum(bar["peers"]) for bar in bars] == [branch.peers for branch in stats.branches]
    for bar in bars:
        widths = [end - start for start, end in zip(bar["left"], bar["right"], strict=True)]
        assert widths == bar["peers"]
    assert all(before["right"] == bar["left"] for before, bar in pairwise(bars))
    totals = [sum(peers) for peers in zip(*(bar["peers"] for bar in bars), strict=True)]
    assert texts(plot) == [f"{total:,}" for total in totals]
    assert totals[:-1] == sorted(totals[:-1], reverse=True)
    assert len(totals) == 16 and bars[0]["context"][-1] == "25 other contexts"


def test_tree_has_each_direction_and_its_top_contexts() -> None:
    dendrogram = Dendrogram.of(many(2_000), IP)
    plot = plot_dendrogram(dendrogram)
    (nodes,) = drawn(plot, "Scatter")
    levels = [
        [peers for x, peers in zip(nodes["x"], nodes["peers"], strict=True) if x == level]
        for level in (0, 1, 2)
    ]
    assert levels[0] == [2_000]
    assert levels[1] == [branch.peers for branch in dendrogram.branches]
    assert sum(levels[2]) == 2_000 and len(levels[2]) == 3 * 16
    assert "2,000 peers" in texts(plot)
    assert sum(len(links["x0"]) for links in drawn(plot, "Bezier")) == 3 + 3 * 16


def test_a_tree_that_spot_wrote_has_numbers_too() -> None:
    two_way = {"name": "two way", "impact": 0, "children": [{"name": "a", "impact": 4}]}
    odd = {"name": "odd", "impact": 0, "children": []}
    written = json.dumps({"name": "x", "time": "", "children": [two_way, odd]})
    shown = texts(plot_dendrogram(Dendrogram.from_json(written)))
    assert shown == ["4 peers", "two way · 4", "odd · 0", "a · 4"]


def test_sectors_of_the_globe_add_up_to_the_peers() -> None:
    sectors = drawn(plot_globe(Globe.of(many(2_000))), "Wedge")
    assert sum(sum(part["peers"]) for part in sectors) == 2_000
    assert sum(len(part["peers"]) for part in sectors) == 150
    assert all(part["addresses"][0].count(",") == 4 for part in sectors)


def test_sectors_of_a_location_make_a_circle() -> None:
    counts = {"inbound": 3, "outbound": 2, "two-way": 1}
    elsewhere = peer("9.9.9.9", "two-way", latitude=40.0, longitude=8.0)
    rows = [
        peer(f"8.8.{number}.{at}", direction, latitude=47.0, longitude=8.0)
        for number, (direction, count) in enumerate(counts.items())
        for at in range(count)
    ]
    sectors = drawn(plot_globe(Globe.of(connection_sets(*rows, elsewhere))), "Wedge")
    spans = {
        (latitude, peers): (round(start / math.tau * 6), round(end / math.tau * 6))
        for part in sectors
        for latitude, peers, start, end in zip(
            *(part[name] for name in ("latitude", "peers", "start", "end")), strict=True
        )
    }
    assert spans == {(47.0, 1): (0, 1), (47.0, 3): (1, 4), (47.0, 2): (4, 6), (40.0, 1): (0, 6)}


def test_the_address_itself_is_no_peer_on_the_globe() -> None:
    globe = Globe.of(many(3), Location(IP, 8.0, 47.0))
    plot = plot_globe(globe, IP)
    assert [part["peers"] for part in drawn(plot, "Wedge")] == [[1], [1], [1]]
    (origin,) = drawn(plot, "Scatter")
    assert origin["longitude"] == [8.0]


@pytest.mark.parametrize("origin", [None, Location(IP, 8.0, -89.0)])
def test_plots_without_peers_have_a_message(origin: Location | None) -> None:
    empty = SCHEMA.empty_table()
    assert texts(plot_stats(Stats.of(empty, IP))) == ["No peers"]
    assert texts(plot_dendrogram(Dendrogram.of(empty, IP))) == ["No peers"]
    assert texts(plot_globe(Globe.of(empty, origin))) == ["No peer has a known location"]


def test_size_of_plots_is_independent_of_the_number_of_peers() -> None:
    def size(count: int) -> int:
        sets = many(count)
        plots = (
            plot_stats(Stats.of(sets, IP)),
            plot_dendrogram(Dendrogram.of(sets, IP)),
            plot_globe(Globe.of(sets)),
        )
        return sum(len(json.dumps(json_item(plot))) for plot in plots)

    assert size(60_000) < 1.1 * size(3_000)


@pytest.mark.extra
def test_each_address_is_on_the_map_once() -> None:
    pytest.importorskip("msticpy")
    from flowtriage.threat_investigation.story.globe_plots import globe_map

    globe = Globe.of(many(120), Location(IP, 8.0, 47.0, "Home"))
    found = globe_map(globe, IP).places
    assert found.column_names == ["Address", "Location", "Direction"]
    assert len(found) == 121 and len(set(found["Address"].to_pylist())) == 121
    assert found.slice(120).to_pylist() == [
        {"Address": IP, "Location": "Home", "Direction": "investigated"}
    ]
    points = globe_map(globe, IP).locations
    assert len(set(points)) == 121


@pytest.mark.extra
def test_a_map_of_no_peers_is_empty() -> None:
    pytest.importorskip("msticpy")
    from flowtriage.threat_investigation.story.globe_plots import globe_map

    found = globe_map(Globe.of(SCHEMA.empty_table()))
    assert len(found.places) == 0
    assert "0 peers with a known location" in found.folium_map.get_root().render()
