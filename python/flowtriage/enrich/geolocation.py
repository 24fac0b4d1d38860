"""Location of addresses from Spot's `iploc.csv`, MaxMind databases, or the bundled databases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowtriage._core import AddressRanges, CityFiles
from flowtriage.enrich.asn import AsnDatabase, bundled
from flowtriage.errors import FormatError
from flowtriage.humanize import sanitize

_COUNTRIES = Path(__file__).parent.parent / "data" / "countries.csv"
LOCATION = pa.schema(
    [
        ("geoloc", pa.string()),
        ("domain", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
    ]
)
"""`geoloc` is `state;city organisation`, `domain` that of the organisation; null if unknown."""
_IPLOC = (
    *("first", "last", "country_code", "country", "state", "city"),
    *("latitude", "longitude", "organisation", "domain"),
)
_FACTS = ["state", "city", "latitude", "longitude", "organisation", "domain"]


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


def open_locations(
    iploc: str | os.PathLike[str] | None = None,
    mmdb: Sequence[str | os.PathLike[str]] = (),
) -> IpLocations | MaxMindLocations:
    """Open `iploc` if the file exists, else the MaxMind databases, else the bundled databases."""
    if iploc is not None and Path(iploc).exists():
        return IpLocations(iploc)
    return MaxMindLocations(mmdb or None)


class IpLocations:
    """Locations from Spot's `iploc.csv`.

    The CSV has no header: first and last address of a range as integers, country code, country,
    state, city, latitude, longitude, organisation, domain. Of overlapping ranges the narrowest
    applies; `unusable` is the number of lines with an invalid range.

    Raises
    ------
    FormatError
        If the file does not have these ten columns, or no line has a valid range.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            table = csv.read_csv(
                Path(path),
                read_options=csv.ReadOptions(column_names=_IPLOC),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(_IPLOC, pa.string()),
                    include_columns=["first", "last", *_FACTS],
                    strings_can_be_null=False,
                ),
            )
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except (pa.ArrowException, OSError) as error:
            raise FormatError(
                f"{sanitize(str(path))} is not Spot's iploc.csv of ten columns: {error}"
            ) from None
        first, last = (table[name].combine_chunks() for name in ("first", "last"))
        self._ranges = AddressRanges.from_ranges(first, last)
        self.unusable = len(self._ranges.bad())
        if table.num_rows and self.unusable == table.num_rows:
            raise FormatError(
                f"{sanitize(str(path))} has no valid address range; line 1 starts with "
                f"{sanitize(repr(first[0].as_py()), 60)}"
            )
        self._lines = table.select(_FACTS)

    def find(self, addresses: pa.Array) -> pa.Table:
        """Return `LOCATION`, one row per address."""
        lines = self._lines.take(self._ranges.find(addresses)["range"])
        geoloc = _geoloc(lines["state"], lines["city"], lines["organisation"])
        degrees = [_degrees(lines[name]) for name in ("latitude", "longitude")]
        return pa.table([geoloc, _or_null(lines["domain"]), *degrees], schema=LOCATION)


class MaxMindLocations:
    """Locations from city, country and ASN databases in MaxMind's format.

    `geoloc` is `country;city organisation`; `domain` is always null. Each fact is taken from the
    first file that has it. Without files, the bundled databases have countries and AS
    organisations only.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]] | None = None) -> None:
        self._asn = AsnDatabase([os.fspath(p) for p in paths]) if paths else bundled()
        self._cities = CityFiles([os.fspath(p) for p in paths]) if paths else None

    def find(self, addresses: pa.Array) -> pa.Table:
        """Return `LOCATION`, one row per address."""
        known = self._asn.lookup(addresses)
        country, city = known["country"], pa.nulls(len(addresses), pa.string())
        degrees = [pa.nulls(len(addresses), pa.float64())] * 2
        if self._cities is not None:
            found = self._cities.find(addresses)
            country, city = pc.coalesce(country, found["country"]), found["city"]
            degrees = [found["latitude"], found["longitude"]]
        public = pc.equal(known["ip_type"], "Public")
        organisation = pc.if_else(pc.and_(public, pc.is_valid(known["asn"])), known["as_name"], "")
        area, city = (pc.fill_null(part, "") for part in (country, city))
        domain = pa.chunked_array([pa.nulls(len(addresses), pa.string())])
        return pa.table([_geoloc(area, city, organisation), domain, *degrees], schema=LOCATION)


def _geoloc(
    area: pa.ChunkedArray, city: pa.ChunkedArray, organisation: pa.ChunkedArray
) -> pa.ChunkedArray:
    location = pc.utf8_trim(pc.binary_join_element_wise(area, city, ";"), ";")
    text = pc.binary_join_element_wise(location, organisation, " ")
    return _or_null(pc.utf8_trim_whitespace(text))


def _or_null(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(texts, ""), None, texts)


def _degrees(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Parse degrees; invalid values become null."""
    number = pc.match_substring_regex(texts, r"^-?\d{1,3}(\.\d+)?$")
    return pc.if_else(number, texts, None).cast(pa.float64())
