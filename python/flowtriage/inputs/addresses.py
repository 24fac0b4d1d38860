"""Parsers of IP addresses."""

from __future__ import annotations

import ipaddress
from typing import Any

import pyarrow as pa


def address_array(addresses: Any) -> pa.Array:
    """Return addresses, given singly or in any array, as an Arrow array of strings."""
    if isinstance(addresses, pa.ChunkedArray):
        return addresses.combine_chunks()
    if isinstance(addresses, pa.Array):
        return addresses
    if isinstance(addresses, str):
        addresses = [addresses]
    if type(addresses).__module__.partition(".")[0] == "pandas":
        return pa.array(addresses.astype("string"), pa.string(), from_pandas=True)
    return pa.array([a if a is None else str(a) for a in addresses], pa.string())


def parse_address(text: str) -> str | None:
    """Return an address in canonical text, or None if the text is no address.

    Examples
    --------
    >>> parse_address("::ffff:10.0.0.1"), parse_address("ws-0341")
    ('10.0.0.1', None)
    """
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
