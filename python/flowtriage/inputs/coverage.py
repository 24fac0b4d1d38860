"""Networks that cover so much of IPv4 or IPv6 that they select nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from flowtriage.errors import ArgumentError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Range: TypeAlias = tuple[int, int]
"""First and last address; IPv4 is mapped into IPv6."""
_V4 = int(ipaddress.IPv6Address("::ffff:0:0"))
_PUBLIC = {
    "IPv4": (_V4 + (1 << 24), _V4 + (224 << 24) - 1),
    "IPv6": (0x2 << 124, (0x4 << 124) - 1),
}
"""Unicast addresses of each family, without 0.0.0.0/8."""


def extent(networks: Iterable[Network | Range]) -> str:
    """Return of what networks together cover all or more than half: `all of IPv4`; "" if of none.

    Examples
    --------
    >>> extent([ipaddress.ip_network("::ffff:0:0/96")])
    'all of IPv4'
    >>> extent([ipaddress.ip_network("0.0.0.0/1")])
    'more than half of IPv4'
    >>> extent([ipaddress.ip_network("128.0.0.0/2")])
    ''
    """
    covered = list(_merged(networks))
    found: list[str] = []
    for family, (first, last) in _PUBLIC.items():
        parts = ((max(start, first), min(end, last)) for start, end in covered)
        count = sum(end - start + 1 for start, end in parts if start <= end)
        if 2 * count > last - first + 1:
            share = "all" if count == last - first + 1 else "more than half"
            named = f"{share} of {family}"
            found.append(family if found and found[0].startswith(share) else named)
    return " and ".join(found)


def refuse_extent(networks: Iterable[Network], what: str, advice: str) -> None:
    """Raise `ArgumentError` if networks cover more than half of IPv4 or IPv6."""
    if covered := extent(networks):
        verb = "are" if what.endswith("together") else "is"
        raise ArgumentError(f"{what} {verb} {covered}; {advice}")


def mapped_range(first: Network, last: Network) -> Range:
    """Return the range from the first address of a network to the last one of another."""
    return _range(first)[0], _range(last)[1]


def _merged(networks: Iterable[Network | Range]) -> Iterator[Range]:
    """Yield the ranges that networks cover; adjacent ones are merged."""
    ends: Range | None = None
    for start, end in sorted(map(_range, networks)):
        if ends is not None and start <= ends[1] + 1:
            ends = (ends[0], max(ends[1], end))
            continue
        if ends is not None:
            yield ends
        ends = (start, end)
    if ends is not None:
        yield ends


def _range(network: Network | Range) -> Range:
    if isinstance(network, tuple):
        return network
    base = _V4 if network.version == 4 else 0
    return base + int(network.network_address), base + int(network.broadcast_address)
