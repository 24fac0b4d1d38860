"""Where the peers of an address are: `globe-<ip>.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import FormatError, InputError
from flowtriage.threat_investigation.story.text import parsed, written

TYPES = {"two-way": 1, "inbound": 2, "outbound": 3}
"""What `type` of a Feature says of its peer."""
PLACES = pa.schema(
    [
        ("ip", pa.string()),
        ("type", pa.int64()),
        ("location", pa.string()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
    ]
)
"""Columns of `Globe.sources` and `Globe.destinations`."""
_PROPERTIES = pa.struct([("location", pa.string()), ("ip", pa.string()), ("type", pa.int64())])
_GEOMETRY = pa.struct([("type", pa.string()), ("coordinates", pa.list_(pa.float64()))])
_FEATURE = pa.struct([("type", pa.string()), ("properties", _PROPERTIES), ("geometry", _GEOMETRY)])
_LISTS = ("sourceips", "destips")


@dataclass(frozen=True)
class Location:
    """Where an address is.

    Attributes
    ----------
    ip
        The address.
    longitude, latitude
        In degrees.
    location
        What the place is called.
    """

    ip: str
    longitude: float
    latitude: float
    location: str = ""


@dataclass(frozen=True)
class Globe:
    """Where the two ends of an address's connections are.

    Attributes
    ----------
    sources, destinations : pyarrow.Table
        Columns `PLACES`: `ip`, `type` (1 two-way, 2 inbound, 3 outbound), `location`,
        `longitude` and `latitude` in degrees.
    """

    sources: pa.Table
    destinations: pa.Table

    @classmethod
    def of(cls, sets: pa.Table, home: Location | None = None) -> Globe:
        """Place the peers of an address; those without a place are left out.

        A peer that only sent is a source, any other a destination. If the place of the address
        itself is known, it stands at the other end of each peer: the two lists are as long as
        each other, and their rows belong together.

        Parameters
        ----------
        sets
            Result of `flowtriage.connection_sets` with `location`, `latitude`, `longitude`.
        home
            Where the address itself is.

        Raises
        ------
        InputError
            If `sets` lacks a column, or a direction is none.
        """
        names = ("peer", "direction", "connections_to_peer", "location", "longitude", "latitude")
        if missing := [name for name in names if name not in sets.column_names]:
            raise InputError(f"the connection sets have no column {', '.join(missing)}")
        sets = sets.filter(_on_earth(sets["longitude"], sets["latitude"]))
        kind = pc.index_in(sets["direction"].cast(pa.string()), value_set=pa.array(list(TYPES)))
        if kind.null_count:
            raise InputError(f"the connection sets have a direction other than {', '.join(TYPES)}")
        columns = {
            "ip": sets["peer"],
            "type": pc.add(kind, 1),
            "location": pc.fill_null(sets["location"].cast(pa.string()), ""),
            "longitude": sets["longitude"],
            "latitude": sets["latitude"],
        }
        peers = pa.table(columns).cast(PLACES)
        sent = pc.equal(pc.fill_null(sets["connections_to_peer"], 0), 0)
        received = pc.invert(sent)
        if home is None:
            return cls(peers.filter(sent), peers.filter(received))
        return cls(_either(sent, peers, home), _either(received, peers, home))

    def to_json(self) -> str:
        """Write the globe as Spot does: ``sourceips`` and ``destips`` are lists of Features."""
        features = (_features(table) for table in (self.sources, self.destinations))
        return written({"type": "FeatureCollection", **dict(zip(_LISTS, features, strict=True))})

    @classmethod
    def from_json(cls, content: str | bytes, where: str = "the globe") -> Globe:
        """Read what `to_json` or Spot wrote.

        Parameters
        ----------
        content
            The JSON.
        where
            What an error calls it.

        Raises
        ------
        FormatError
            If it is damaged or something else; the message says where.
        """
        document = parsed(content, where)
        if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
            raise FormatError(f'{where} is no globe: it is not of type "FeatureCollection"')
        return cls(*(_places(document.get(name), f"{where}: {name}") for name in _LISTS))


def _on_earth(longitude: Any, latitude: Any) -> Any:
    """Tell which coordinates, in degrees, are a place."""
    east, north = (pc.abs(axis.cast(pa.float64())) for axis in (longitude, latitude))
    there = pc.and_(pc.less_equal(east, 180.0), pc.less_equal(north, 90.0))
    return pc.fill_null(there, False)


def _either(chosen: pa.ChunkedArray, peers: pa.Table, home: Location) -> pa.Table:
    """Take each peer where it is chosen, the address itself elsewhere."""
    own = {"type": peers["type"], **vars(home)}
    columns = [pc.if_else(chosen, peers[name], own[name]) for name in PLACES.names]
    return pa.table(columns, schema=PLACES)


def _features(places: pa.Table) -> list[dict[str, Any]]:
    axes = pa.chunked_array([*places["longitude"].chunks, *places["latitude"].chunks], pa.float64())
    at = pc.cumulative_sum(pa.repeat(2, len(places)))
    in_turn = pc.sort_indices(pa.concat_arrays([at, pc.add(at, 1)]))
    points = pa.FixedSizeListArray.from_arrays(axes.combine_chunks().take(in_turn), 2)
    properties = pc.make_struct(
        *(places[name].combine_chunks() for name in _PROPERTIES.names),
        field_names=_PROPERTIES.names,
    )
    geometry = pc.make_struct("Point", points, field_names=_GEOMETRY.names)
    features = pc.make_struct("Feature", properties, geometry, field_names=_FEATURE.names)
    found: list[dict[str, Any]] = features.to_pylist()
    return found


def _places(features: Any, where: str) -> pa.Table:
    rows = _rows(features, where)

    def part(*path: str) -> pa.Array:
        return pc.struct_field(rows, list(path))

    ip, kind = part("properties", "ip"), part("properties", "type")
    points = part("geometry", "coordinates")
    types = pa.array(list(TYPES.values()), pa.int64())
    checks = {
        'type is not "Feature"': pc.equal(part("type"), "Feature"),
        "properties.ip is missing": ip.is_valid(),
        "properties.type is none of 1, 2, 3": pc.is_in(kind, value_set=types),
        'geometry.type is not "Point"': pc.equal(part("geometry", "type"), "Point"),
        "geometry.coordinates are not two numbers": pc.equal(pc.list_value_length(points), 2),
    }
    _check(checks, where)
    longitude, latitude = (pc.list_element(points, axis) for axis in (0, 1))
    _check({"geometry.coordinates are no place on earth": _on_earth(longitude, latitude)}, where)
    location = pc.fill_null(part("properties", "location"), "")
    return pa.table([ip, kind, location, longitude, latitude], schema=PLACES)


def _rows(features: Any, where: str) -> pa.StructArray:
    if not isinstance(features, list):
        raise FormatError(f"{where} is no list")
    try:
        return pa.array(features, _FEATURE)
    except (ValueError, TypeError, OverflowError):
        at = next(at for at, feature in enumerate(features) if not _is_feature(feature))
        raise FormatError(f"{where}[{at}] is no Feature as a globe has them") from None


def _is_feature(feature: Any) -> bool:
    try:
        pa.array([feature], _FEATURE)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _check(checks: dict[str, pa.Array], where: str) -> None:
    for problem, passed in checks.items():
        at = pc.index(pc.fill_null(passed, False), False).as_py()
        if at >= 0:
            raise FormatError(f"{where}[{at}]: {problem}")
