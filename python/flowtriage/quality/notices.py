"""Notices: the facts of a report that limit what its numbers mean."""

from __future__ import annotations

from flowtriage.humanize import counted
from flowtriage.quality.report import ReadReport

TITLE = "Quality of the flows"
_OF_READING = (
    "Incomplete answers",
    "Records of other hosts",
    "Unknown actions",
    "Order of dates",
    "Totals may be inflated",
    "End before start",
    "Time outliers by day",
    "Counters without sides",
    "Contradicted totals",
    "Payload bytes only",
    "Translated addresses",
)
_OF_ROWS = (
    "Time outliers",
    "Long records",
    "Multiple exporters",
    "Equal counters on both sides",
    "Initiator not counted",
    "Direction conflicts",
    "32-bit counter overflow",
)
"""Labels of facts that matter whenever they are stated."""

_REPEATED, _UNCOUNTED, _UNIDIRECTIONAL = 0.01, 0.01, 0.5
"""Shares of rows up to which repeated rows, counters of 0 beside others, and unidirectional records
are usual."""


def notices(report: ReadReport) -> dict[str, str]:
    """Return what limits the use of the flows, as label and text; most reports have nothing.

    Computes the quality of the rows, if it was not computed yet.
    """
    found = reading_notices(report)
    if report.rows_outside:
        found["Outside the timespan"] = (
            f"{counted(report.rows_outside, 'record starts', 'records start')} outside it, or "
            f"{'has' if report.rows_outside == 1 else 'have'} no start; excluded"
        )
    measured = report.quality
    if measured is not None:
        found |= stated(report.facts(), _OF_ROWS)
        if measured.repeats > measured.rows * _REPEATED:
            found["Repeated rows"] = (
                f"{measured.repeats:,} of {measured.rows:,}: was a log read twice?"
            )
        for label, count in measured.uncounted().items():
            if count > measured.rows * _UNCOUNTED:
                found |= stated(report.facts(), (label,))
        if measured.unidirectional > measured.rows * _UNIDIRECTIONAL:
            found["Unidirectional records"] = (
                f"{measured.unidirectional:,} of {measured.rows:,}: the other direction is "
                "unanswered, missing, or a record of its own (stitch=True merges pairs)"
            )
    return found


def reading_notices(report: ReadReport) -> dict[str, str]:
    """Return those notices that are known from reading, without a pass over the rows."""
    found = {}
    if report.rows_bad:
        first = f"; the first: {report.bad_rows[0]}" if report.bad_rows else ""
        found["Bad rows"] = (
            f"{report.rows_bad:,} of {counted(report.rows_read, 'row')} could not be used and "
            f"{'was' if report.rows_bad == 1 else 'were'} dropped{first}"
        )
    for one in report.totals:
        if one.stated != one.read:
            found[f"Trailer total: {one.name}"] = (
                f"{one.source} states {one.stated:,}, but "
                f"{counted(one.read, 'was read', 'were read')}"
            )
    unread = {n: why for n, why in report.skipped_files.items() if not why.startswith("hidden")}
    if unread:
        name, reason = next(iter(unread.items()))
        found["Skipped files"] = f"{len(unread):,}; the first: {name}: {reason}"
    return found | stated(report.facts(rows=False), _OF_READING)


def stated(facts: dict[str, str], labels: tuple[str, ...]) -> dict[str, str]:
    """Return the facts with these labels."""
    return {label: facts[label] for label in labels if label in facts}
