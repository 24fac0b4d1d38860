"""Parsers of IP addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from flowtriage._core import canonical_address
from flowtriage.errors import ArgumentError


def parse_address(text: str) -> str | None:
    """Return an address in canonical notation, or None if the text is not an address.

    Examples
    --------
    >>> parse_address("::ffff:10.0.0.1"), parse_address("fe80::1%eth0"), parse_address("ws-0341")
    ('10.0.0.1', 'fe80::1', None)
    """
    try:
        return require_address(text)
    except ArgumentError:
        return None


def require_address(text: str) -> str:
    """Return an address in canonical notation.

    Raises
    ------
    ArgumentError
        If the text is not an address.

    Examples
    --------
    >>> require_address("::ffff:10.0.0.1")
    '10.0.0.1'
    """
    return canonical_address(text)


def address_array(addresses: str | Iterable[Any] | pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return one or more addresses as an Arrow array of strings, without validating them."""
    if isinstance(addresses, pa.ChunkedArray):
        return addresses.combine_chunks()
    if isinstance(addresses, pa.Array):
        return addresses
    values: Any = [addresses] if isinstance(addresses, str) else addresses
    if type(values).__module__.partition(".")[0] == "pandas":
        return pa.array(values.astype("string"), pa.string(), from_pandas=True)
    return pa.array([a if a is None else str(a) for a in values], pa.string())
