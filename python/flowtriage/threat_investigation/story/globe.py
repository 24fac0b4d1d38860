"""Locations of the peers of an address: `globe-<ip>.json`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import FormatError, InputError
from flowtriage.threat_investigation.story.text import dump_json, parse_json

TYPES = {"two-way": 1, "inbound": 2, "outbound": 3}
"""Value of `type` in a Feature, by direction of the peer."""
_FACTS = [("ip", pa.string()), ("type", pa.int64()), ("location", pa.string())]
LOCATIONS = pa.schema([*_FACTS, ("longitude", pa.float64()), ("latitude", pa.float64())])
"""Columns of `Globe.sources` and `Globe.destinations`."""
_PROPERTIES = pa.struct([("location", pa.string()), ("ip", pa.string()), ("type", pa.int64())])
_GEOMETRY = pa.struct([("type", pa.string()), ("coordinates", pa.list_(pa.float64()))])
_FEATURE = pa.struct([("type", pa.string()), ("properties", _PROPERTIES), ("geometry", _GEOMETRY)])
_LISTS = ("sourceips", "destips")


@dataclass(frozen=True)
class Location:
    """Location of an address.

    Attributes
    ----------
    ip
        The address.
    longitude, latitude
        Coordinates in degrees.
    location
        Name of the location.
    """

    ip: str
    longitude: float
    latitude: float
    location: str = ""


@dataclass(frozen=True)
class Globe:
    """Locations of the peers of an address, by role in its connections.

    Attributes
    ----------
    sources, destinations : pyarrow.Table
        Columns of `LOCATIONS`: `ip`, `type` (1 two-way, 2 inbound, 3 outbound), `location`,
        `longitude` and `latitude` in degrees.
    """

    sources: pa.Table
    destinations: pa.Table

    @classmethod
    def of(cls, sets: pa.Table, origin: Location | None = None) -> Globe:
        """Locate the peers of an address; peers without a location are dropped.

        A peer that only initiated connections is a source, any other peer a destination. If the
        origin is given, `sources` and `destinations` have the same length: each row pairs a peer
        with the origin at the other end.

        Parameters
        ----------
        sets
            Result of `flowtriage.connection_sets` with `location`, `latitude`, `longitude`.
        origin
            Location of the address itself.

        Raises
        ------
        InputError
            If `sets` lacks a column or has an unknown direction.
        """
        names = ("peer", "direction", "connections_to_peer", "location", "longitude", "latitude")
        if missing := [name for name in names if name not in sets.column_names]:
            raise InputError(f"connection sets lack the columns {', '.join(missing)}")
        sets = sets.filter(_in_range(sets["longitude"], sets["latitude"]))
        kind = pc.index_in(sets["direction"].cast(pa.string()), value_set=pa.array(list(TYPES)))
        if kind.null_count:
            raise InputError(f"connection sets have a direction other than {', '.join(TYPES)}")
        columns = {
            "ip": sets["peer"],
            "type": pc.add(kind, 1),
            "location": pc.fill_null(sets["location"].cast(pa.string()), ""),
            "longitude": sets["longitude"],
            "latitude": sets["latitude"],
        }
        peers = pa.table(columns).cast(LOCATIONS)
        is_source = pc.equal(pc.fill_null(sets["connections_to_peer"], 0), 0)
        is_destination = pc.invert(is_source)
        if origin is None:
            return cls(peers.filter(is_source), peers.filter(is_destination))
        return cls(*(_paired(side, peers, origin) for side in (is_source, is_destination)))

    def to_json(self) -> str:
        """Return the globe in Spot's format: Features in ``sourceips`` and ``destips``."""
        features = (_features(table) for table in (self.sources, self.destinations))
        return dump_json({"type": "FeatureCollection", **dict(zip(_LISTS, features, strict=True))})

    @classmethod
    def from_json(cls, content: str | bytes, where: str = "the globe") -> Globe:
        """Parse a globe from `to_json` or from Spot.

        Parameters
        ----------
        content
            The JSON.
        where
            Name of the document in errors.

        Raises
        ------
        FormatError
            If the content is not a globe; the message states the position.
        """
        document = parse_json(content, where)
        if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
            raise FormatError(f'{where} is not a globe: type is not "FeatureCollection"')
        return cls(*(_read_features(document.get(name), f"{where}: {name}") for name in _LISTS))


