"""The globe of a story, drawn: on a map, and in a plot that needs no map server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import MissingExtraError
from flowtriage.network_flow_summary.geomap_peers import legible
from flowtriage.threat_investigation.globe import PLACES, Globe

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap

_FACTS = {"ip": "Address", "location": "Location", "direction": "Direction"}
_KINDS = pa.array(["both", "inbound", "outbound"])
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
    As `flowtriage.network_flow_summary.geomap.geo_map`: markers show without a network, the tiles
    behind them come from OpenStreetMap.
    """
    try:
        from flowtriage.network_flow_summary.geomap_layer import PlaceLayer
        from flowtriage.network_flow_summary.geomap_page import draw_map
    except ImportError as error:
        raise MissingExtraError(
            f'maps need msticpy and folium: pip install "flowtriage[notebook]" ({error})'
        ) from error
    places = drawn_places(globe, ip)
    own = pc.equal(places["kind"], "host")
    peers, home = places.filter(pc.invert(own)), places.filter(own)
    layers = (
        PlaceLayer(peers, _FACTS, clustered=True),
        PlaceLayer(home, {"ip": "Investigated", "location": "Location"}, clustered=False),
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
    from flowtriage.network_flow_summary.geomap_places import spread

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
            _told(peers, _KINDS.take(at), _DIRECTIONS.take(at)),
            _told(
                home,
                *(pa.array([text] * len(home), pa.string()) for text in ("host", "investigated")),
            ),
        ]
    )


def _told(places: pa.Table, kind: pa.Array, direction: pa.Array) -> pa.Table:
    return pa.table(
        {
            "ip": legible(places["ip"]),
            "location": legible(places["location"]),
            "direction": direction,
            "kind": kind,
            "longitude": places["longitude"],
            "latitude": places["latitude"],
        }
    )
