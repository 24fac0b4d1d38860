"""IANA's protocol numbers and service names, by number and by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from flowtriage._core import protocol_keywords

_FILE = Path(__file__).parents[1] / "data" / "services.csv"


def protocol_name(number: int) -> str | None:
    """Return the keyword of a protocol number, in lower case; None if unassigned.

    Source: IANA, Assigned Internet Protocol Numbers.

    Examples
    --------
    >>> protocol_name(6)
    'tcp'
    """
    return dict(protocol_keywords()).get(number)


def protocol_number(name: str) -> int | None:
    """Return the number of a protocol keyword, in any case; None if unknown.

    Examples
    --------
    >>> protocol_number("UDP")
    17
    """
    return {keyword: number for number, keyword in protocol_keywords()}.get(name.lower())


def service_names(ports: Any, protocols: Any) -> pa.Array:
    """Return the first registered service name, or null, of each port and transport protocol.

    Source: IANA, Service Name and Transport Protocol Port Number Registry.

    Examples
    --------
    >>> service_names([443, 53, 443], ["tcp", "udp", "icmp"]).to_pylist()
    ['https', 'domain', None]
    """
    known = _services()
    keys = _keys(pa.array(ports, pa.int64()), pa.array(protocols, pa.string()))
    first = pc.list_element(pc.split_pattern(known["names"], " "), 0)
    return first.take(pc.index_in(keys, value_set=_keys(known["port"], known["protocol"])))


def service_ports(name: str) -> list[tuple[int, str]]:
    """Return the ports of a service with their transport protocols, sorted.

    Examples
    --------
    >>> service_ports("https")
    [(443, 'sctp'), (443, 'tcp'), (443, 'udp')]
    """
    known = _services()
    named = pc.list_flatten(pc.split_pattern(known["names"], " "))
    parents = pc.list_parent_indices(pc.split_pattern(known["names"], " "))
    rows = known.take(parents.filter(pc.equal(named, name.lower())))
    return sorted(zip(rows["port"].to_pylist(), rows["protocol"].to_pylist(), strict=True))


def _keys(ports: pa.Array, protocols: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(ports.cast(pa.string()), protocols, "/")


@cache
def _services() -> pa.Table:
    """Read the registry: `port`, `protocol`, and `names` separated by spaces."""
    text = csv.read_csv(
        _FILE,
        read_options=csv.ReadOptions(skip_rows=1),
        convert_options=csv.ConvertOptions(column_types={"port": pa.int64()}),
    )
    protocols = pc.split_pattern(text["protocols"].combine_chunks(), " ")
    rows = text.take(pc.list_parent_indices(protocols)).select(["port", "names"])
    return rows.append_column("protocol", pc.list_flatten(protocols)).combine_chunks()
