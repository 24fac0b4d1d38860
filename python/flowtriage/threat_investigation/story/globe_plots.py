"""The globe of a story as a Bokeh plot, which needs no map server."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from bokeh.models import ColumnDataSource, LayoutDOM, Range1d

from flowtriage.enrich.geolocation import countries
from flowtriage.errors import MissingExtraError
from flowtriage.humanize import sanitize, sanitize_array
from flowtriage.threat_investigation.story.globe import PLACES, Globe
from flowtriage.viz.colours import DIRECTIONS, TWO_WAY
from flowtriage.viz.figures import (
    PANEL,
    RULE,
    add_hover,
    add_legend,
    add_notes,
    alone,
    legend_item,
    message_plot,
    wide_figure,
)

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap

_TITLE = "Where the peers are"
_LAND = "#A9B2BC"
_KINDS = {
    2: ("inbound", DIRECTIONS["I"]),
    3: ("outbound", DIRECTIONS["O"]),
    1: ("two-way", TWO_WAY),
}
_SHOWN = 5


def plot_globe(globe: Globe, ip: str | None = None) -> LayoutDOM:
    """Draw where the peers of an address are.

    Parameters
    ----------
    globe
        What to draw.
    ip
        The address itself.

    Returns
    -------
    bokeh.models.LayoutDOM
        A circle for each place, the greater the more peers are there, with a sector for each
        direction, over the codes of countries. Longitude runs from left to right, latitude
        upwards, in degrees.
    """
    peers, home = _peers(globe, ip)
    if not len(peers) and not len(home):
        return message_plot(_TITLE, "No peer has a known location")
    both = pc.min_max(pa.chunked_array([*peers["latitude"].chunks, *home["latitude"].chunks]))
    south, north = (both[end].as_py() for end in ("min", "max"))
    plot = wide_figure(
        _TITLE,
        x_range=Range1d(start=-180, end=180),
        y_range=Range1d(start=min(south - 5, -60), end=max(north + 5, 85)),
        height=440,
        tools="pan,box_zoom,wheel_zoom,reset,save",
        min_width=480,
        outline_line_color=RULE,
        background_fill_color=PANEL,
    )
    plot.axis.visible = False
    plot.grid.grid_line_color = RULE
    land = countries()
    plot.text(
        "longitude",
        "latitude",
        "code",
        source=ColumnDataSource(land.to_pydict()),
        text_font_size="8px",
        text_align="center",
        text_baseline="middle",
        text_color=_LAND,
    )
    items, dots = [], []
    for kind, (direction, colour) in _KINDS.items():
        mine = peers.filter(pc.equal(peers["type"], kind))
        if not len(mine):
            continue
        dot = plot.wedge(
            "longitude",
            "latitude",
            radius="radius",
            radius_units="screen",
            start_angle="start",
            end_angle="end",
            fill_color=colour,
            fill_alpha=0.7,
            line_color=None,
            source=ColumnDataSource(mine.to_pydict()),
            name=direction,
        )
        dots.append(dot)
        count = pc.sum(mine["peers"], min_count=0).as_py()
        items.append(legend_item(direction, count, [dot]))
    rows = [("peers", "@peers{0,0}"), ("direction", "$name"), ("location", "@location")]
    rows.append(("addresses", "@addresses"))
    add_hover(plot, dots, rows)
    if len(home):
        own = plot.scatter(
            "longitude",
            "latitude",
            source=ColumnDataSource(home.to_pydict()),
            size=13,
            marker="inverted_triangle",
            fill_color=DIRECTIONS["L"],
            line_color="white",
        )
        items.append(legend_item(sanitize(ip or "", 60), None, [own]))
    add_legend(plot, items)
    add_notes(plot, ["Grey: codes of countries (ISO 3166), at one point of each."])
    return alone(plot)


def _peers(globe: Globe, ip: str | None) -> tuple[pa.Table, pa.Table]:
    """Return how many peers are at each point, by direction, and the place of the address."""
    both = pa.concat_tables([globe.sources, globe.destinations])
    own = pc.equal(both["ip"], ip) if ip is not None else pc.equal(both["type"], 0)
    axes = ["longitude", "latitude"]
    order = [(name, "ascending") for name in (*axes, "type")]
    peers = (
        both.filter(pc.invert(own))
        .group_by(["type", *axes, "ip"], use_threads=False)
        .aggregate([("location", "min")])
        .group_by(["type", *axes], use_threads=False)
        .aggregate([("ip", "list"), ("ip", "count"), ("location_min", "min")])
        .sort_by(order)
        .combine_chunks()
    )
    count, key = peers["ip_count"].combine_chunks(), _key(peers)
    points = pa.table({"key": key, "peers": count}).group_by("key", use_threads=False)
    total = points.aggregate([("peers", "sum")])
    at = pc.index_in(key, value_set=total["key"].combine_chunks())
    here = total["peers_sum"].combine_chunks()
    earlier = pc.subtract(pc.cumulative_sum(here), here).take(at)
    start = pc.subtract(pc.subtract(pc.cumulative_sum(count), count), earlier)
    here = here.take(at).cast(pa.float64())
    first = pc.binary_join(pc.list_slice(peers["ip_list"], 0, _SHOWN), ", ")
    more = pc.if_else(pc.greater(count, _SHOWN), " …", "")
    columns = {
        **{name: peers[name] for name in ("type", *axes)},
        "peers": count,
        "radius": pc.min_element_wise(pc.add(pc.multiply(pc.log2(here), 1.8), 4.5), 24.0),
        "start": pc.multiply(pc.divide(start, here), math.tau),
        "end": pc.multiply(pc.divide(pc.add(start, count), here), math.tau),
        "addresses": sanitize_array(pc.binary_join_element_wise(first, more, "")),
        "location": sanitize_array(peers["location_min_min"]),
    }
    greatest = [("radius", "descending"), *order]
    return pa.table(columns).sort_by(greatest), both.filter(own).slice(0, 1)


def _key(peers: pa.Table) -> pa.Array:
    texts = (peers[axis].combine_chunks().cast(pa.string()) for axis in ("longitude", "latitude"))
    return pc.binary_join_element_wise(*texts, " ")


_FACTS = {"ip": "Address", "location": "Location", "direction": "Direction"}
_MAP_KINDS = pa.array(["both", "inbound", "outbound"])
_DIRECTIONS = pa.array(["two-way", "inbound", "outbound"])


def globe_map(globe: Globe, ip: str | None = None) -> FoliumMap:
    """Map where the peers of an address are.

    Blue marks outbound, purple inbound, both colours two-way, green the address itself. Peers at
    the same point are drawn around it.

    Parameters
    ----------
    globe
        What to draw.
    ip
        The address itself.

    Returns
    -------
    msticpy.vis.foliummap.FoliumMap
        Its `places` are the facts of each marker as a table.

    Raises
    ------
    MissingExtraError
        If msticpy or folium is not installed.

    Notes
    -----
    As `flowtriage.viz.maps.geo_map.geo_map`: markers show without a network, the tiles
    behind them come from OpenStreetMap.
    """
    try:
        from flowtriage.viz.maps.layer import MarkerLayer
        from flowtriage.viz.maps.page import draw_map
    except ImportError as error:
        raise MissingExtraError(
            f'maps need msticpy and folium: pip install "flowtriage[notebook]" ({error})'
        ) from error
    places = drawn_places(globe, ip)
    own = pc.equal(places["kind"], "host")
    peers, home = places.filter(pc.invert(own)), places.filter(own)
    layers = (
        MarkerLayer(peers, _FACTS, clustered=True),
        MarkerLayer(home, {"ip": "Investigated", "location": "Location"}, clustered=False),
    )
    count = len(peers)
    lines = [f"{count:,} peer{'' if count == 1 else 's'} with a known location"]
    kinds = {"outbound", "inbound", *places["kind"].to_pylist()}
    drawn = draw_map(layers, "Key", kinds, lines, {})
    drawn.places = places.select(list(_FACTS)).rename_columns(list(_FACTS.values()))
    return drawn


def drawn_places(globe: Globe, ip: str | None) -> pa.Table:
    """Return each place once, the address itself last.

    Returns
    -------
    pyarrow.Table
        `ip` and `location`, safe to look at; `direction`; `kind` (`both`, `inbound`, `outbound`,
        or `host` for the address itself); `longitude` and `latitude` in degrees, moved apart
        where they are the same.
    """
    from flowtriage.viz.maps.positions import spread

    both = pa.concat_tables([globe.sources, globe.destinations])
    own = pc.equal(both["ip"], ip) if ip is not None else pc.equal(both["type"], 0)
    home = both.filter(own).slice(0, 1)
    peers = both.filter(pc.invert(own)).group_by(PLACES.names, use_threads=False).aggregate([])
    point = pc.binary_join_element_wise(
        *(peers[axis].cast(pa.string()) for axis in ("latitude", "longitude")), " "
    )
    order = [("point", "ascending"), ("type", "ascending"), ("ip", "ascending")]
    peers = spread(peers.append_column("point", point).sort_by(order), "point")
    at = pc.subtract(peers["type"], 1)
    return pa.concat_tables(
        [
            _told(peers, _MAP_KINDS.take(at), _DIRECTIONS.take(at)),
            _told(
                home,
                *(pa.array([text] * len(home), pa.string()) for text in ("host", "investigated")),
            ),
        ]
    )


def _told(places: pa.Table, kind: pa.Array, direction: pa.Array) -> pa.Table:
    return pa.table(
        {
            "ip": sanitize_array(places["ip"]),
            "location": sanitize_array(places["location"]),
            "direction": direction,
            "kind": kind,
            "longitude": places["longitude"],
            "latitude": places["latitude"],
        }
    )