def _in_range(longitude: Any, latitude: Any) -> Any:
    """Test whether coordinates are within ±180 and ±90 degrees; False for null and NaN."""
    east, north = (pc.abs(axis.cast(pa.float64())) for axis in (longitude, latitude))
    within = pc.and_(pc.less_equal(east, 180.0), pc.less_equal(north, 90.0))
    return pc.fill_null(within, False)


def _paired(is_peer: pa.ChunkedArray, peers: pa.Table, origin: Location) -> pa.Table:
    """Return one side of the pairs: the peer where `is_peer`, the origin elsewhere."""
    other = {"type": peers["type"], **vars(origin)}
    columns = [pc.if_else(is_peer, peers[name], other[name]) for name in LOCATIONS.names]
    return pa.table(columns, schema=LOCATIONS)


def _features(locations: pa.Table) -> list[dict[str, Any]]:
    axes = pa.chunked_array(
        [*locations["longitude"].chunks, *locations["latitude"].chunks], pa.float64()
    )
    at = pc.cumulative_sum(pa.repeat(2, len(locations)))
    interleaved = pc.sort_indices(pa.concat_arrays([at, pc.add(at, 1)]))
    points = pa.FixedSizeListArray.from_arrays(axes.combine_chunks().take(interleaved), 2)
    properties = pc.make_struct(
        *(locations[name].combine_chunks() for name in _PROPERTIES.names),
        field_names=_PROPERTIES.names,
    )
    geometry = pc.make_struct("Point", points, field_names=_GEOMETRY.names)
    features = pc.make_struct("Feature", properties, geometry, field_names=_FEATURE.names)
    return list(features.to_pylist())


def _read_features(features: Any, where: str) -> pa.Table:
    rows = _rows(features, where)

    def column(*path: str) -> pa.Array:
        return pc.struct_field(rows, list(path))

    ip, kind = column("properties", "ip"), column("properties", "type")
    points = column("geometry", "coordinates")
    types = pa.array(list(TYPES.values()), pa.int64())
    checks = {
        'type is not "Feature"': pc.equal(column("type"), "Feature"),
        "properties.ip is missing": ip.is_valid(),
        "properties.type is not 1, 2 or 3": pc.is_in(kind, value_set=types),
        'geometry.type is not "Point"': pc.equal(column("geometry", "type"), "Point"),
        "geometry.coordinates is not a pair of numbers": pc.equal(pc.list_value_length(points), 2),
    }
    _check(checks, where)
    longitude, latitude = (pc.list_element(points, axis) for axis in (0, 1))
    _check({"geometry.coordinates is out of range": _in_range(longitude, latitude)}, where)
    location = pc.fill_null(column("properties", "location"), "")
    return pa.table([ip, kind, location, longitude, latitude], schema=LOCATIONS)


def _rows(features: Any, where: str) -> pa.StructArray:
    if not isinstance(features, list):
        raise FormatError(f"{where} is not an array")
    at = next((at for at, one in enumerate(features) if not isinstance(one, dict)), None)
    if at is None:
        if (rows := _as_features(features)) is not None:
            return rows
        damaged = (at for at, one in enumerate(features) if _as_features([one]) is None)
        at = next(damaged, 0)
    raise FormatError(f"{where}[{at}] is not a Feature of a globe")


def _as_features(values: list[Any]) -> pa.StructArray | None:
    with suppress(ValueError, TypeError, OverflowError):
        return pa.array(values, _FEATURE)
    return None


def _check(checks: dict[str, pa.Array], where: str) -> None:
    for problem, passed in checks.items():
        at = pc.index(pc.fill_null(passed, False), False).as_py()
        if at >= 0:
            raise FormatError(f"{where}[{at}]: {problem}")
