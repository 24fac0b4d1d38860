"""Where exact places of addresses come from: a provider of locations, or city files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage import _core
from flowtriage.asn import AsnDatabase
from flowtriage.report.text import visible

_PLACE = pa.schema(
    [
        ("address", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("city", pa.string()),
        ("code", pa.string()),
    ]
)
_REASON = 120


@dataclass(frozen=True)
class Places:
    """Exact places of addresses.

    Attributes
    ----------
    table : pyarrow.Table
        `address`, `latitude`, `longitude` (degrees), `city` and `code` (of the country, ISO
        3166); one row for each address that has a place.
    source
        Name of where they come from; None where nothing was asked.
    problem
        What went wrong while asking a provider.
    """

    table: pa.Table
    source: str | None = None
    problem: str | None = None


def find_places(addresses: pa.Array, asn: AsnDatabase, geoip: Mapping[str, Any]) -> Places:
    """Find the exact places of addresses; only public ones are asked about.

    Parameters
    ----------
    addresses
        Distinct addresses, canonical.
    asn
        Its files are read for places where they are not the embedded ones.
    geoip
        Providers with msticpy's `lookup_ip`, by name; the first that answers counts.
    """
    known = asn.lookup(addresses)
    public = known["address"].filter(pc.equal(known["ip_type"], "Public"))
    problem = None
    for name, provider in geoip.items() if len(public) else ():
        try:
            _, entities = provider.lookup_ip(ip_addr_list=public.to_pylist())
        except Exception as error:
            problem = visible(f"{name} could not be asked: {_first_line(error)}", _REASON)
        else:
            return Places(_table(entities), name, problem)
    files = [] if asn.credits else asn.paths
    if not files:
        return Places(_PLACE.empty_table(), None, problem)
    asked = public.combine_chunks()
    found = _core.CityFiles(files).find(asked).rename_columns(_PLACE.names[1:])
    placed = found.add_column(0, _PLACE.field("address"), asked)
    placed = placed.filter(pc.is_valid(found["latitude"]))
    source = ", ".join(Path(file).name for file in files) if len(placed) else None
    return Places(placed.cast(_PLACE), source, problem)


def _table(entities: Iterable[Any]) -> pa.Table:
    """Keep what msticpy's entities say of places on earth, the first of each address."""
    rows: dict[str, tuple[Any, ...]] = {}
    for entity in entities:
        location: Any = getattr(entity, "Location", None)
        axes = ("Latitude", "Longitude")
        point = [_degrees(getattr(location, axis, None)) for axis in axes]
        if abs(point[0]) <= 90 and abs(point[1]) <= 180:
            named = (location.City, location.CountryCode)
            texts = [text if isinstance(text, str) and text else None for text in named]
            rows.setdefault(str(entity.Address), (*point, *texts))
    columns = zip(*((address, *facts) for address, facts in rows.items()), strict=True)
    return pa.table(list(columns), schema=_PLACE) if rows else _PLACE.empty_table()


def _degrees(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _first_line(error: Exception) -> str:
    text = str(error.args[0]) if error.args else ""
    return text.strip().partition("\n")[0] or type(error).__name__
