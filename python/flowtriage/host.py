"""The flows of one host, given by address or by name."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import pyarrow as pa

from flowtriage.errors import ArgumentError
from flowtriage.verbs import classify_direction, top_n

_OBSERVED = {"outbound": "src_ip", "inbound": "dst_ip"}


@dataclass(frozen=True)
class HostFlows:
    """The flows of one host.

    Attributes
    ----------
    name
        Name of the host, if it is known.
    addresses
        Its addresses in canonical text, in order.
    flows
        The flows with one of these addresses at either end and, of a host given by name, those
        observed at it; with the columns `direction` and `direction_reason`, seen from the host.
    """

    name: str | None
    addresses: tuple[str, ...]
    flows: pa.Table


def canonical_address(text: str) -> str | None:
    """Return an address in canonical text, or None if the text is no address.

    Examples
    --------
    >>> canonical_address("::ffff:10.0.0.1"), canonical_address("ws-0341")
    ('10.0.0.1', None)
    """
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def flows_of_host(
    flows: pa.Table, name: str | None, addresses: tuple[str, ...] = (), *, resolve: bool = True
) -> HostFlows:
    """Select the flows of a host.

    Parameters
    ----------
    flows
        Flows in the canonical schema.
    name
        Name of the host, without regard to case.
    addresses
        Its addresses in canonical text.
    resolve
        Whether to learn from the flows the addresses of a name, and the name of addresses.
        Only sources that report from the observed machine itself tell that.

    Returns
    -------
    HostFlows
        Empty flows if the host does not occur.
    """
    import pyarrow.compute as pc

    if not name and not addresses:
        raise ArgumentError("no host was given; give an address or a host name")
    given = name
    if resolve:
        seen = _observed(flows)
        if name and not addresses:
            of_name = seen.filter(_equal(seen["host"], name))
            addresses = tuple(sorted(set(of_name["address"].to_pylist())))
        elif not name:
            of_address = seen.filter(pc.is_in(seen["address"], pa.array(addresses, pa.string())))
            names = of_address["host"].unique().to_pylist()
            name = names[0] if len(names) == 1 else None
    chosen = pa.array(addresses, pa.string())
    mask = pc.or_(pc.is_in(flows["src_ip"], chosen), pc.is_in(flows["dst_ip"], chosen))
    if given:
        mask = pc.or_(mask, pc.fill_null(_equal(flows["host"], given), False))
    return HostFlows(name, addresses, classify_direction(flows.filter(mask), host=list(addresses)))


def busiest_addresses(flows: pa.Table, n: int = 5) -> list[str]:
    """Return the sources with the most flows, to name to someone whose host has none."""
    return [a for a in top_n(flows, key="source", by="flows", n=n)["source"].to_pylist() if a]


def _observed(flows: pa.Table) -> pa.Table:
    """Pairs of host name and address, where the source reports from the host itself."""
    parts = []
    for direction, end in _OBSERVED.items():
        part = flows.filter(_equal(flows["reported_direction"], direction))
        parts.append(part.select(["host", end]).rename_columns(["host", "address"]))
    pairs = pa.concat_tables(parts).drop_null()
    return pairs.group_by(["host", "address"]).aggregate([])


def _equal(column: pa.ChunkedArray, text: str) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.equal(pc.utf8_lower(column), text.lower())
