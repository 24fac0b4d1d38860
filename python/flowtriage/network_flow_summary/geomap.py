"""The map of all addresses that a host communicated with."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.asn import AsnDatabase
from flowtriage.errors import MissingExtraError
from flowtriage.network_flow_summary.colours import DIRECTIONS, UNKNOWN
from flowtriage.network_flow_summary.geomap_peers import index_peers

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap

_HERE = Path(__file__).parent
_COLOURS = {
    "outbound": DIRECTIONS["O"],
    "both": DIRECTIONS["O"],
    "inbound": DIRECTIONS["I"],
    "other": UNKNOWN,
    "host": DIRECTIONS["L"],
}
_KEY = {
    "outbound": "Outbound",
    "inbound": "Inbound",
    "both": "Both ways",
    "other": "Other direction",
    "host": "Host",
}
_PEER_FACTS = {
    "address": "Address",
    "country": "Country",
    "count": "Flows",
    "network": "Network",
    "direction": "Direction",
    "protocols": "Protocols",
    "from_host": "Bytes from host",
    "to_host": "Bytes to host",
    "first_seen": "First seen, UTC",
    "last_seen": "Last seen, UTC",
}
_HOST_FACTS = {"address": "Host", "country": "Country", "network": "Network"}
_HOSTS_NAMED = 3


def geo_map(index: pa.Table, *, host_addresses: Sequence[str], asn: AsnDatabase) -> FoliumMap:
    """Map the locations of all addresses that communicated with a host.

    Blue marks outbound, purple inbound, green the host. A peer with both is half blue and half
    purple; among the colours around a cluster it counts as outbound, because what the host
    turned to by itself must not vanish behind what knocked at its door. Hovering tells address,
    country and number of flows, a click tells all.

    Locations are those of countries. The addresses of one country are spread around one point
    in it, and a note on the map says so, along with the number of addresses which have no
    location. A host with a private address has none either: it is named in the note, rather than
    drawn at a place where it is not.

    Parameters
    ----------
    index
        Result of `flowtriage.flow_index`.
    host_addresses
        Addresses of the host: the map shows the other ends of its flows. If there are none, it
        shows the destinations of outbound flows and the sources of inbound ones.
    asn
        Database of countries and autonomous systems.

    Returns
    -------
    msticpy.vis.foliummap.FoliumMap
        Its `folium_map` has the layers, its `locations` the place of each marker, and its
        `places` the facts of each peer as a table, the busiest first.

    Raises
    ------
    InputError
        If a host address is not an address.
    MissingExtraError
        If msticpy or folium is not installed.

    Notes
    -----
    The page loads Leaflet from content delivery networks, as folium has it: without the internet
    no map shows. Where only the tiles of OpenStreetMap are out of reach, everything but the
    background does.
    """
    try:
        from msticpy.vis.foliummap import FoliumMap

        from flowtriage.network_flow_summary.geomap_layer import FinishedHtml, PlaceLayer
        from flowtriage.network_flow_summary.geomap_places import locate
    except ImportError as error:
        raise MissingExtraError(
            f'maps need msticpy and folium: pip install "flowtriage[notebook]" ({error})'
        ) from error
    hosts = pc.unique(asn.lookup(host_addresses)["address"].drop_null())
    peers, left_out = index_peers(index, hosts)
    drawn_peers = locate(peers, asn)
    kind, flows = pa.repeat("host", len(hosts)), pa.repeat(0, len(hosts))
    drawn_hosts = locate(pa.table({"address": hosts, "kind": kind, "flows": flows}), asn)
    placeless = hosts.filter(pc.invert(pc.is_in(hosts, value_set=drawn_hosts["address"])))

    result = FoliumMap(location=[20, 0], zoom_start=2)
    drawing = result.folium_map
    drawing.control_scale = False  # kilometres mean nothing at country level
    layers = (
        PlaceLayer(drawn_peers, _PEER_FACTS, clustered=True),
        PlaceLayer(drawn_hosts, _HOST_FACTS, clustered=False),
    )
    for layer in layers:
        layer.add_to(drawing)
        result.locations.extend(layer.points)
    busiest = [("flows", "descending"), ("address", "ascending")]
    result.places = drawn_peers.sort_by(busiest).select(list(_PEER_FACTS))
    result.places = result.places.rename_columns(list(_PEER_FACTS.values()))
    if result.locations:
        axes = list(zip(*result.locations, strict=True))
        corners = [[end(axis) for axis in axes] for end in (min, max)]
        drawing.fit_bounds(corners, padding=(40, 40), max_zoom=5)
    note = _note(drawn_peers, len(peers), placeless.to_pylist(), left_out, credits=asn.credits)
    page = drawing.get_root()
    page.header.add_child(FinishedHtml(_style_and_script()))
    page.html.add_child(FinishedHtml(note))
    return result


def _style_and_script() -> str:
    colours = "".join(f"--ft-{kind}:{colour};" for kind, colour in _COLOURS.items())
    style, script = (
        (_HERE / name).read_text(encoding="utf-8") for name in ("geomap.css", "geomap.js")
    )
    return f"<style>:root{{{colours}}}\n{style}</style>\n<script>\n{script}</script>"


def _note(
    places: pa.Table, peers: int, placeless: list[str], left_out: int, *, credits: dict[str, str]
) -> str:
    """Say what the colours mean, how exact the places are, and what is not on the map."""
    always = {"outbound", "inbound", "host"}
    present = always.union(places["kind"].to_pylist())
    key = "".join(
        f'<li><span class="ft-swatch ft-{kind}"></span>{label}</li>'
        for kind, label in _KEY.items()
        if kind in present
    )
    countries = pc.count_distinct(places["country"]).as_py()
    shown = _number(len(places), "address", "addresses")
    where = _number(countries, "country", "countries")
    absent = peers - len(places)
    lines = [f"{shown} in {where}" + (f"; {absent:,} without a location" if absent else "")]
    if placeless:
        more = len(placeless) - _HOSTS_NAMED
        named = ", ".join(placeless[:_HOSTS_NAMED]) + (f" and {more} more" if more > 0 else "")
        lines.append(f"Host without a location: {named}")
    if left_out:
        missed = _number(left_out, "flow", "flows")
        lines.append(f"{missed} left out: neither end is a known address of the host")
    source = "the embedded database" if credits else "the database given"
    lines.append(f"Locations are country level, from {source}; spread around one point per country")
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    owners = ", ".join(
        f'<a href="{link}" target="_blank" rel="noopener">{owner}</a>'
        for owner, link in credits.items()
    )
    return (
        f'<details class="ft-note" open><summary>Key: country level</summary><ul>{key}</ul>{text}'
        f"<p><small>{owners}</small></p></details>"
    )


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
