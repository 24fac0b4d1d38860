"""The globe of a story: a Bokeh plot that needs no map server, and a folium map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from bokeh.models import ColumnDataSource, LayoutDOM, Range1d

from flowtriage.enrich.geolocation import countries
from flowtriage.errors import MissingExtraError
from flowtriage.humanize import counted, sanitize, sanitize_array
from flowtriage.threat_investigation.story.globe import LOCATIONS, TYPES, Globe
from flowtriage.viz.colours import COUNTRY_CODE, DIRECTIONS, PANEL, RULE, TWO_WAY
from flowtriage.viz.figures import (
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

_TITLE = "Locations of peers"
_COLOURS = {"inbound": DIRECTIONS["I"], "outbound": DIRECTIONS["O"], "two-way": TWO_WAY}
_MAX_ADDRESSES = 5
_AXES = ("longitude", "latitude")
_FACTS = {"ip": "Address", "location": "Location", "direction": "Direction"}
_MAP_KINDS = pa.array(["both", "inbound", "outbound"])
_DIRECTIONS = pa.array(list(TYPES))


def plot_globe(globe: Globe, ip: str | None = None) -> LayoutDOM:
    """Plot the locations of the peers.

    Parameters
    ----------
    globe
        The globe.
    ip
        The investigated address.

    Returns
    -------
    bokeh.models.LayoutDOM
        One pie per location over the codes of countries: its radius grows with the number of
        peers, its sectors are directions. Longitude (x) and latitude (y) are in degrees.
    """
    located, origin = _split(globe, ip)
    peers = _sectors(located)
    if not len(peers) and not len(origin):
        return message_plot(_TITLE, "No peer has a known location")
    plot = _figure(pa.chunked_array([*peers["latitude"].chunks, *origin["latitude"].chunks]))
    items, sectors = [], []
    for direction, colour in _COLOURS.items():
        of_direction = peers.filter(pc.equal(peers["type"], TYPES[direction]))
        if not len(of_direction):
            continue
        sector = plot.wedge(
            *_AXES,
            radius="radius",
            radius_units="screen",
            start_angle="start",
            end_angle="end",
            fill_color=colour,
            fill_alpha=0.7,
            line_color=None,
            source=ColumnDataSource(of_direction.to_pydict()),
            name=direction,
        )
        sectors.append(sector)
        count = pc.sum(of_direction["peers"], min_count=0).as_py()
        items.append(legend_item(direction, count, [sector]))
    rows = [("peers", "@peers{0,0}"), ("direction", "$name"), ("location", "@location")]
    rows.append(("addresses", "@addresses"))
    add_hover(plot, sectors, rows)
    if len(origin):
        marker = plot.scatter(
            *_AXES,
            source=ColumnDataSource(origin.to_pydict()),
            size=13,
            marker="inverted_triangle",
            fill_color=DIRECTIONS["L"],
            line_color="white",
        )
        items.append(legend_item(sanitize(ip or "", 60), None, [marker]))
    add_legend(plot, items)
    add_notes(plot, ["Grey: country codes (ISO 3166), each at one point of the country."])
    return alone(plot)


def globe_map(globe: Globe, ip: str | None = None) -> FoliumMap:
    """Map the locations of the peers.

    Markers are blue for outbound, purple for inbound, both colours for two-way, and green for the
    investigated address. Peers at the same point are drawn around it.

    Parameters
    ----------
    globe
        The globe.
    ip
        The investigated address.

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
    As in `flowtriage.viz.maps.geo_map.geo_map`, markers are visible offline; the tiles behind
    them come from OpenStreetMap.
    """
    try:
        from flowtriage.viz.maps.layer import MarkerLayer
        from flowtriage.viz.maps.page import draw_map
    except ImportError as error:
        raise MissingExtraError(
            f'maps need msticpy and folium: pip install "flowtriage[notebook]" ({error})'
        ) from error
    peers, origin = _markers(globe, ip)
    layers = (
        MarkerLayer(peers, _FACTS, clustered=True),
        MarkerLayer(origin, {"ip": "Investigated", "location": "Location"}, clustered=False),
    )
    count = len(peers)
    lines = [f"{counted(count, 'peer')} with a known location"]
    markers = pa.concat_tables([peers, origin])
    kinds = {"outbound", "inbound", *markers["kind"].to_pylist()}
    drawn = draw_map(layers, "Key", kinds, lines, {})
    drawn.places = markers.select(list(_FACTS)).rename_columns(list(_FACTS.values()))
    return drawn


def _split(globe: Globe, ip: str | None) -> tuple[pa.Table, pa.Table]:
    """Return the rows of peers, and one or no row of the investigated address."""
    both = pa.concat_tables([globe.sources, globe.destinations])
    own = pc.equal(both["ip"], ip) if ip is not None else pc.equal(both["type"], 0)
    return both.filter(pc.invert(own)), both.filter(own).slice(0, 1)


def _figure(latitudes: pa.ChunkedArray) -> Any:
    """Return an empty map with the codes of countries, which covers the latitudes."""
    limits = pc.min_max(latitudes)
    south, north = limits["min"].as_py(), limits["max"].as_py()
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
    plot.text(
        *_AXES,
        "code",
        source=ColumnDataSource(countries().to_pydict()),
        text_font_size="8px",
        text_align="center",
        text_baseline="middle",
        text_color=COUNTRY_CODE,
    )
    return plot


def _sectors(located: pa.Table) -> pa.Table:
    """Return one row per location and direction: its peers, and the sector to draw."""
    order = [(name, "ascending") for name in (*_AXES, "type")]
    peers = (
        located.group_by(["type", *_AXES, "ip"], use_threads=False)
        .aggregate([("location", "min")])
        .group_by(["type", *_AXES], use_threads=False)
        .aggregate([("ip", "list"), ("ip", "count"), ("location_min", "min")])
        .sort_by(order)
        .combine_chunks()
    )
    count, point = peers["ip_count"].combine_chunks(), _point(peers).combine_chunks()
    counts = pa.table({"point": point, "peers": count}).group_by("point", use_threads=False)
    totals = counts.aggregate([("peers", "sum")])
    at = pc.index_in(point, value_set=totals["point"].combine_chunks())
    total = totals["peers_sum"].combine_chunks()
    before_point = pc.subtract(pc.cumulative_sum(total), total).take(at)
    start = pc.subtract(pc.subtract(pc.cumulative_sum(count), count), before_point)
    total = total.take(at).cast(pa.float64())
    first = pc.binary_join(pc.list_slice(peers["ip_list"], 0, _MAX_ADDRESSES), ", ")
    more = pc.if_else(pc.greater(count, _MAX_ADDRESSES), " …", "")
    columns = {
        **{name: peers[name] for name in ("type", *_AXES)},
        "peers": count,
        "radius": pc.min_element_wise(pc.add(pc.multiply(pc.log2(total), 1.8), 4.5), 24.0),
        "start": pc.multiply(pc.divide(start, total), math.tau),
        "end": pc.multiply(pc.divide(pc.add(start, count), total), math.tau),
        "addresses": sanitize_array(pc.binary_join_element_wise(first, more, "")),
        "location": sanitize_array(peers["location_min_min"]),
    }
    largest_first = [("radius", "descending"), *order]
    return pa.table(columns).sort_by(largest_first)


def _markers(globe: Globe, ip: str | None) -> tuple[pa.Table, pa.Table]:
    """Return the markers of the peers and of the investigated address, each address once.

    Returns
    -------
    tuple of pyarrow.Table
        `ip`, `location` and `direction`, sanitized; `kind` (`both`, `inbound`, `outbound` or
        `host`); `longitude` and `latitude` in degrees, spread where several are the same.
    """
    from flowtriage.viz.maps.positions import spread

    located, origin = _split(globe, ip)
    peers = located.group_by(LOCATIONS.names, use_threads=False).aggregate([])
    order = [("point", "ascending"), ("type", "ascending"), ("ip", "ascending")]
    peers = spread(peers.append_column("point", _point(peers)).sort_by(order), "point")
    at = pc.subtract(peers["type"], 1)
    labels = (pa.repeat(text, len(origin)).cast(pa.string()) for text in ("host", "investigated"))
    return (
        _marker_columns(peers, _MAP_KINDS.take(at), _DIRECTIONS.take(at)),
        _marker_columns(origin, *labels),
    )


def _marker_columns(located: pa.Table, kind: pa.Array, direction: pa.Array) -> pa.Table:
    return pa.table(
        {
            "ip": sanitize_array(located["ip"]),
            "location": sanitize_array(located["location"]),
            "direction": direction,
            "kind": kind,
            **{axis: located[axis] for axis in _AXES},
        }
    )


def _point(located: pa.Table) -> pa.ChunkedArray:
    """Return the coordinates of each row as a string to group by."""
    return pc.binary_join_element_wise(*(located[axis].cast(pa.string()) for axis in _AXES), " ")
