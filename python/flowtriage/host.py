"""The flows of one host, given by address or by name."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass

import pyarrow as pa

from flowtriage.errors import AmbiguousHostError, ArgumentError
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
    candidates
        The names under which its addresses were seen, where there are several.
    """

    name: str | None
    addresses: tuple[str, ...]
    flows: pa.Table
    candidates: tuple[str, ...] = ()


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


def matching_name(given: str, names: Iterable[str]) -> str | None:
    """Find the one name that a given host name stands for.

    Case does not count. A name fits if it is the same; if none is, one fits that differs only by
    its domain or by the path before it (`group/name`), where either name has none.

    Raises
    ------
    AmbiguousHostError
        If several names fit equally well.

    Examples
    --------
    >>> matching_name("WEB", ["web.corp.example", "webmail"])
    'web.corp.example'
    """
    wanted = given.casefold()
    known = {name.casefold(): name for name in sorted(names, reverse=True)}
    if wanted in known:
        return known[wanted]
    short = {name: text for text, name in known.items() if _same_but_domain(wanted, text)}
    if len(short) > 1:
        raise AmbiguousHostError(given, tuple(sorted(short)))
    return next(iter(short), None)


def _same_but_domain(one: str, other: str) -> bool:
    one, other = one.rpartition("/")[2], other.rpartition("/")[2]
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


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
        Whether to learn from the flows the addresses of a name, and the name of addresses, and
        to take a name with and without its domain for the same. Only sources that report from
        the observed machine itself tell that.

    Returns
    -------
    HostFlows
        Empty flows if the host does not occur.

    Raises
    ------
    AmbiguousHostError
        If the name stands for several hosts in the flows.
    """
    import pyarrow.compute as pc

    if not name and not addresses:
        raise ArgumentError("no host was given; give an address or a host name")
    observed = name
    candidates: tuple[str, ...] = ()
    if resolve:
        if name:
            hosts = pc.unique(flows["host"]).drop_null().to_pylist()
            name = observed = matching_name(name, hosts) or name
            addresses = tuple(dict.fromkeys([*addresses, *addresses_of_name(flows, observed)]))
        else:
            candidates = _names_of(flows, addresses)
            name = candidates[0] if len(candidates) == 1 else None
    chosen = pa.array(addresses, pa.string())
    mask = pc.or_(pc.is_in(flows["src_ip"], chosen), pc.is_in(flows["dst_ip"], chosen))
    if observed:
        mask = pc.or_(mask, observed_at(flows, observed))
    if not pc.all(mask).as_py():
        flows = flows.filter(mask)
    return HostFlows(
        name,
        addresses,
        classify_direction(flows, host=list(addresses)),
        candidates if len(candidates) > 1 else (),
    )


def addresses_of_name(flows: pa.Table, name: str) -> tuple[str, ...]:
    """Return the addresses of the machine that reported flows under a name, in order."""
    import pyarrow.compute as pc

    named = observed_at(flows, name)
    return _distinct(
        flows[end].filter(pc.and_(named, _observed(flows, direction)))
        for direction, end in _OBSERVED.items()
    )


def observed_at(flows: pa.Table, name: str) -> pa.ChunkedArray:
    """Tell which flows were observed at the host of a name, without regard to case."""
    return _equal(flows["host"], name)


def busiest_addresses(flows: pa.Table, n: int = 5) -> list[str]:
    """Return the sources with the most flows, to name to someone whose host has none."""
    return [a for a in top_n(flows, key="source", by="flows", n=n)["source"].to_pylist() if a]


def reverse_name(address: str, timeout: float = 5.0) -> str | None:
    """Ask the system's resolver for the name of an address.

    Parameters
    ----------
    address
        The address.
    timeout
        Most seconds to wait.

    Returns
    -------
    str or None
        None if it has no name, or none came in time.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        return pool.submit(socket.gethostbyaddr, address).result(timeout)[0]
    except (OSError, TookTooLong):
        return None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _names_of(flows: pa.Table, addresses: tuple[str, ...]) -> tuple[str, ...]:
    import pyarrow.compute as pc

    own = pa.array(addresses, pa.string())
    return _distinct(
        flows["host"].filter(pc.and_(pc.is_in(flows[end], own), _observed(flows, direction)))
        for direction, end in _OBSERVED.items()
    )


def _observed(flows: pa.Table, direction: str) -> pa.ChunkedArray:
    """Tell which flows the host at that end of the direction reported itself."""
    return _equal(flows["reported_direction"], direction)


def _distinct(columns: Iterable[pa.ChunkedArray]) -> tuple[str, ...]:
    return tuple(sorted({text for one in columns for text in one.unique().to_pylist()} - {None}))


def _equal(column: pa.ChunkedArray, text: str) -> pa.ChunkedArray:
    """Tell which values are a text, without regard to case; null is none."""
    import pyarrow.compute as pc

    spellings = column.unique()
    return pc.is_in(column, spellings.filter(pc.equal(pc.utf8_lower(spellings), text.lower())))
