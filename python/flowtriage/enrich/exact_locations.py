"""Coordinates of addresses from msticpy's providers or a user's own city databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import CityFiles
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.humanize import sanitize

_COORDINATES = pa.schema(
    [
        ("address", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("city", pa.string()),
        ("code", pa.string()),
    ]
)
_MAX_REASON = 120


@dataclass(frozen=True)
class Locations:
    """Exact locations of addresses.

    The table has one row for each address with a known location: `address`, `latitude`,
    `longitude` (degrees), `city` and `code` (ISO 3166 code of the country). `problem` is the
    reason why a provider failed.
    """

    table: pa.Table
    source: str | None = None
    problem: str | None = None


def find_locations(addresses: pa.Array, asn: AsnDatabase, geoip: Mapping[str, Any]) -> Locations:
    """Look up the exact locations of the public ones of distinct addresses.

    The first provider that succeeds is used; if none does, the files of `asn` are searched for
    cities, except the bundled ones, which have none.
    """
    known = asn.lookup(addresses)
    public = known["address"].filter(pc.equal(known["ip_type"], "Public")).combine_chunks()
    problem = None
    for name, provider in geoip.items() if len(public) else ():
        try:
            _, entities = provider.lookup_ip(ip_addr_list=public.to_pylist())
        except Exception as error:
            problem = sanitize(f"Lookup by {name} failed: {_first_line(error)}", _MAX_REASON)
        else:
            return Locations(_from_entities(entities), name, problem)
    files = [] if asn.credits else asn.paths
    if not files:
        return Locations(_COORDINATES.empty_table(), None, problem)
    found = CityFiles(files).find(public).rename_columns(_COORDINATES.names[1:])
    located = found.add_column(0, _COORDINATES.field("address"), public)
    located = located.filter(pc.is_valid(found["latitude"]))
    source = ", ".join(Path(file).name for file in files) if len(located) else None
    return Locations(located.cast(_COORDINATES), source, problem)


def _from_entities(entities: Iterable[Any]) -> pa.Table:
    """Read msticpy's entities with valid coordinates, the first of each address."""
    rows: dict[str, tuple[Any, ...]] = {}
    for entity in entities:
        location: Any = getattr(entity, "Location", None)
        point = [_degrees(getattr(location, axis, None)) for axis in ("Latitude", "Longitude")]
        if abs(point[0]) <= 90 and abs(point[1]) <= 180:
            names = (location.City, location.CountryCode)
            texts = [text if isinstance(text, str) and text else None for text in names]
            rows.setdefault(str(entity.Address), (*point, *texts))
    columns = zip(*((address, *facts) for address, facts in rows.items()), strict=True)
    return pa.table(list(columns), schema=_COORDINATES) if rows else _COORDINATES.empty_table()


def _degrees(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _first_line(error: Exception) -> str:
    text = str(error.args[0]) if error.args else ""
    return text.strip().partition("\n")[0] or type(error).__name__
