"""Numbers and lists of a report as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MAX_LISTED = 10
"""Number of bad rows, names and kinds that a report lists."""


def flows_text(allowed: int, denied: int) -> str:
    """Format a number of flows, with the denied ones if there are any.

    Examples
    --------
    >>> flows_text(1200, 0), flows_text(188, 72)
    ('1,200', '188 allowed, 72 denied')
    """
    return f"{allowed:,} allowed, {denied:,} denied" if denied else f"{allowed:,}"


def flows_counted(allowed: int, denied: int) -> str:
    """Format a number of flows as `flows_text`, with the noun.

    Examples
    --------
    >>> flows_counted(1, 0), flows_counted(188, 72)
    ('1 flow', '188 allowed, 72 denied flows')
    """
    return f"{flows_text(allowed, denied)} {'flow' if allowed + denied == 1 else 'flows'}"


def few(names: Sequence[str]) -> str:
    """Join the first names, and count the others."""
    more = f" and {len(names) - MAX_LISTED:,} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more


def by_value(counts: Mapping[str, int]) -> str:
    """Join the largest of these numbers, each with its name, after their sum."""
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(counts) - MAX_LISTED:,} more kinds" if len(counts) > MAX_LISTED else ""
    listed = ", ".join(f"{count:,} {value}" for value, count in largest[:MAX_LISTED])
    return f"{sum(counts.values()):,} ({listed}{more})"
