"""Ports and numbers given by people."""

from __future__ import annotations

import operator
from typing import Any

from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize

MAX_PORT = 65_535
MAX_COUNT = (1 << 31) - 1
_MAX_SHOWN = 80


def port_argument(name: str, value: Any) -> int:
    """Return a port number; `ArgumentError` unless it is an integer from 0 to 65535.

    Examples
    --------
    >>> port_argument("dport", 443)
    443
    """
    number = _integer(value)
    if number is None or not 0 <= number <= MAX_PORT:
        shown = sanitize(repr(value), _MAX_SHOWN)
        raise ArgumentError(f"invalid {name} {shown}; give an integer from 0 to {MAX_PORT}")
    return number


def count_argument(name: str, value: Any) -> int:
    """Return a number of rows or bins; `ArgumentError` unless it is an integer of 1 or more.

    Examples
    --------
    >>> count_argument("n", 20)
    20
    """
    number = _integer(value)
    if number is None or number < 1:
        shown = sanitize(repr(value), _MAX_SHOWN)
        raise ArgumentError(f"{name} must be an integer and 1 or more, got {shown}")
    return min(number, MAX_COUNT)


def _integer(value: Any) -> int | None:
    """Return an integer of any type, also of numpy, or None."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None
