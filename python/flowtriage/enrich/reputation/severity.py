"""Severity of what a reputation service reports."""

from __future__ import annotations

import re

LABELS = {"high": "High:3", "warning": "Medium:2", "information": "Minimal:1"}
UNVERIFIED = "Unverified:-1"
_SEVERITY = re.compile(r"[^:]*:[^:]*:(-?\d+)(?::|$)")


def severity(text: str) -> int:
    """Return how severe a text of a service is; 0 where it does not tell.

    Examples
    --------
    >>> severity("gti:High:3"), severity("gti:Unverified:-1"), severity("seen once")
    (3, -1, 0)
    """
    found = _SEVERITY.match(text)
    return int(found[1]) if found else 0


def _worst_first(text: str) -> tuple[int, str]:
    return -severity(text), text
