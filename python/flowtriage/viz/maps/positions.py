"""A point for each address, exact or near the point of its country."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.enrich.asn import AsnDatabase
from flowtriage.enrich.exact_locations import Locations
from flowtriage.enrich.geolocation import countries
from flowtriage.humanize import joined, sanitize_array

_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
_STEP, _MAX_RADIUS = 0.03, 2.0  # degrees: between neighbours, and of the disc


def locate(table: pa.Table, asn: AsnDatabase, locations: Locations) -> pa.Table:
    """Add a point to the rows whose `address` has a location or a country; drop the others.

    Rows get `country` (name), `city`, `network` (label of the autonomous system), `exactness`
    (``city level`` or ``country level``), `latitude` and `longitude`, sorted by country, then by
    `flows` in descending order. Addresses of which only the country is known are spread around
    one point of it, in a spiral of up to 2 degrees.
    """
    known, listed = asn.lookup(table["address"]), countries()
    index = pc.index_in(table["address"], value_set=locations.table["address"])
    exact = locations.table.take(index)
    is_exact = pc.is_valid(exact["latitude"])
    code = pc.coalesce(exact["code"], known["country"])
    country = listed.take(pc.index_in(code, value_set=listed["code"]))
    names = sanitize_array(known["as_name"])
    number = pc.cast(known["asn"], pa.string())
    columns = {
        "country": country["name"],
        "city": sanitize_array(exact["city"]),
        "network": pc.coalesce(joined("AS", number, " ", names), names),
        "exactness": pc.if_else(is_exact, "city level", "country level"),
        **{a: pc.coalesce(exact[a], country[a]) for a in ("latitude", "longitude")},
    }
    for name, values in columns.items():
        table = table.append_column(name, values)
    order = [("country", "ascending"), ("flows", "descending"), ("address", "ascending")]
    table = table.filter(pc.is_valid(table["latitude"])).sort_by(order)
    by_country = pc.equal(table["exactness"], "country level")
    parts = [spread(table.filter(by_country), "country"), table.filter(pc.invert(by_country))]
    return pa.concat_tables(parts).sort_by(order)


def spread(table: pa.Table, by: str) -> pa.Table:
    """Move rows of the same point apart, in a spiral; those of equal `by` are adjacent."""
    point = table[by].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first, back, count = np.unique(
        point, return_index=True, return_inverse=True, return_counts=True
    )
    rank, size = np.arange(len(point)) - first[back], count[back]
    radius = np.minimum(_MAX_RADIUS, _STEP * np.sqrt(size)) * np.sqrt(rank / np.maximum(size, 1))
    angle = rank * _GOLDEN_ANGLE
    latitude = table["latitude"].to_numpy()
    east = radius * np.cos(angle) / np.cos(np.radians(latitude))
    moved = {
        "latitude": latitude + radius * np.sin(angle),
        "longitude": table["longitude"].to_numpy() + east,
    }
    for name, values in moved.items():
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array(np.round(values, 4)))
    return table
