"""Ports given by people."""

from __future__ import annotations

from typing import Any

from flowtriage.errors import ArgumentError

MAX_PORT = 65_535


def port_argument(name: str, value: Any) -> int:
    """Return a port number; `ArgumentError` unless it is an integer from 0 to 65535.

    Examples
    --------
    >>> port_argument("dport", 443)
    443
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_PORT:
        raise ArgumentError(f"invalid {name} {value!r}; give an integer from 0 to {MAX_PORT}")
    return value
