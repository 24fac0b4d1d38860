"""Numbers and names of IANA's registries, both ways: protocols, and services at ports."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from flowtriage._core import protocol_keywords

_FILE = Path(__file__).parents[1] / "data" / "services.csv"


def protocol_name(number: int) -> str | None:
    """Return the keyword of a protocol number, in lower case; None where there is none.

    Source: IANA, Assigned Internet Protocol Numbers.

    Examples
    --------
    >>> protocol_name(6)
    'tcp'
    """
    return dict(protocol_keywords()).get(number)


def protocol_number(name: str) -> int | None:
    """Return the number of a protocol, by its keyword in any case; None where there is none.

    Examples
    --------
    >>> protocol_number("UDP")
    17
    """
    return {keyword: number for number, keyword in protocol_keywords()}.get(name.lower())


def service_names(ports: Any, protocols: Any) -> pa.Array:
    """Return the names of the services at ports.

    Parameters
    ----------
    ports
        Port numbers: a list or an Arrow array.
    protocols
        The transport protocol of each, in lower case.

    Returns
    -------
    pyarrow.Array
        The first name that the registry has; null where it has none. Source: IANA, Service Name
        and Transport Protocol Port Number Registry.

    Examples
    --------
    >>> service_names([443, 53, 443], ["tcp", "udp", "icmp"]).to_pylist()
    ['https', 'domain', None]
    """
    import pyarrow.compute as pc

    known = _services()
    keys = _keys(pa.array(ports, pa.int64()), pa.array(protocols, pa.string()))
    first = pc.list_element(pc.split_pattern(known["names"], " "), 0)
    return first.take(pc.index_in(keys, value_set=_keys(known["port"], known["protocol"])))


def service_ports(name: str) -> list[tuple[int, str]]:
    """Return the ports of a service, each with its transport protocol, in order.

    Examples
    --------
    >>> service_ports("https")
    [(443, 'sctp'), (443, 'tcp'), (443, 'udp')]
    """
    import pyarrow.compute as pc

    known = _services()
    named = pc.list_flatten(pc.split_pattern(known["names"], " "))
    parents = pc.list_parent_indices(pc.split_pattern(known["names"], " "))
    rows = known.take(parents.filter(pc.equal(named, name.lower())))
    return sorted(zip(rows["port"].to_pylist(), rows["protocol"].to_pylist(), strict=True))


def _keys(ports: pa.Array, protocols: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(ports.cast(pa.string()), protocols, "/")


@cache
def _services() -> pa.Table:
    """Read the registry: `port`, `protocol`, and `names` with blanks between them."""
    import pyarrow.compute as pc
    from pyarrow import csv

    text = csv.read_csv(
        _FILE,
        read_options=csv.ReadOptions(skip_rows=1),
        convert_options=csv.ConvertOptions(column_types={"port": pa.int64()}),
    )
    protocols = pc.split_pattern(text["protocols"].combine_chunks(), " ")
    rows = text.take(pc.list_parent_indices(protocols)).combine_chunks()
    columns = [rows[name].combine_chunks() for name in ("port", "names")]
    return pa.table(
        {"port": columns[0], "protocol": pc.list_flatten(protocols), "names": columns[1]}
    )
