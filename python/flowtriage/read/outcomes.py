"""Outcomes of the core, and what a report says of them."""

from __future__ import annotations

from typing import Any

from flowtriage.formats.declaration import Outcome
from flowtriage.quality import BadRow, ReadReport


def add_outcome(outcome: Outcome, source: str, report: ReadReport, *, by_row: bool = False) -> Any:
    """Add an outcome to a report; return its flows."""
    table, counts, by_value, _, bad_rows = outcome
    report.add(counts, by_value)
    report.list_bad_rows(BadRow(source, *row, by_row=by_row) for row in bad_rows)
    return table
