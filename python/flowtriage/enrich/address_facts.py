"""AS, country, location and network context of peers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.configuration import ContextSettings
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.enrich.geolocation import countries, open_locations
from flowtriage.enrich.network_context import read_context

FACTS = pa.schema(
    [
        ("asn", pa.int64()),
        ("as_name", pa.string()),
        ("country", pa.string()),
        ("context", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("location", pa.string()),
        ("domain", pa.string()),
    ]
)
"""AS, ISO 3166 country code, network context, location, and domain of the organisation."""


def add_facts(peers: pa.Table, asn: AsnDatabase, context: ContextSettings) -> pa.Table:
    """Add the columns of `FACTS` to distinct addresses `peer`; null where unknown.

    An address without an exact location gets one point of its country.
    """
    addresses = peers["peer"].combine_chunks()
    known = asn.lookup(addresses)
    located = open_locations(context.iploc, context.mmdb).find(addresses)
    listed = countries()
    country = listed.take(pc.index_in(known["country"], value_set=listed["code"]))
    exact = pc.is_valid(located["latitude"])
    names = context.network_context
    columns = {
        "asn": known["asn"],
        "as_name": known["as_name"],
        "country": known["country"],
        "context": read_context(names).find(addresses)
        if names is not None and Path(names).exists()
        else pa.nulls(len(addresses), pa.string()),
        **{n: pc.if_else(exact, located[n], country[n]) for n in ("latitude", "longitude")},
        "location": located["geoloc"],
        "domain": located["domain"],
    }
    for field in FACTS:
        peers = peers.append_column(field.name, columns[field.name].cast(field.type))
    return peers
