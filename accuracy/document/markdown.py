"""Tables and numbers in Markdown."""

from __future__ import annotations

from collections.abc import Iterable


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Render a table; columns after the first are right-aligned."""
    names = list(header)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def left_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Render a table of texts."""
    names = list(header)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(text: str) -> str:
    """Escape untrusted text for a cell."""
    plain = " ".join(text.split())
    for mark in "\\`*_[]<>|":
        plain = plain.replace(mark, f"\\{mark}")
    return plain


def ratio(value: float | None) -> str:
    """Format a share."""
    return "–" if value is None else f"{value:.2f}"


def days(value: float) -> str:
    """Format a number of host-days."""
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"
