"""What is known of peers beyond their flows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.configuration import ContextSettings
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.enrich.geolocation import locations
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
"""Autonomous system, ISO 3166 code, name of the network, place and owner's domain."""


def add_facts(peers: pa.Table, asn: AsnDatabase, context: ContextSettings) -> pa.Table:
    """Add the columns of `FACTS`; null where nothing is known.

    Parameters
    ----------
    peers
        Has a column `peer` of distinct addresses.
    asn
        Database of autonomous systems and countries.
    context
        Files of network names and of places. Where no file knows the place of an address, it is
        one point of its country.

    Raises
    ------
    FlowtriageError, OSError
        If a file is broken or cannot be read.
    """
    from flowtriage.enrich.geolocation import countries

    addresses = peers["peer"].combine_chunks()
    known = asn.lookup(addresses)
    placed = locations(context.iploc, context.mmdb).find(addresses)
    listed = countries()
    country = listed.take(pc.index_in(known["country"], value_set=listed["code"]))
    exact = pc.is_valid(placed["latitude"])
    named = context.network_context
    columns = {
        "asn": known["asn"],
        "as_name": known["as_name"],
        "country": known["country"],
        "context": read_context(named).find(addresses)
        if named is not None and Path(named).exists()
        else pa.nulls(len(addresses), pa.string()),
        **{n: pc.if_else(exact, placed[n], country[n]) for n in ("latitude", "longitude")},
        "location": placed["geoloc"],
        "domain": placed["domain"],
    }
    for field in FACTS:
        peers = peers.append_column(field.name, columns[field.name].cast(field.type))
    return peers
