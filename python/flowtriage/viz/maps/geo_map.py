"""The map of the addresses that a host communicated with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.peers import index_peers
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.enrich.exact_locations import Locations, find_locations
from flowtriage.errors import MissingExtraError
from flowtriage.humanize import counted
from flowtriage.viz.maps.threats import mark_threats

if TYPE_CHECKING:
    from msticpy.vis.foliummap import FoliumMap

_PEER_FACTS = {
    "address": "Address",
    "country": "Country",
    "count": "Flows",
    "severity": "Threat",
    "threat": "Known as",
    "city": "City",
    "network": "Network",
    "direction": "Direction",
    "protocols": "Protocols",
    "from_host": "Bytes from host",
    "to_host": "Bytes to host",
    "first_seen": "First seen, UTC",
    "last_seen": "Last seen, UTC",
    "exactness": "Location",
}
_HOST_FACTS = {
    "address": "Host",
    "country": "Country",
    "city": "City",
    "network": "Network",
    "exactness": "Location",
}
_MAX_HOSTS = 3


def geo_map(
    index: pa.Table,
    *,
    host_addresses: Sequence[str],
    asn: AsnDatabase,
    geoip: Mapping[str, Any] | None = None,
    only: pa.Array | None = None,
    threats: pa.Table | None = None,
) -> FoliumMap:
    """Map the locations of the addresses that communicated with a host.

    Blue marks outbound, purple inbound, green the host, red a threat. A peer with both directions
    is half blue and half purple; in the ring of a cluster it counts as outbound, because what the
    host initiated matters more. Hovering shows address, country and number of flows, a click
    shows all facts.

    An address of which only the country is known is drawn near one point of that country; a note
    on the map has the number of such addresses, and of those without a location. The note also
    lists hosts without a location, such as those with a private address.

    Parameters
    ----------
    index
        Result of `flowtriage.flow_index`.
    host_addresses
        Addresses of the host: the map shows its peers. Without any, it shows the destinations of
        outbound flows and the sources of inbound ones.
    asn
        Database of countries and autonomous systems. City files in a user's own database give
        exact locations.
    geoip
        Providers of exact locations, with msticpy's `lookup_ip`, by name; they take precedence.
    only
        Addresses to show; None shows all.
    threats
        Result of `threats.threat_table`: addresses to mark red. None if there was no lookup.

    Returns
    -------
    msticpy.vis.foliummap.FoliumMap
        `folium_map` has the layers, `locations` the coordinates of each marker, and `places` a
        table of the facts of each peer, the busiest first.

    Raises
    ------
    InputError
        If a host address is invalid.
    DatabaseError
        If a city file is damaged.
    MissingExtraError
        If msticpy or folium is not installed.

    Notes
    -----
    The page includes Leaflet: markers and text need no network. The tiles behind them come from
    OpenStreetMap.
    """
    try:
        from flowtriage.viz.maps.layer import MarkerLayer
        from flowtriage.viz.maps.page import draw_map
        from flowtriage.viz.maps.positions import locate
    except ImportError as error:
        raise MissingExtraError(
            f'maps need msticpy and folium: pip install "flowtriage[notebook]" ({error})'
        ) from error
    hosts = pc.unique(asn.lookup(host_addresses)["address"].drop_null())
    peers, excluded = index_peers(index, hosts)
    if only is not None:
        peers = peers.filter(pc.is_in(peers["address"], value_set=only))
    if threats is None:
        null = pa.nulls(len(peers), pa.string())
        peers = peers.append_column("severity", null).append_column("threat", null)
    else:
        peers = mark_threats(peers, threats)
    addresses = pa.concat_arrays([*peers["address"].cast(pa.string()).chunks, hosts])
    exact = find_locations(pc.unique(addresses), asn, geoip or {})
    drawn_peers = locate(peers, asn, exact)
    kind, flows = pa.repeat("host", len(hosts)), pa.repeat(0, len(hosts))
    drawn_hosts = locate(pa.table({"address": hosts, "kind": kind, "flows": flows}), asn, exact)
    unlocated = hosts.filter(pc.invert(pc.is_in(hosts, value_set=drawn_hosts["address"])))

    layers = (
        MarkerLayer(drawn_peers, _PEER_FACTS, clustered=True),
        MarkerLayer(drawn_hosts, _HOST_FACTS, clustered=False),
    )
    lines = [
        *_coverage(drawn_peers, len(peers), unlocated.to_pylist(), excluded),
        *_threats(drawn_peers, peers, threats),
        *_exactness(drawn_peers, exact, bundled=bool(asn.credits)),
    ]
    levels = " and ".join(sorted(set(drawn_peers["exactness"].to_pylist()))) or "country level"
    kinds = {"outbound", "inbound", "host", *drawn_peers["kind"].to_pylist()}
    if threats is not None:
        kinds.add("threat")
    result = draw_map(layers, f"Key: {levels}", kinds, lines, asn.credits)
    busiest = [("flows", "descending"), ("address", "ascending")]
    result.places = drawn_peers.sort_by(busiest).select(list(_PEER_FACTS))
    result.places = result.places.rename_columns(list(_PEER_FACTS.values()))
    return result


def _coverage(drawn: pa.Table, peers: int, unlocated: list[str], excluded: int) -> list[str]:
    """Report what the map shows and what it lacks."""
    countries = pc.count_distinct(drawn["country"]).as_py()
    shown = counted(len(drawn), "address", "addresses")
    where = counted(countries, "country", "countries")
    absent = peers - len(drawn)
    lines = [f"{shown} in {where}" + (f"; {absent:,} without a location" if absent else "")]
    if unlocated:
        more = len(unlocated) - _MAX_HOSTS
        listed = ", ".join(unlocated[:_MAX_HOSTS]) + (f" and {more} more" if more > 0 else "")
        lines.append(f"Host without a location: {listed}")
    if excluded:
        lines.append(
            f"{counted(excluded, 'flow')} excluded: neither endpoint is a known address of the host"
        )
    return lines


def _threats(drawn: pa.Table, peers: pa.Table, threats: pa.Table | None) -> list[str]:
    if threats is None:
        return []
    on_map, known = (pc.sum(pc.is_valid(t["threat"]), min_count=0).as_py() for t in (drawn, peers))
    line = f"{counted(known, 'address is', 'addresses are')} known as a threat"
    return [line + (f"; {known - on_map:,} without a location" if known > on_map else "")]


def _exactness(drawn: pa.Table, locations: Locations, *, bundled: bool) -> list[str]:
    """Report the exactness and the source of the locations."""
    lines = [locations.problem] if locations.problem else []
    exact = pc.sum(pc.equal(drawn["exactness"], "city level"), min_count=0).as_py()
    if exact:
        of_all = (
            "Locations are"
            if exact == len(drawn)
            else counted(exact, "location is", "locations are")
        )
        lines.append(f"{of_all} city level, from {locations.source}")
    if exact < len(drawn) or not exact:
        source = "the bundled database" if bundled else "the given database"
        of_all = (
            counted(len(drawn) - exact, "location is", "locations are")
            if exact
            else "Locations are"
        )
        lines.append(f"{of_all} country level, from {source}; spread around one point per country")
    return lines
