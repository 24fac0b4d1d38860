"""Where addresses are: Spot's `iploc.csv`, city files in MaxMind's format, or what is embedded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowtriage._core import AddressRanges, CityFiles
from flowtriage.enrich.asn import AsnDatabase, embedded
from flowtriage.errors import FormatError
from flowtriage.humanize import sanitize

_COUNTRIES = Path(__file__).parent.parent / "data" / "countries.csv"


@cache
def countries() -> pa.Table:
    """Return countries: ISO 3166 `code`, `name`, and `latitude` and `longitude` of one point."""
    kinds = {
        "code": pa.string(),
        "name": pa.string(),
        "latitude": pa.float64(),
        "longitude": pa.float64(),
    }
    return csv.read_csv(_COUNTRIES, convert_options=csv.ConvertOptions(column_types=kinds))


LOCATION = pa.schema(
    [
        ("geoloc", pa.string()),
        ("domain", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
    ]
)
"""`geoloc` is like `state;city owner`, `domain` that of the owner; null where not known."""
_IPLOC = (
    *("first", "last", "country_code", "country", "state", "city"),
    *("latitude", "longitude", "owner", "domain"),
)
_TOLD = ["state", "city", "latitude", "longitude", "owner", "domain"]


class LocationSource(Protocol):
    """Anything that knows where addresses are."""

    def find(self, addresses: pa.Array) -> pa.Table:
        """Return `LOCATION`, a row for each address."""


class IpLocations:
    """Spot's `iploc.csv`.

    Parameters
    ----------
    path
        CSV without a heading, every field quoted: first and last address of a range as whole
        numbers, country code, country, state, city, latitude, longitude, owner, domain. Ranges
        may overlap; the narrowest one counts.

    Attributes
    ----------
    unusable : int
        Number of lines whose range is none.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    FormatError
        If the file has not these ten columns, or no line has a usable range.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        from pyarrow import csv

        try:
            table = csv.read_csv(
                Path(path),
                read_options=csv.ReadOptions(column_names=_IPLOC),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(_IPLOC, pa.string()),
                    include_columns=["first", "last", *_TOLD],
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise FormatError(
                f"{sanitize(str(path))} is not Spot's iploc.csv of ten columns: {error}"
            ) from None
        first, last = (table[name].combine_chunks() for name in ("first", "last"))
        self._ranges = AddressRanges.from_ranges(first, last)
        self.unusable = len(self._ranges.bad())
        if table.num_rows and self.unusable == table.num_rows:
            raise FormatError(
                f"{sanitize(str(path))} has no range of addresses; line 1 begins with "
                f"{sanitize(repr(first[0].as_py()), 60)}"
            )
        self._lines = table.select(_TOLD)

    def find(self, addresses: pa.Array) -> pa.Table:
        """Return `LOCATION`, a row for each address."""
        import pyarrow.compute as pc

        lines = self._lines.take(self._ranges.find(addresses)["range"])
        place = pc.binary_join_element_wise(lines["state"], lines["city"], ";")
        told = pc.binary_join_element_wise(pc.utf8_trim(place, ";"), lines["owner"], " ")
        columns = [_or_null(pc.utf8_trim_whitespace(told)), _or_null(lines["domain"])]
        columns += [_degrees(lines[name]) for name in ("latitude", "longitude")]
        return pa.table(columns, schema=LOCATION)


class MaxMindLocations:
    """Files in MaxMind's format: cities, countries, autonomous systems.

    `geoloc` is like `country;city owner`; no such file knows domains.

    Parameters
    ----------
    paths
        The files; for each fact the first that knows it counts. None takes the embedded
        databases, which know countries and autonomous systems.

    Raises
    ------
    FileNotFoundError, PermissionError
        As the operating system says.
    DatabaseError
        If a file is damaged or no such database.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]] | None = None) -> None:
        self._asn = AsnDatabase([os.fspath(p) for p in paths]) if paths else embedded()
        self._cities = CityFiles([os.fspath(p) for p in paths]) if paths else None

    def find(self, addresses: pa.Array) -> pa.Table:
        """Return `LOCATION`, a row for each address."""
        import pyarrow.compute as pc

        known = self._asn.lookup(addresses)
        country, city = known["country"], pa.nulls(len(addresses), pa.string())
        degrees = [pa.nulls(len(addresses), pa.float64())] * 2
        if self._cities is not None:
            places = self._cities.find(addresses)
            country, city = pc.coalesce(known["country"], places["country"]), places["city"]
            degrees = [places["latitude"], places["longitude"]]
        public = pc.equal(known["ip_type"], "Public")
        named = pc.and_(public, pc.is_valid(known["asn"]))
        owner = pc.if_else(named, known["as_name"], "")
        country, city = (pc.fill_null(part, "") for part in (country, city))
        place = pc.utf8_trim(pc.binary_join_element_wise(country, city, ";"), ";")
        told = pc.utf8_trim_whitespace(pc.binary_join_element_wise(place, owner, " "))
        nothing = pa.chunked_array([pa.nulls(len(addresses), pa.string())])
        return pa.table([_or_null(told), nothing, *degrees], schema=LOCATION)


def locations(
    iploc: str | os.PathLike[str] | None = None,
    mmdb: Sequence[str | os.PathLike[str]] = (),
) -> LocationSource:
    """Return the best source of locations there is: `iploc.csv`, MaxMind's files, the embedded."""
    if iploc is not None and Path(iploc).exists():
        return IpLocations(iploc)
    return MaxMindLocations(mmdb or None)


def _or_null(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(texts, ""), None, texts)


def _degrees(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read numbers of degrees; what is none becomes null."""
    import pyarrow.compute as pc

    number = pc.match_substring_regex(texts, r"^-?\d{1,3}(\.\d+)?$")
    return pc.if_else(number, texts, None).cast(pa.float64())


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
class Locations:
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


def find_locations(addresses: pa.Array, asn: AsnDatabase, geoip: Mapping[str, Any]) -> Locations:
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
            problem = sanitize(f"{name} could not be asked: {_first_line(error)}", _REASON)
        else:
            return Locations(_table(entities), name, problem)
    files = [] if asn.credits else asn.paths
    if not files:
        return Locations(_PLACE.empty_table(), None, problem)
    asked = public.combine_chunks()
    found = CityFiles(files).find(asked).rename_columns(_PLACE.names[1:])
    placed = found.add_column(0, _PLACE.field("address"), asked)
    placed = placed.filter(pc.is_valid(found["latitude"]))
    source = ", ".join(Path(file).name for file in files) if len(placed) else None
    return Locations(placed.cast(_PLACE), source, problem)


def _table(entities: Iterable[Any]) -> pa.Table:
    """Keep what msticpy's entities say of places on earth, the first of each address."""
    rows: dict[str, tuple[Any, ...]] = {}
    for entity in entities:
        location: Any = getattr(entity, "Location", None)
        axes = ("Latitude", "Longitude")
        point = [_angle(getattr(location, axis, None)) for axis in axes]
        if abs(point[0]) <= 90 and abs(point[1]) <= 180:
            named = (location.City, location.CountryCode)
            texts = [text if isinstance(text, str) and text else None for text in named]
            rows.setdefault(str(entity.Address), (*point, *texts))
    columns = zip(*((address, *facts) for address, facts in rows.items()), strict=True)
    return pa.table(list(columns), schema=_PLACE) if rows else _PLACE.empty_table()


def _angle(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _first_line(error: Exception) -> str:
    text = str(error.args[0]) if error.args else ""
    return text.strip().partition("\n")[0] or type(error).__name__
